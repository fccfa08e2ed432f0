// SPDX-License-Identifier: MIT
/**
 * `dbus.fds`: each descriptor came with every copy of its message, at its place, and works: the sender of the
 * message has read the names of exactly those that got it, and then end of file.
 */
import { plural } from '../../common/text.ts';
import type { Operation } from '../../plan/plan.ts';
import { flat } from '../../topology/steps.ts';
import type { PipeEvent } from '../../trace/trace.ts';
import { Findings } from '../findings.ts';
import type { CheckResult } from '../verdict.ts';

import { about, type BusFacts, receiversText } from './facts.ts';

const KINDS = ['fds', 'token', 'stray-token', 'no-eof', 'no-pipe'];

/** A client that got a message, or the answer to it, and how many descriptors came with that. */
interface Holder {
  readonly client: string;
  readonly fds: number;
  readonly isAnswer: boolean;
}

/** Descriptors that a client has made for a message, or for the answer to it. */
interface Passed {
  readonly operation: Operation;
  readonly by: string;
  readonly count: number;
  readonly holders: readonly Holder[];
  /** Whether they are those of the answer. */
  readonly isAnswer: boolean;
}

export function fds(facts: BusFacts): CheckResult[] {
  const carrying = facts.operations.filter((operation) => operation.fds + operation.back.fds > 0);
  const findings = new Findings('dbus.fds', KINDS);
  // A message may bring descriptors although the file passes none.
  const holders = holdersIn(facts, findings);
  if (carrying.length === 0 && !findings.any) return [];
  const reports = new Map(facts.trace.pipes.map((pipe) => [keyOf(pipe), pipe]));
  const killed = killedIn(facts);
  let checked = 0;
  for (const operation of carrying) {
    // A sender that could not send has nothing to read; one that was killed has read nothing.
    if (facts.sent.get(operation.number) !== undefined) continue;
    for (const passed of passedWith(operation, holders.get(operation.number) ?? []))
      if (!killed.has(passed.by)) checked += judge(facts, findings, passed, reports);
  }
  const reason =
    checked === 0 ? 'each client that could read what was written into a descriptor had ended' : undefined;
  return [findings.result(checked, plural(checked, 'descriptor'), reason)];
}

interface Key extends Pick<PipeEvent, 'agent' | 'message' | 'index'> {
  readonly answer?: boolean;
}

/** A client that calls itself makes the descriptors of the call and those of the answer. */
const keyOf = ({ agent, message, index, answer = false }: Key): string =>
  `${agent} ${message} ${index} ${answer}`;

/** Number of the message → who got it or its answer, with how many descriptors; reports a wrong number of them. */
function holdersIn(facts: BusFacts, findings: Findings): Map<number, Holder[]> {
  const holders = new Map<number, Holder[]>();
  for (const [client, log] of facts.logs) {
    for (const { got, operation } of log) {
      const isAnswer = operation === undefined;
      const its = operation ?? facts.operations[(got.replySerial ?? 0) - 1];
      const holder = { client, isAnswer, fds: got.fds ?? 0 };
      if (its === undefined || (isAnswer && its.client !== client)) {
        if (holder.fds > 0 && !facts.mayBeProgram(got.sender, client)) miscounted(findings, holder, 0);
        continue;
      }
      const due = isAnswer ? its.back.fds : its.fds;
      if (holder.fds !== due) miscounted(findings, holder, due, its);
      holders.set(its.number, [...(holders.get(its.number) ?? []), holder]);
    }
  }
  return holders;
}

function passedWith(operation: Operation, holders: readonly Holder[]): Passed[] {
  const { client, fds: count, back, modelled } = operation;
  const [own, answered] = [holders.filter((each) => !each.isAnswer), holders.filter((each) => each.isAnswer)];
  const sent = { operation, by: client, count, holders: back.are === 'new' ? own : holders, isAnswer: false };
  if (back.are !== 'new' || modelled.by === undefined) return [sent];
  return [sent, { operation, by: modelled.by, count: back.fds, holders: answered, isAnswer: true }];
}

/** Returns how many of the descriptors are known. */
function judge(
  { cut }: BusFacts,
  findings: Findings,
  { operation, by, count, holders, isAnswer }: Passed,
  reports: ReadonlyMap<string, PipeEvent>,
): number {
  let known = 0;
  for (let index = 0; index < count; index++) {
    const pipe = reports.get(keyOf({ agent: by, message: operation.number + 1, index, answer: isAnswer }));
    if (pipe !== undefined) {
      known++;
      judgePipe(findings, operation, pipe, holders);
    } else if (!cut) unreported(findings, operation);
  }
  return known;
}

function judgePipe(
  findings: Findings,
  operation: Operation,
  { tokens, eof, index }: PipeEvent,
  holders: readonly Holder[],
): void {
  const due = [...new Set(holders.filter(({ fds }) => fds > index).map(({ client }) => client))];
  const add = (kind: string, summary: string, expected: string, observed: string) =>
    findings.add(kind, operation.step, () => ({ summary, expected, observed, ...about(operation) }));
  const [wanted, written] = [receiversText(due), receiversText([...new Set(tokens)])];
  const absent = due.filter((client) => !tokens.includes(client));
  const stray = tokens.filter((name) => !due.includes(name));
  if (absent.length > 0)
    add('token', `descriptor ${index} did not work for ${receiversText(absent)}`, wanted, written);
  if (stray.length > 0)
    add('stray-token', `descriptor ${index} was used by ${receiversText(stray)}`, wanted, written);
  if (!eof)
    add(
      'no-eof',
      `descriptor ${index} is still open, although all that got it have closed it`,
      'end of file',
      'none',
    );
}

/** Without an operation it is a message of the bus itself, or one that no order sent: it brings none. */
function miscounted(
  findings: Findings,
  { client, fds, isAnswer }: Holder,
  due: number,
  operation?: Operation,
): void {
  const what = isAnswer && operation !== undefined ? 'an answer' : 'a message';
  findings.add('fds', operation?.step, () => ({
    summary: `${client} got ${what} with the wrong number of descriptors`,
    expected: String(due),
    observed: String(fds),
    ...(operation && about(operation)),
  }));
}

function unreported(findings: Findings, operation: Operation): void {
  findings.add('no-pipe', operation.step, () => ({
    summary: 'nothing is known about a descriptor',
    expected: 'what was written into it, and its end',
    observed: 'no report',
    ...about(operation),
  }));
}

function killedIn({ plan }: BusFacts): Set<string> {
  const killed = new Set<string>();
  for (const step of flat(plan.topology.steps))
    if (step.kind === 'dbus' && step.action.do === 'kill') killed.add(step.action.client);
  return killed;
}
