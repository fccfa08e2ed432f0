// SPDX-License-Identifier: MIT
/** What is expected of a message: the file decides, and the model where the file is silent. */
import { argsText, type DbusAction, type DbusExpect } from '../../topology/message-bus.ts';
import type { DbusExpected } from './operation.ts';
import { returns } from './outcome.ts';
import { codeOf, isAsking, resultText } from './results.ts';

/** What the file says goes first. It does not say whether there is room for a signal to a client that is cut off. */
export function written(
  action: DbusAction,
  expect: DbusExpect,
  modelled: DbusExpected,
  asleep: readonly string[],
): DbusExpected {
  const { error, reply, result, by, recipients = modelled.recipients } = expect;
  const outcome =
    (error !== undefined && ({ kind: 'error', name: error } as const)) ||
    (reply !== undefined && ({ kind: 'reply', args: argsText(reply) } as const)) ||
    (result !== undefined && returns(codeOf(action, result))) ||
    modelled.outcome;
  // An error that the model does not predict may come from anybody.
  const who = by ?? (error === undefined || modelled.outcome.kind === 'error' ? modelled.by : undefined);
  const known = modelled.recipients.filter((name) => recipients.includes(name) || asleep.includes(name));
  const may = modelled.may?.filter((name) => !recipients.includes(name)) ?? [];
  return {
    outcome,
    ...(who !== undefined && { by: who }),
    recipients: [...new Set([...known, ...recipients])],
    ...(may.length > 0 && { may }),
  };
}

/** What must come of all messages of a step. */
export function expectedOf(all: readonly DbusExpected[]): DbusExpected | undefined {
  const [first] = all;
  if (first === undefined || all.length === 1) return first;
  const recipients = first.recipients.filter((name) => all.every((each) => each.recipients.includes(name)));
  const others = new Set(all.flatMap((each) => [...each.recipients, ...(each.may ?? [])]));
  const may = [...others].filter((name) => !recipients.includes(name));
  const { outcome, by } = first;
  return { outcome, ...(by !== undefined && { by }), recipients, ...(may.length > 0 && { may }) };
}

/** What must come of an action, in words. */
export function expectedText(
  action: DbusAction,
  { outcome, by, recipients, may = [] }: DbusExpected,
): string {
  if (outcome.kind === 'error') return outcome.name;
  if (outcome.kind === 'sent')
    return [...recipients, ...may.map((name) => `perhaps ${name}`)].join(', ') || 'nobody';
  if (isAsking(action.do)) return resultText(action.do, outcome.args);
  return action.do === 'call' ? `${by ?? 'anybody'} answers ${outcome.args}` : 'done';
}
