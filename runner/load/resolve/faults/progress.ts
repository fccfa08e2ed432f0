// SPDX-License-Identifier: MIT
/** `after:` of a fault: how many messages the concurrent branches of its `parallel` have sent when it is injected. */
import type { Path } from '../../../common/diagnostic.ts';
import { partyOf } from '../../../topology/lane.ts';
import { areConcurrent, type Visit, walk } from '../../../topology/steps.ts';
import type { FaultStep, ParallelStep, SendStep, Step } from '../../../topology/topology.ts';
import { sender } from '../parties.ts';
import type { Scope, WrittenFault } from '../scope.ts';
import type { StepContext } from '../step-context.ts';

/** The written `after`, with its sender looked up. Which sends it counts is known only when the whole `parallel` is. */
export interface WrittenProgress {
  readonly messages: number;
  readonly of?: string;
  readonly path: Path;
}

/** Reports an error and returns undefined if there is no such sender. */
export function progressOf(
  { scope, parties, path }: StepContext,
  fault: WrittenFault,
): WrittenProgress | undefined {
  const { after, at } = fault;
  if (after === undefined) return undefined;
  const own = [...path, 'fault', 'after'];
  const refuse = (message: string, hint: string) => {
    scope.problems.error(own, { code: 'impossible', message, hint, onKey: true });
    return undefined;
  };
  if (at !== undefined)
    return refuse(
      'a fault has one time: `after` a number of messages, or `at` a time, not both',
      'Remove one of the two.',
    );
  if (!parties.concurrent)
    return refuse(
      '`after` counts the messages of sends beside the fault, and there are none: every step before it has ended',
      'Put the send and this fault into two branches of `parallel`.',
    );
  if (typeof after === 'number') return { messages: after, path: own };
  const { messages, of } = after as unknown as { messages: number; of?: string };
  if (of === undefined) return { messages, path: own };
  const who = sender(scope, of, [...own, 'of']);
  return who && { messages, of: partyOf(who), path: own };
}

/** Adds to each `after` in a `parallel` the sends that it counts; `written` is keyed by the id of the fault. */
export function countSends(
  scope: Scope,
  parallel: ParallelStep,
  written: ReadonlyMap<string, WrittenProgress>,
): ParallelStep {
  const visits = [...walk([parallel])];
  const replace = (step: Step): Step => {
    if (step.kind === 'parallel')
      return { ...step, branches: step.branches.map((branch) => branch.map(replace)) };
    const progress = written.get(step.id);
    return step.kind === 'fault' && progress ? withSends(scope, step, progress, visits) : step;
  };
  return replace(parallel) as ParallelStep;
}

function withSends(
  scope: Scope,
  fault: FaultStep,
  { messages, of, path }: WrittenProgress,
  visits: readonly Visit[],
): FaultStep {
  const own = visits.find(({ step }) => step.id === fault.id);
  const sends = visits.flatMap((visit): SendStep[] =>
    visit.step.kind === 'send' &&
    own !== undefined &&
    areConcurrent(own, visit) &&
    (of === undefined || partyOf(visit.step.from) === of)
      ? [visit.step]
      : [],
  );
  const all = sends.reduce((sum, step) => sum + step.count, 0);
  if (all < messages && !scope.problems.isBroken(path)) {
    const who = of === undefined ? 'the other branches send' : `beside it "${of}" sends`;
    const message = `this moment never comes: the fault waits for ${messages} messages, and ${who} ${all || 'none'}`;
    const hint =
      all === 0 ? 'Name a client that sends in another branch.' : `Write after: ${Math.ceil(all / 2)}.`;
    scope.problems.error(path, { code: 'impossible', message, hint });
  }
  return { ...fault, after: { messages, sends: sends.map(({ id }) => id) } };
}
