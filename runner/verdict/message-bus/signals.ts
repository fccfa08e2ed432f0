// SPDX-License-Identifier: MIT
/** `dbus.signals`: each signal reached exactly the clients that want it, once each, as it was sent. */

import { count, plural } from '../../common/text.ts';
import { DRIVER } from '../../dbus/index.ts';
import type { Operation } from '../../plan/plan.ts';
import { Findings } from '../findings.ts';
import type { CheckResult } from '../verdict.ts';
import {
  about,
  type BusFacts,
  type Copy,
  contentText,
  isAsSent,
  receiversText,
  saidText,
  sentText,
} from './facts.ts';

const KINDS = ['lost', 'gap', 'extra', 'duplicated', 'invented', 'altered', 'unsent'];

export function signals(facts: BusFacts): CheckResult {
  const findings = new Findings('dbus.signals', KINDS);
  const receivers = new Map<Operation, string[]>();
  for (const log of facts.logs.values()) {
    for (const copy of log) {
      if (copy.got.type !== 'signal' || copy.got.sender === DRIVER) continue;
      if (copy.operation === undefined) invented(findings, copy);
      else judgeCopy(findings, copy, copy.operation, receivers);
    }
  }
  const all = facts.operations.filter(({ message }) => message.type === 'signal');
  for (const operation of all) judge(facts, findings, operation, receivers.get(operation) ?? []);
  gaps(findings, all, receivers);
  const copies = all.reduce((sum, { expected }) => sum + expected.recipients.length, 0);
  const unit = `${plural(copies, 'copy', 'copies')} of ${count(all.length, 'signal')}`;
  return findings.result(copies, unit, all.length === 0 ? 'nobody was to send a signal' : undefined);
}

function judge(facts: BusFacts, findings: Findings, operation: Operation, got: readonly string[]): void {
  const { expected, step } = operation;
  const error = facts.sent.get(operation.number);
  if (error !== undefined || !facts.sent.has(operation.number)) {
    if (!facts.cut)
      findings.add('unsent', step, () => ({
        summary: `${operation.client} could not send a signal`,
        expected: 'success',
        observed: error ?? 'no send was recorded',
        ...about(operation),
      }));
    return;
  }
  const wanted = new Set(expected.recipients);
  const lost = facts.cut ? [] : expected.recipients.filter((name) => !got.includes(name));
  const may = new Set(expected.may);
  const extra = got.filter((name) => !wanted.has(name) && !may.has(name));
  const twice = got.filter((name, n) => !extra.includes(name) && got.indexOf(name) < n);
  const compared = {
    expected: receiversText(expected.recipients),
    observed: receiversText(got),
    ...about(operation),
  };
  const say = (kind: string, names: readonly string[], what: string) => {
    if (names.length > 0)
      findings.add(kind, step, () => ({ summary: `${receiversText(names)} ${what}`, ...compared }));
  };
  say('lost', lost, 'did not get a signal');
  say('extra', extra, 'got a signal that is not for it');
  say('duplicated', twice, 'got a signal more than once');
}

/** A client that the bus cuts off misses all signals from one on. Branches have no order among themselves. */
function gaps(
  findings: Findings,
  all: readonly Operation[],
  receivers: ReadonlyMap<Operation, readonly string[]>,
): void {
  /** Client → the first signal of each step that it missed. */
  const missed = new Map<string, Map<string, Operation>>();
  for (const operation of all) {
    const { step = '', top } = operation;
    for (const client of operation.expected.may ?? []) {
      const firsts = missed.get(client) ?? new Map<string, Operation>();
      missed.set(client, firsts);
      const before = [...firsts.values()].find((each) => each.step === step || each.top < top);
      const got = receivers.get(operation)?.includes(client);
      if (!got && !firsts.has(step)) firsts.set(step, operation);
      if (!got || before === undefined) continue;
      findings.add('gap', step, () => ({
        summary: `${client} got a signal after one that it missed`,
        expected: `nothing after ${before.name}`,
        observed: operation.name,
        ...about(operation),
      }));
    }
  }
}

function judgeCopy(
  findings: Findings,
  { client, got }: Copy,
  operation: Operation,
  receivers: Map<Operation, string[]>,
): void {
  const { step } = operation;
  const known = receivers.get(operation) ?? [];
  known.push(client);
  receivers.set(operation, known);
  if (isAsSent(operation, got)) return;
  findings.add('altered', step, () => ({
    summary: `${client} got a signal that differs from the one that was sent`,
    expected: sentText(operation),
    observed: saidText(got),
    ...about(operation),
  }));
}

function invented(findings: Findings, { client, got }: Copy): void {
  findings.add('invented', undefined, () => ({
    summary: `${client} got a signal that nobody was to send`,
    expected: 'no such signal',
    observed: `${contentText(got)} from ${got.sender}`,
  }));
}
