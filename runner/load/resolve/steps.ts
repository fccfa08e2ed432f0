// SPDX-License-Identifier: MIT
/** Turns `traffic` into steps, in order, and applies them to the state of the parties. */

import type { Path } from '../../common/diagnostic.ts';
import { duration } from '../../common/scalars.ts';
import type { ParallelStep, SendStep, Step } from '../../topology/topology.ts';
import { takenBySend } from '../yaml/index.ts';
import { budgetsOf } from './budgets.ts';
import { resolveFaults } from './faults/faults.ts';
import { countSends } from './faults/progress.ts';
import { DBUS_CLIENT } from './message-bus/parties.ts';
import { checkRuns, isProgram, killProgram, outcomeStep, runStep } from './message-bus/programs.ts';
import {
  checkPaused,
  dbusStep,
  faultStep,
  hangupStep,
  hearsStep,
  isAboutDbus,
  isDbusStep,
} from './message-bus/steps.ts';
import type { PartyState } from './party-state.ts';
import type {
  Scope,
  WrittenBudgets,
  WrittenDbusStep,
  WrittenFault,
  WrittenHears,
  WrittenOutcome,
  WrittenRun,
  WrittenSend,
  WrittenSendExpect,
  WrittenStep,
} from './scope.ts';
import { resolveSend } from './sends.ts';
import type { StepContext } from './step-context.ts';

/** How long an `expect` step waits if it does not say: an upper limit that a correct bus never needs. */
const DEFAULT_WITHIN = 5000;

type WrittenParallel = Extract<WrittenStep, { parallel: unknown }>['parallel'];

export function resolveSteps(
  scope: Scope,
  start: Pick<StepContext, 'parties' | 'deliveries' | 'checkParallel'>,
): Step[] {
  const traffic = scope.written.traffic;
  if (!Array.isArray(traffic)) return [];
  const progress: StepContext['progress'] = new Map();
  const steps = traffic.flatMap((written: WrittenStep, index) => {
    const path = ['traffic', index];
    const fits = scope.tally.add('stepClients', clientsIn(scope), path, scope.problems);
    if (!fits || scope.problems.enough) return [];
    return resolveStep({ scope, ...start, progress, id: `${index + 1}`, path }, written);
  });
  checkRuns(scope);
  checkPaused(scope);
  return steps;
}

const clientsIn = ({ clients, dbusClients }: Scope): number => clients.size + dbusClients.size;

function resolveStep(where: StepContext, written: WrittenStep): Step[] {
  const { scope, path } = where;
  scope.paths.set(where.id, path);
  const inner =
    typeof written === 'object' && written !== null && 'parallel' in written ? written.parallel : undefined;
  if (Array.isArray(inner)) return parallel(where, inner as WrittenParallel);
  nameOf(where, written);
  if (scope.problems.isBroken(path)) return [];
  if ('fault' in written) return faultSteps(where, written.fault as WrittenFault);
  const step = single(where, written as Exclude<WrittenStep, { parallel: unknown }>);
  if (step?.kind === 'send') addBudgets(where, step, written);
  return step === undefined ? [] : [step];
}

function faultSteps(where: StepContext, fault: WrittenFault): Step[] {
  const { scope } = where;
  if (!isAboutDbus(scope, fault)) return resolveFaults(where, fault);
  const step = isProgram(scope, fault) ? killProgram(where, fault) : faultStep(where, fault);
  return step === undefined ? [] : [step];
}

function addBudgets({ scope, path }: StepContext, { id, expect }: SendStep, written: WrittenStep): void {
  const at = [...path, 'expect'];
  const budgets = budgetsOf(scope, (written as { expect?: WrittenBudgets }).expect, at, id);
  if (expect.error !== undefined && budgets.length > 0) {
    const message = `a send that fails with ${expect.error} has no budget`;
    scope.problems.error(at, {
      code: 'impossible',
      message,
      hint: 'Remove `error` or the budget.',
      onKey: true,
    });
  }
  scope.budgets.push(...budgets);
}

/** Adds the `as` of a send even if the rest of the send is broken, so that lines about it are not reported. */
function nameOf({ deliveries, path }: StepContext, written: WrittenStep): void {
  const as = (written as { send?: { as?: unknown } } | null)?.send?.as;
  if (typeof as === 'string') deliveries.declare(as, [...path, 'send', 'as']);
}

function single(where: StepContext, written: Exclude<WrittenStep, { parallel: unknown }>): Step | undefined {
  if ('send' in written && typeof written.send === 'object') {
    const send = written.send as WrittenSend;
    const at = (key: string): Path => [...where.path, 'send', key];
    return withDefaults(where, send, written.expect as WrittenSendExpect | undefined, at);
  }
  if ('run' in written) return runStep(where, written as WrittenRun);
  if (isDbusStep(written)) return dbusStep(where, written as WrittenDbusStep);
  if ('expect' in written && Object.keys(written).length === 1) {
    const expect = written.expect as Observation | WrittenHears | WrittenOutcome;
    if ('hears' in expect) return hearsStep(where, expect);
    if ('exit' in expect || 'output' in expect) return outcomeStep(where, expect);
    return observation(where, written.expect as Observation);
  }
  return short(where, written as Readonly<Record<string, string | WrittenSendExpect>>);
}

/** Fills in `defaults.sends`; a send with a payload takes no size from there, and one with a size no payload. */
function withDefaults(
  where: StepContext,
  send: WrittenSend,
  expect: WrittenSendExpect | undefined,
  at: (key: string) => Path,
): Step | undefined {
  const { written, problems } = where.scope;
  const path = ['defaults', 'sends'];
  const defaults = problems.isBroken(path) ? undefined : written.defaults?.sends;
  if (defaults === undefined) return resolveSend(where, send, expect, at);
  const taken = takenBySend(defaults, send);
  const place = (key: string): Path => (taken.includes(key) ? [...path, key] : at(key));
  // A variable may be a larger number.
  const isVariable = where.scope.tree.substituted(place('count')) !== undefined;
  const isOne = !isVariable && (send.count ?? defaults.count ?? 1) === 1;
  for (const key of taken) if (key !== 'rate' || !isOne) where.scope.taken.add(key);
  const values = Object.fromEntries(taken.map((key) => [key, defaults[key as keyof typeof defaults]]));
  return resolveSend(where, { ...values, ...send }, expect, place);
}

/** The short form: `camera -> sensors: "text"` */
function short(
  where: StepContext,
  written: Readonly<Record<string, string | WrittenSendExpect>>,
): Step | undefined {
  const { path } = where;
  const key = Object.keys(written).find((each) => each !== 'expect') ?? '';
  const [from = '', to = ''] = key.split('->').map((end) => end.trim());
  const at = (what: string): Path => (what === 'payload' ? [...path, key] : [...path, key, what]);
  return withDefaults(
    where,
    { from, to, payload: String(written[key]) },
    written.expect as WrittenSendExpect,
    at,
  );
}

function parallel(where: StepContext, branches: WrittenParallel): Step[] {
  const { scope, parties, id } = where;
  const path = [...where.path, 'parallel'];
  if (branches.length === 0) {
    scope.problems.error(path, {
      code: 'bad-value',
      message: 'nothing to play in parallel',
      hint: 'List steps below it.',
    });
  }
  // Each branch has its own copy of the state of every client.
  if (!scope.tally.add('branchClients', branches.length * clientsIn(scope), path, scope.problems)) return [];
  const before = parties.branch();
  const states: PartyState[] = [];
  const steps = branches.map((branch, b) => {
    const own = parties.branch();
    states.push(own);
    const list = Array.isArray(branch) ? (branch as readonly WrittenStep[]) : [branch as WrittenStep];
    return list.flatMap((each, s) => {
      const at = Array.isArray(branch) ? [...path, b, s] : [...path, b];
      return resolveStep({ ...where, parties: own, id: `${id}.b${b + 1}.${s + 1}`, path: at }, each);
    });
  });
  parties.merge(states);
  const step: ParallelStep = { kind: 'parallel', id, branches: steps, place: scope.tree.place(where.path) };
  // A `parallel` inside a branch is checked together with the outer one.
  if (parties.concurrent) return [step];
  const whole = countSends(scope, step, where.progress);
  where.checkParallel(scope, before, whole);
  return [whole];
}

type Observation = { client: string; blocked?: boolean; hangup?: true; within?: string };

function observation(where: StepContext, written: Observation): Step | undefined {
  const { scope, parties, id, path } = where;
  const { client, blocked } = written;
  const at = [...path, 'expect'];
  const within = written.within === undefined ? DEFAULT_WITHIN : duration(written.within);
  if (blocked === undefined && scope.names.kindOf(client) === DBUS_CLIENT)
    return hangupStep(where, client, within);
  if (scope.names.find(client, ['client'], [...at, 'client']) === undefined) return undefined;
  const base = { id, client: scope.incarnation(client), within, place: scope.tree.place(path) };
  if (blocked === undefined) {
    const gone = parties.client(base.client)?.gone;
    if (!parties.concurrent && (gone?.how === 'killed' || gone?.how === 'stopped')) {
      const message = `"${client}" was ${gone.how} at line ${gone.line}, so its process cannot see its socket hang up`;
      scope.problems.error([...at, 'client'], { code: 'impossible', message, hint: 'Remove the step.' });
    }
    return { kind: 'hangup', ...base };
  }
  if (blocked && !parties.concurrent) {
    const message = 'no send can be waiting here: all steps before this one have ended';
    const hint = 'Put the send and this step into two branches of `parallel`.';
    scope.problems.warning([...at, 'blocked'], { code: 'impossible', message, hint });
  }
  return { kind: 'blocked', ...base, blocked };
}
