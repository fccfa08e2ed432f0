// SPDX-License-Identifier: MIT
/**
 * `dbus.replies`: each call reached its client once, and got one answer, the expected one; nobody got a call or an
 * answer that nobody has sent.
 */
import { plural } from '../../common/text.ts';
import { type DbusExpected, isAnswered, type Operation } from '../../plan/plan.ts';
import { Findings } from '../findings.ts';
import type { CheckResult } from '../verdict.ts';
import {
  about,
  type BusFacts,
  type Copy,
  type Got,
  isAnswer,
  isAsSent,
  receiversText,
  saidText,
  sentText,
} from './facts.ts';

const KINDS = [
  'no-reply',
  'answered-twice',
  'wrong-answer',
  'wrong-answerer',
  'wrong-callee',
  'altered',
  'invented',
  'unsent',
];

export function replies(facts: BusFacts): CheckResult {
  const findings = new Findings('dbus.replies', KINDS);
  const calls = facts.operations.filter(isAnswered);
  const answers = answersIn(facts, findings, new Set(calls.map(({ number }) => number)));
  const callees = calleesIn(facts);
  inventedCalls(facts, findings);
  for (const call of calls) judge(facts, findings, call, answers.get(call.number) ?? [], callees);
  const unit = plural(calls.length, 'call');
  return findings.result(calls.length, unit, calls.length === 0 ? 'nobody was to call anything' : undefined);
}

/** Number of the call → its answers. */
function answersIn(facts: BusFacts, findings: Findings, calls: ReadonlySet<number>): Map<number, Got[]> {
  const answers = new Map<number, Got[]>();
  for (const [client, log] of facts.logs) {
    for (const { got } of log) {
      if (!isAnswer(got)) continue;
      const number = (got.replySerial ?? 0) - 1;
      if (calls.has(number) && facts.operations[number]?.client === client)
        answers.set(number, [...(answers.get(number) ?? []), got]);
      else
        findings.add('invented', undefined, () => ({
          summary: `${client} got an answer to a call that it has not made`,
          expected: 'no such answer',
          observed: answerText(got),
        }));
    }
  }
  return answers;
}

/** What is no signal, no answer and no call of the file comes from a program, or from nobody. */
function inventedCalls(facts: BusFacts, findings: Findings): void {
  for (const [client, log] of facts.logs) {
    for (const { got, operation } of log) {
      if (operation !== undefined || got.type === 'signal' || isAnswer(got)) continue;
      if (got.type === 'method_call' && facts.mayBeProgram(got.sender, client)) continue;
      const what = got.type === 'method_call' ? 'a call that nobody was to make' : 'an answer to no call';
      findings.add('invented', undefined, () => ({
        summary: `${client} got ${what}`,
        expected: 'no such message',
        observed: `${saidText(got)} from ${facts.nameOf(got.sender, client)}`,
      }));
    }
  }
}

/** Call → the copies that clients got. */
function calleesIn(facts: BusFacts): Map<Operation, Copy[]> {
  const callees = new Map<Operation, Copy[]>();
  for (const log of facts.logs.values())
    for (const copy of log)
      if (copy.got.type === 'method_call' && copy.operation)
        callees.set(copy.operation, [...(callees.get(copy.operation) ?? []), copy]);
  return callees;
}

function judge(
  facts: BusFacts,
  findings: Findings,
  call: Operation,
  answers: readonly Got[],
  callees: ReadonlyMap<Operation, readonly Copy[]>,
): void {
  const { expected, client } = call;
  const [answer, ...more] = answers;
  const add = adder(findings, call);
  const error = facts.sent.get(call.number);
  if (error !== undefined || !facts.sent.has(call.number)) {
    if (error !== undefined || !facts.cut)
      add('unsent', `${client} could not send a call`, 'success', error ?? 'no send was recorded');
    return;
  }
  const wanted = outcomeText(expected);
  if (answer === undefined) {
    if (!facts.cut) add('no-reply', `${client} got no answer to its call`, wanted, 'no answer');
    return;
  }
  if (more.length > 0)
    add(
      'answered-twice',
      `${client} got more than one answer to a call`,
      wanted,
      answers.map(answerText).join('; '),
    );
  const by = facts.nameOf(answer.sender, client);
  if (outcomeText(outcomeOf(answer)) !== wanted)
    add('wrong-answer', `${client} got a wrong answer to its call`, wanted, answerText(answer));
  else if (expected.by !== undefined && expected.by !== by && !(facts.cut && by === answer.sender))
    add(
      'wrong-answerer',
      `${by} answered a call of ${client}`,
      `an answer of ${expected.by}`,
      `one of ${by}`,
    );
  if (call.message.type !== 'signal') judgeCallees(facts, findings, call, callees.get(call) ?? []);
}

/** Who got an answered call, and what of it. */
function judgeCallees(facts: BusFacts, findings: Findings, call: Operation, copies: readonly Copy[]): void {
  const add = adder(findings, call);
  for (const { client: callee, got } of copies)
    if (!isAsSent(call, got))
      add(
        'altered',
        `${callee} got a call that differs from the one that was made`,
        sentText(call),
        saidText(got),
      );
  const got = copies.map(({ client: callee }) => callee).toSorted();
  const due = call.expected.recipients.toSorted();
  // The caller may have got the answer before the report of the client that gave it has come.
  if (facts.cut && isPartOf(got, due)) return;
  if (got.join() !== due.join())
    add(
      'wrong-callee',
      `a call by ${call.client} reached the wrong clients`,
      receiversText(due),
      receiversText(got),
    );
}

const adder =
  (findings: Findings, call: Operation) =>
  (kind: string, summary: string, expected: string, observed: string): void =>
    findings.add(kind, call.step, () => ({ summary, expected, observed, ...about(call) }));

/** Whether `all` contains each of `some` at least as often. */
function isPartOf(some: readonly string[], all: readonly string[]): boolean {
  const left = [...all];
  return some.every((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

const outcomeOf = ({ type, errorName = '', args }: Got): Pick<DbusExpected, 'outcome'> => ({
  outcome: type === 'error' ? { kind: 'error', name: errorName } : { kind: 'reply', args },
});

function outcomeText({ outcome }: Pick<DbusExpected, 'outcome'>): string {
  if (outcome.kind === 'error') return `the error ${outcome.name}`;
  return outcome.kind === 'reply' ? `the reply ${outcome.args}` : 'no answer';
}

const answerText = (got: Got): string =>
  `${outcomeText(outcomeOf(got))}${got.type === 'error' && got.args !== '()' ? ` (${got.args})` : ''}`;
