// SPDX-License-Identifier: MIT
/** Faults in branches of `parallel` that cannot do what they say, whichever branch comes first. */
import { lacks, ruleKey } from './rules.ts';
import type { Scope } from './scope.ts';
import type { FaultAction, FaultStep, ParallelStep } from './topology.ts';
import type { Path } from './tree.ts';
import type { World } from './world.ts';

/** A fault, and the branches that lead to it: the id of each parallel step with the number of the branch. */
interface Placed {
  readonly step: FaultStep;
  readonly trail: ReadonlyMap<string, number>;
}

interface Words {
  readonly message: string;
  readonly hint: string;
}

/**
 * Points out the second of two faults in different branches of which one can be done, and those that nothing in any
 * branch prepares. Within a branch there is an order, and its world has followed it; `before` is the one at the start.
 */
export function checkTogether(scope: Scope, before: World, parallel: ParallelStep): void {
  const faults = [...faultsIn(parallel, new Map())];
  const all = faults.map(({ step }) => step.action);
  const first = new Map<string, Placed>();
  for (const fault of faults) {
    const once = onceOnly(scope, fault.step.action, all);
    const other = first.get(once?.what ?? '');
    if (once && !other) first.set(once.what, fault);
    if (once && other && areBeside(other, fault)) {
      const message = `${once.message} in another branch, at line ${other.step.place.line}`;
      const hint = 'Only one of them can be done, whichever comes first: remove the other.';
      scope.problems.error(pathOf(scope, fault.step), { code: 'impossible', message, hint });
    }
  }
  checkPrepared(scope, before, faults);
  checkMatches(scope, before, faults);
}

/** Such a fault can be played, and means nothing. */
function checkPrepared(scope: Scope, before: World, faults: readonly Placed[]): void {
  const all = faults.map(({ step }) => step.action);
  const said = new Set<string>();
  for (const { step } of faults) {
    const words = lacking(before, step.action, all);
    if (words === undefined || said.has(words.message)) continue;
    said.add(words.message);
    scope.problems.warning(pathOf(scope, step), { code: 'impossible', ...words });
  }
}

/** Rules that are taken from a client which has them in no order of the branches, or not so many of them. */
function checkMatches(scope: Scope, before: World, faults: readonly Placed[]): void {
  faults.forEach((fault, n) => {
    const { action } = fault.step;
    if (action.fault !== 'remove-match') return;
    const { client, rule } = action;
    const earlier = faults.slice(0, n);
    const beside = faults.filter((other) => areBeside(other, fault));
    const own = earlier.filter((other) => !beside.includes(other));
    const given = [...own, ...beside].filter((other) => isAbout(other, 'add-match', client, rule)).length;
    const taken = own.filter((other) => isAbout(other, 'remove-match', client, rule)).length;
    const rules = before.client(client)?.rules ?? [];
    const held = rules.filter((key) => key === ruleKey(rule)).length + given - taken;
    const rivals = earlier.filter(
      (other) => beside.includes(other) && isAbout(other, 'remove-match', client, rule),
    );
    const path = [...pathOf(scope, fault.step).slice(0, -1), 'rule'];
    if (held < 1) {
      const [message, hint] = lacks(client, rules);
      scope.problems.error(path, { code: 'impossible', message, hint });
    } else if (held <= rivals.length) {
      const message = `the rule is taken from "${client}" in another branch, at line ${rivals[0]?.step.place.line}`;
      const hint = 'Only one of them can be done, whichever comes first: remove the other.';
      scope.problems.error(path, { code: 'impossible', message, hint });
    }
  });
}

/** The fault is this one, with a rule that says the same. */
function isAbout(
  { step: { action } }: Placed,
  fault: 'add-match' | 'remove-match',
  client: string,
  rule: string,
): boolean {
  if (action.fault !== fault || !('rule' in action) || action.client !== client) return false;
  return ruleKey(action.rule) === ruleKey(rule);
}

/** Those of a node that is killed, or of the end of a `for`, are steps that the file does not have. */
function pathOf({ paths }: Scope, { id, action }: FaultStep): Path {
  const own = paths.get(id);
  if (own !== undefined) return [...own, 'fault', action.fault];
  return [...(paths.get(id.replace(/\.(b\d+\.\d+|end)$/, '')) ?? []), 'fault'];
}

function* faultsIn({ id, branches }: ParallelStep, trail: ReadonlyMap<string, number>): Generator<Placed> {
  for (const [b, branch] of branches.entries()) {
    const here = new Map([...trail, [id, b]]);
    for (const step of branch) {
      if (step.kind === 'fault') yield { step, trail: here };
      else if (step.kind === 'parallel') yield* faultsIn(step, here);
    }
  }
}

/** Somewhere their ways part into two branches. */
const areBeside = (one: Placed, other: Placed): boolean =>
  [...one.trail].some(([id, b]) => (other.trail.get(id) ?? b) !== b);

/** What another fault would have to prepare, and none does. */
function lacking(before: World, action: FaultAction, all: readonly FaultAction[]): Words | undefined {
  if (action.fault === 'resume') {
    const { target } = action;
    const state = target.kind === 'client' ? before.client(target.name) : before.master(target.bus);
    const name = target.kind === 'client' ? target.name : `${target.bus}.master`;
    const pauses = (each: FaultAction) =>
      each.fault === 'pause' && JSON.stringify(each.target) === JSON.stringify(target);
    if (state?.paused !== undefined || all.some(pauses)) return undefined;
    return { message: `"${name}" is not paused`, hint: `Put - fault: { pause: ${name} } before it.` };
  }
  if (action.fault === 'read') {
    const { client } = action;
    const stops = (each: FaultAction) => each.fault === 'stop-reading' && each.client === client;
    if (!before.client(client)?.reading || all.some(stops)) return undefined;
    const hint = 'Give it `receive: manual`, or put - fault: { stop-reading: … } before it.';
    return { message: `"${client}" reads by itself`, hint };
  }
  return undefined;
}

interface Once {
  /** The same for all faults of which one can be done. */
  readonly what: string;
  readonly message: string;
}

/** What can be done once; undefined where something else in the step may make room for a second time. */
function onceOnly(scope: Scope, action: FaultAction, all: readonly FaultAction[]): Once | undefined {
  switch (action.fault) {
    case 'kill':
    case 'stop': {
      const { target } = action;
      const name = target.kind === 'client' ? target.name : `${target.bus}.master`;
      return { what: `end ${name}`, message: `"${name}" is ended` };
    }
    case 'leave':
      return { what: `leave ${action.bus}`, message: `the master of bus "${action.bus}" leaves` };
    case 'expel':
      return { what: `expel ${action.client}`, message: `"${action.client}" is expelled` };
    case 'join':
      return { what: `join ${action.client}`, message: `"${action.client}" joins` };
    case 'add-address': {
      const bus = scope.clients.get(action.client)?.bus;
      if (all.some((other) => frees(other, action.address))) return undefined;
      return { what: `add ${bus} ${action.address}`, message: `${action.address} is given away` };
    }
    case 'del-address': {
      const { client, address } = action;
      const back = all.some((other) => other.fault === 'add-address' && other.address === address);
      return back ? undefined : { what: `del ${client} ${address}`, message: `${address} is taken away` };
    }
    default:
      return undefined;
  }
}

/** It is taken from somebody, or somebody goes who may hold it. */
function frees(action: FaultAction, address: string): boolean {
  if (action.fault === 'del-address') return action.address === address;
  return ['kill', 'stop', 'expel'].includes(action.fault);
}
