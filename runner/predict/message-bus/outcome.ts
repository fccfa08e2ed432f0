// SPDX-License-Identifier: MIT
/** How the bus, or the client that is called, answers a message. */
import { type Arg, DRIVER } from '../../dbus/index.ts';
import { type Answer, argsText, type DbusAction } from '../../topology/message-bus.ts';
import type { Back, DbusExpected } from './operation.ts';

export type Outcome = DbusExpected['outcome'];

const ERROR = 'org.freedesktop.DBus.Error.';

export const NOTHING: Outcome = { kind: 'reply', args: argsText([]) };
export const returns = (value: number): Outcome => ({
  kind: 'reply',
  args: argsText([{ type: 'u', value }]),
});
export const fails = (name: string): Outcome => ({ kind: 'error', name: `${ERROR}${name}` });

/** The bus's answer to a message for a name without an owner, even if the message is a signal. */
const unreached = (error: string): DbusExpected => ({ outcome: fails(error), by: DRIVER, recipients: [] });
export const UNKNOWN = unreached('ServiceUnknown');
/** The service has ended before its name had an owner. */
export const ENDED = unreached('Spawn.ChildExited');
/** The name had no owner in time. */
export const LATE = unreached('TimedOut');

/** A client without an answer for a method returns the arguments of the call, and its descriptors. */
export function answered(answer: Answer | undefined, sent: readonly Arg[]): Outcome {
  if (answer?.kind === 'error') return { kind: 'error', name: answer.name };
  return { kind: 'reply', args: argsText(answer?.args ?? sent) };
}

export const NO_FDS: Back = { fds: 0, are: 'new' };

export function backIn(answer: Answer | undefined, { fds }: DbusAction & { do: 'call' }): Back {
  if (answer === undefined) return { fds: fds.length, are: 'of the call' };
  return answer.kind === 'reply' ? { fds: answer.fds.length, are: 'new' } : NO_FDS;
}
