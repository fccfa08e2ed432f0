// SPDX-License-Identifier: MIT
/** Turns a written fault into steps: one for its start, and one that takes it back after `for`. */
import { duration } from '../../../common/scalars.ts';
import { FAULTS, type Row } from '../../../topology/faults.ts';
import { faults } from '../../../topology/steps.ts';
import type { Step } from '../../../topology/topology.ts';
import type { WrittenFault } from '../scope.ts';
import type { StepContext } from '../step-context.ts';
import { fill } from './fill.ts';
import { nodes } from './nodes.ts';
import { progressOf } from './progress.ts';
import { restart } from './restart.ts';
import { resolveFault } from './simple.ts';

/** The steps that a fault consists of. */
export function resolveFaults(where: StepContext, fault: WrittenFault): Step[] {
  if ('fill' in fault && !beginsAtOnce(where, fault)) return [];
  const steps = compose(where, fault);
  const progress = progressOf(where, fault);
  if (progress) for (const { id } of faults(steps)) where.progress.set(id, progress);
  const delay = fault.at === undefined ? undefined : duration(String(fault.at));
  const delayed = delay === undefined ? steps : steps.map((step) => later(step, delay));
  return fault.for === undefined ? delayed : [...delayed, ...undone(where, fault)];
}

/** Reports a `fill` with a time: it becomes a send step, which has none. */
function beginsAtOnce({ scope, path }: StepContext, fault: WrittenFault): boolean {
  const timing = ['at', 'after'].find((key) => fault[key] !== undefined);
  if (timing === undefined) return true;
  const message = '`fill` always begins with its step';
  const hint = `Remove \`${timing}\`, or put another fault or an \`expect\` step before it in its branch.`;
  scope.problems.error([...path, 'fault', timing], { code: 'impossible', message, hint, onKey: true });
  return false;
}

/** Faults that become several steps, or a step of another kind. */
const COMPOSED: Readonly<Record<string, (where: StepContext, target: string) => Step[]>> = {
  fill,
  restart,
  ...nodes,
};

function compose(where: StepContext, fault: WrittenFault): Step[] {
  const verb = verbIn(COMPOSED, fault);
  if (verb !== undefined) return COMPOSED[verb]?.(where, String(fault[verb])) ?? [];
  const step = resolveFault(where, fault);
  return step === undefined ? [] : [step];
}

/** Delays the first steps of a fault. */
function later(step: Step, at: number): Step {
  if (step.kind === 'fault') return { ...step, at };
  if (step.kind !== 'parallel') return step;
  return { ...step, branches: step.branches.map((branch) => branch.map((each) => later(each, at))) };
}

/** The steps that take the fault back after `for`. */
function undone(where: StepContext, fault: WrittenFault): Step[] {
  const { scope, id, path } = where;
  const opposite = oppositeOf(fault);
  if (opposite === undefined) {
    const limit = 'memory' in fault ? 'memory' : 'fds: unlimited';
    const verb = 'limit' in fault ? limit : Object.keys(fault)[0];
    const message = `\`${verb}\` cannot be undone, so it lasts for good`;
    const hint = `Remove \`for\`. What can be undone: ${[...OPPOSITES.keys()].join(', ')}.`;
    scope.problems.error([...path, 'fault', 'for'], { code: 'impossible', message, hint, onKey: true });
    return [];
  }
  // The fault itself has a mistake, which has been reported.
  if (scope.problems.isBroken(path)) return [];
  const after = duration(String(fault.for));
  return compose({ ...where, id: `${id}.end` }, opposite).map((step) => later(step, after));
}

/** The fault that takes this one back. */
function oppositeOf(fault: WrittenFault): WrittenFault | undefined {
  const { address, rule, on, fds } = fault;
  const verb = Object.keys(fault).find((key) => OPPOSITES.has(key));
  if (verb === undefined || (verb === 'limit' && typeof fds !== 'number')) return undefined;
  return {
    [OPPOSITES.get(verb) as string]: fault[verb],
    ...(address !== undefined && { address }),
    ...(rule !== undefined && { rule }),
    ...(verb === 'eavesdrop' && { on: on === false }),
    ...(verb === 'limit' && { fds: 'unlimited' }),
  };
}

const OPPOSITES: ReadonlyMap<string, string> = new Map(
  Object.entries(FAULTS).flatMap(([verb, row]: [string, Row]): [string, string][] => {
    if (row.opposite === undefined) return [];
    const node: [string, string][] =
      `${verb}-node` in nodes ? [[`${verb}-node`, `${row.opposite}-node`]] : [];
    return [[verb, row.opposite], ...node];
  }),
);

const verbIn = (table: object, fault: WrittenFault): string | undefined =>
  Object.keys(fault).find((key) => Object.hasOwn(table, key));
