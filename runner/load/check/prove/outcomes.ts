// SPDX-License-Identifier: MIT
/**
 * Sends that do something else than a reader of the file would think: they fail, reach nobody, or take the default
 * route to the master. If the file does not say so, a run that passes proves nothing about them.
 */
import { MASTER } from '../../../common/address.ts';
import { either } from '../../../common/text.ts';
import { type Allowed, isOpen, type Possibility, type Prediction } from '../../../predict/index.ts';
import { type Lane, parseLane } from '../../../topology/lane.ts';
import { sends } from '../../../topology/steps.ts';
import type { SendStep, Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';
import { watchersOf } from './watchers.ts';

/** Reports each such send that the file does not explain: an error if the outcome is certain, else a warning. */
export function checkOutcomes(places: Places, prediction: Prediction, topology: Topology): void {
  const watchers = watchersOf(topology);
  for (const step of sends(topology.steps)) {
    if (Object.keys(step.expect).length > 0) continue;
    const groups = groupsOf(prediction, step, watchers(step));
    const group = groups.find(({ sure }) => sure) ?? groups[0];
    if (group === undefined) continue;
    const words = { code: 'unsaid' as const, message: messageOf(step, group), hint: hintOf(step, group) };
    const path = places.paths.get(step.id) ?? [];
    if (group.sure) places.problems.error(path, words);
    else places.problems.warning(path, words);
  }
}

type Kind = 'fails' | 'reaches nobody' | 'goes to the master';

/** Messages of one step that have the same outcome. */
interface Group {
  readonly kind: Kind;
  readonly sure: boolean;
  readonly first: number;
  readonly allowed: Allowed;
  count: number;
}

/** Groups in the order of their first messages. */
function groupsOf(prediction: Prediction, step: SendStep, watchers: ReadonlySet<Lane>): readonly Group[] {
  const groups = new Map<string, Group>();
  for (let n = 0; n < step.count; n++) {
    const allowed = prediction.of(step.id, n);
    const found = allowed && judge(allowed, step, watchers);
    if (!found) continue;
    const key = `${found.kind} ${found.sure}`;
    const group = groups.get(key) ?? { ...found, first: n, allowed, count: 0 };
    group.count++;
    groups.set(key, group);
  }
  return [...groups.values()];
}

function judge(
  allowed: Allowed,
  step: SendStep,
  watchers: ReadonlySet<Lane>,
): Pick<Group, 'kind' | 'sure'> | undefined {
  // That nothing can be wrong is said of the step.
  if (isOpen(allowed)) return undefined;
  const { delivered, errors } = allowed;
  if (delivered === undefined) return { kind: 'fails', sure: true };
  const must = delivered.must.filter((lane) => !watchers.has(lane));
  const may = delivered.may.filter((lane) => !watchers.has(lane));
  if (must.length + may.length === 0) return { kind: 'reaches nobody', sure: errors.length === 0 };
  if (must.some((lane) => isDefaultRoute(lane, step))) return { kind: 'goes to the master', sure: true };
  if (errors.length > 0) return { kind: 'fails', sure: false };
  if (may.some((lane) => isDefaultRoute(lane, step))) return { kind: 'goes to the master', sure: false };
  return must.length === 0 ? { kind: 'reaches nobody', sure: false } : undefined;
}

/** Whether the master's socket gets what was meant for another party. */
function isDefaultRoute(lane: Lane, { to }: SendStep): boolean {
  const forMaster = to.kind === 'master' || (to.kind === 'address' && to.address === MASTER);
  return !forMaster && parseLane(lane).accepted;
}

function messageOf(step: SendStep, { kind, sure, first, count, allowed }: Group): string {
  const one = step.count === 1 && sure;
  const from = first > 0 ? `, from message ${first + 1} on` : '';
  const why = reasonsOf(step, kind, allowed);
  return `${subject(step, count)}${sure ? '' : ' may'} ${phrase(step, kind, allowed, one)}${from}: ${why}`;
}

function phrase({ to }: SendStep, kind: Kind, { errors }: Allowed, one: boolean): string {
  if (kind === 'fails') return `${one ? 'fails' : 'fail'} with ${either([...errors])}`;
  if (kind === 'goes to the master') return `${one ? 'goes' : 'go'} to the master instead`;
  // Eavesdroppers get a copy all the same.
  if (to.kind === 'group') return `${one ? 'reaches' : 'reach'} no member of group "${to.name}"`;
  return `${one ? 'reaches' : 'reach'} ${to.kind === 'bus' ? 'no client that has joined' : 'nobody'}`;
}

/** The reasons of the outcomes that are reported; those of the others would explain what the report does not say. */
function reasonsOf(step: SendStep, kind: Kind, { possibilities, because }: Allowed): string {
  const isIt = (each: Possibility): boolean => {
    if (kind === 'reaches nobody') return 'lanes' in each;
    if (kind === 'fails') return 'error' in each;
    return 'lanes' in each && [...each.lanes, ...(each.may ?? [])].some((lane) => isDefaultRoute(lane, step));
  };
  const reasons = new Set(possibilities.filter(isIt).map((each) => each.because));
  return reasons.size === 0 ? because : [...reasons].join('; or ');
}

function subject(step: SendStep, count: number): string {
  if (step.count === 1) return 'this send';
  return count === step.count ? `all ${count} messages` : `${count} of ${step.count} messages`;
}

function hintOf(step: SendStep, { kind, sure, first, count, allowed }: Group): string {
  const { delivered, errors } = allowed;
  if (sure && kind === 'fails' && errors.length === 1 && first > 0 && first + count === step.count) {
    const before =
      first === 1
        ? 'Send the first one in a step of its own'
        : `Send the first ${first} in a step of their own`;
    return `${before}, and the others in a second step with expect: { error: ${errors[0]} }; or write expect: model.`;
  }
  if (!sure || count < step.count || (kind === 'fails' && errors.length > 1))
    return 'If any outcome that the model predicts is right, write expect: model.';
  const names = [...new Set((delivered?.must ?? []).map((lane) => parseLane(lane).agent))];
  const expect = kind === 'fails' ? `error: ${errors[0]}` : `recipients: [${names.join(', ')}]`;
  return `If that is meant, write expect: { ${expect} }.`;
}
