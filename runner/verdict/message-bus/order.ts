// SPDX-License-Identifier: MIT
/**
 * `dbus.order`: one order of all signals explains what every client got, including signals of the bus itself. It agrees
 * with the order in which each client sent its messages, including calls, and with the order of the steps.
 */
import { plural } from '../../common/text.ts';
import { DRIVER } from '../../dbus/index.ts';
import type { Operation } from '../../plan/plan.ts';
import { areConcurrent, type Visit, walk } from '../../topology/steps.ts';
import { Findings } from '../findings.ts';
import type { CheckResult } from '../verdict.ts';
import { about, type BusFacts, type Copy } from './facts.ts';

/** A message for many has the same sender and serial at each recipient. */
const keyOf = ({ bus, got: { sender, serial } }: Copy): string => `${bus} ${sender} ${serial}`;

export function order(facts: BusFacts): CheckResult {
  const findings = new Findings('dbus.order', ['sender', 'steps', 'contradiction']);
  const logs = new Map(Array.from(facts.logs, ([client, log]) => [client, firsts(log)]));
  const visits = new Map(Array.from(walk(facts.plan.topology.steps), (visit) => [visit.step.id, visit]));
  let pairs = 0;
  for (const [client, log] of logs) {
    pairs += Math.max(0, log.length - 1);
    ownOrder(facts, findings, visits, client, log);
  }
  if (!findings.any && hasCycle([...logs.values()])) contradiction(facts, findings, logs);
  return findings.result(
    pairs,
    plural(pairs, 'neighbour'),
    pairs === 0 ? 'nobody got two messages' : undefined,
  );
}

/** Signals, and calls of clients, without second copies, which are no matter of order. */
function firsts(log: readonly Copy[]): Copy[] {
  const seen = new Set<string>();
  return log.filter((copy) => {
    const isNew = (copy.got.type === 'signal' || copy.operation !== undefined) && !seen.has(keyOf(copy));
    seen.add(keyOf(copy));
    return isNew;
  });
}

/** Checks the order of steps, and of each client's own messages, except between two branches. */
function ownOrder(
  { plan }: BusFacts,
  findings: Findings,
  visits: ReadonlyMap<string, Visit>,
  client: string,
  log: readonly Copy[],
): void {
  /** Sender → its latest message in each step. */
  const latest = new Map<string, Map<string, Operation>>();
  const announced = plan.operations?.heard.get(client)?.values();
  let top = -1;
  for (const { operation, got } of log) {
    if (operation === undefined) {
      // For a signal of the bus itself, `dbus.names` knows which comes next.
      const due = got.sender === DRIVER ? announced?.next().value : undefined;
      if (due !== undefined && due.top < top)
        findings.add('steps', undefined, () => ({
          summary: `${client} was told ${due.text} after a message of a later step`,
          expected: `before what step ${top + 1} sends`,
          observed: 'after it',
        }));
      top = Math.max(top, due?.since ?? top);
      continue;
    }
    const { step = '', number } = operation;
    const own = latest.get(operation.client) ?? new Map<string, Operation>();
    latest.set(operation.client, own);
    const later = [...own.values()].find(
      (other) => other.number > number && !areInBranches(visits.get(other.step ?? ''), visits.get(step)),
    );
    const say = (kind: string, than: string) =>
      findings.add(kind, step, () => ({
        summary: `${client} got a message after a later one`,
        expected: `before ${than}`,
        observed: `after it`,
        ...about(operation),
      }));
    if (later !== undefined) say('sender', plan.operations?.list[later.number]?.name ?? '');
    else if (operation.top < top) say('steps', `what step ${top + 1} sends`);
    if (number > (own.get(step)?.number ?? -1)) own.set(step, operation);
    top = Math.max(top, operation.top);
  }
}

const areInBranches = (one: Visit | undefined, other: Visit | undefined): boolean =>
  one !== undefined && other !== undefined && areConcurrent(one, other);

/**
 * Whether the logs contradict each other. Neighbours in a log are edges; messages without a predecessor are removed
 * until none is left.
 */
function hasCycle(logs: readonly (readonly Copy[])[]): boolean {
  const after = new Map<string, Set<string>>();
  const before = new Map<string, number>();
  for (const log of logs) {
    for (const [n, copy] of log.entries()) {
      const key = keyOf(copy);
      if (!before.has(key)) before.set(key, 0);
      const next = log[n + 1];
      if (next === undefined) continue;
      const followers = after.get(key) ?? new Set();
      after.set(key, followers);
      if (followers.has(keyOf(next))) continue;
      followers.add(keyOf(next));
      before.set(keyOf(next), (before.get(keyOf(next)) ?? 0) + 1);
    }
  }
  const free = [...before].filter(([, count]) => count === 0).map(([key]) => key);
  for (const key of free) {
    for (const next of after.get(key) ?? []) {
      const left = (before.get(next) ?? 0) - 1;
      before.set(next, left);
      if (left === 0) free.push(next);
    }
  }
  return free.length < before.size;
}

/** Two clients that got two messages in different orders, if there are any; a longer cycle is reported as one. */
function contradiction(
  facts: BusFacts,
  findings: Findings,
  logs: ReadonlyMap<string, readonly Copy[]>,
): void {
  for (const [one, log] of logs) {
    for (const [other, others] of logs) {
      const places = new Map(others.map((copy, n) => [keyOf(copy), n]));
      const common = log.filter((copy) => places.has(keyOf(copy)));
      const place = (copy: Copy | undefined) => (copy ? (places.get(keyOf(copy)) ?? 0) : 0);
      const at = common.findIndex((copy, n) => n > 0 && place(copy) < place(common[n - 1]));
      const [first, second] = [common[at - 1], common[at]];
      if (at < 1 || !first || !second) continue;
      const [early, late] = [nameOf(facts, first), nameOf(facts, second)];
      const operation = second.operation ?? first.operation;
      findings.add('contradiction', operation?.step, () => ({
        summary: `${one} and ${other} got two signals in different orders`,
        expected: `${one}: ${early}, then ${late}`,
        observed: `${other}: ${late}, then ${early}`,
        ...(operation && about(operation)),
      }));
      return;
    }
  }
  findings.add('contradiction', undefined, () => ({
    summary: 'the orders in which clients got signals contradict each other',
    expected: 'one order that all follow',
    observed: 'none: of three clients or more, each got one signal before another in a circle',
  }));
}

function nameOf({ nameOf: name }: BusFacts, { got, operation, client }: Copy): string {
  if (operation) return operation.name;
  return got.sender === DRIVER
    ? `${got.member} ${got.texts.map((text) => name(text, client)).join(' ')}`
    : `${got.member}`;
}
