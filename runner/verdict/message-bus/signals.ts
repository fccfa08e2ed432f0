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

const KINDS = ['lost', 'extra', 'duplicated', 'invented', 'altered', 'unsent'];

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
  const extra = got.filter((name) => !wanted.has(name));
  const twice = got.filter((name, n) => wanted.has(name) && got.indexOf(name) < n);
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
