// SPDX-License-Identifier: MIT
/** Turns a written send into a send step. */

import type { Path } from '../../common/diagnostic.ts';
import { rate } from '../../common/scalars.ts';
import { partyOf } from '../../topology/lane.ts';
import type { Destination, Sender, SendStep } from '../../topology/topology.ts';
import { bodyOf, checkLength, fdsOf } from './bodies.ts';
import { expectation } from './expectations.ts';
import { busOfParty, destination, party, sameBus, sender } from './parties.ts';
import type { PartyState } from './party-state.ts';
import type { Scope, WrittenSend, WrittenSendExpect } from './scope.ts';
import type { StepContext } from './step-context.ts';

export function resolveSend(
  where: StepContext,
  send: WrittenSend,
  expect: WrittenSendExpect | undefined,
  at: (key: string) => Path,
): SendStep | undefined {
  const { scope, parties, id, path } = where;
  const from = sender(scope, send.from, at('from'));
  const to = destination(scope, send.to, at('to'));
  const bus = from && busOfParty(scope, from);
  if (from === undefined || to === undefined || bus === undefined) {
    checkNames(scope, keysOf(expect).recipients ?? [], path);
    return undefined;
  }
  const apart = to.kind !== 'address' && !sameBus(scope, busOfParty(scope, to), bus, send.to, at('to'));
  if (apart) return undefined;
  checkSender(scope, parties, from, expect, at('from'));
  const gone = from.kind === 'master' && parties.master(bus)?.gone !== undefined;
  const who = from.kind === 'master' && !gone ? withVia(where, from, to, send.via, at('via')) : from;
  if (from.kind === 'client' && send.via !== undefined) refuseVia(scope, at('via'));
  const body = bodyOf(scope, send, bus, at);
  checkLength(scope, bus, body, keysOf(expect).error, at(send.size === undefined ? 'payload' : 'size'));
  const nonblocking = send.nonblocking ?? false;
  const count = send.count ?? 1;
  if (send.rate !== undefined && count === 1) idleRate(scope, at);
  const facts = { from: who, to, bus, as: send.as, fds: send.fds?.length ?? 0, count, nonblocking };
  return {
    kind: 'send',
    id,
    from: who,
    to,
    count,
    ...body,
    ...(send.rate === undefined ? {} : { rate: rate(send.rate) }),
    fds: fdsOf(scope, send, at),
    nonblocking,
    ...(send.as === undefined ? {} : { as: send.as }),
    expect: expectation(where, facts, expect),
    place: scope.tree.place(path),
  };
}

const keysOf = (expect: WrittenSendExpect | undefined) => (expect === 'model' ? {} : (expect ?? {}));

/** Checks the names of recipients if the send itself has mistakes. */
function checkNames(scope: Scope, recipients: readonly string[], path: Path): void {
  recipients.forEach((name, n) => {
    party(scope, name, [...path, 'expect', 'recipients', n]);
  });
}

/**
 * Reports the rate of one message. Many sends may take one from the defaults or from an anchor; a variable may be a larger
 * number.
 */
function idleRate({ tree, problems }: Scope, at: (key: string) => Path): void {
  const path = at('rate');
  if (path[0] === 'defaults' || tree.substituted(at('count')) !== undefined) return;
  const [rate, send] = [tree.place(path), tree.place(path.slice(0, -1))];
  if (rate.file !== send.file || rate.line < send.line) return;
  problems.warning(path, {
    code: 'vacuous',
    message: 'this rate has no effect: the send has one message',
    hint: 'Write how many: count: 100; or remove the rate.',
  });
}

type MasterSender = Extract<Sender, { kind: 'master' }>;

/** Reports a sender that has ended. An expelled client may send: it gets EPIPE. */
function checkSender(
  scope: Scope,
  parties: PartyState,
  from: Sender,
  expect: WrittenSendExpect | undefined,
  path: Path,
): void {
  const state = parties.party(from);
  const name = partyOf(from);
  if (state?.gone !== undefined) {
    const { how, line } = state.gone;
    const open = how === 'expelled' || how === 'disconnected';
    // The send fails, and the model knows the error.
    const { error, recipients } = keysOf(expect);
    if (open && (error !== undefined || recipients === undefined)) return;
    const message = `"${name}" was ${how === 'left' ? 'closed' : how} at line ${line} and cannot send`;
    const hint = open ? 'Expect the error: expect: { error: EPIPE }.' : 'Send before that step.';
    scope.problems.error(path, { code: 'impossible', message, hint });
  } else if (state?.paused !== undefined && !parties.concurrent) {
    const message = `"${name}" has been paused since line ${state.paused.line}: this step would never end`;
    const { node } = state.paused;
    const fault = node === undefined ? `resume: ${name}` : `resume-node: ${node}`;
    const hint = `Put - fault: { ${fault} } before it.`;
    scope.problems.error(path, { code: 'impossible', message, hint });
  }
}

/**
 * The accepted socket through which the master sends if the file names none. To one client it is that client's own
 * socket, since a client that has not joined can be reached by no other; else it is the socket of the first joined
 * client.
 */
function withVia(
  where: StepContext,
  from: MasterSender,
  to: Destination,
  via: string | undefined,
  path: Path,
): Sender {
  const { scope, parties } = where;
  if (via !== undefined) {
    const known = scope.names.find(via, ['client'], path) !== undefined;
    if (known) sameBus(scope, scope.clients.get(via)?.bus, from.bus, via, path);
    return { ...from, via: scope.incarnation(via) };
  }
  const there = parties.present(from.bus);
  const receiver = there.find((client) => to.kind === 'client' && client.name === to.name);
  const chosen = receiver ?? there.find((client) => client.joined) ?? there[0];
  if (chosen !== undefined) return { ...from, via: chosen.name };
  const message = `"${partyOf(from)}" has no client to send through`;
  if (!scope.problems.isBroken(['clients'])) scope.problems.error(path, { code: 'impossible', message });
  return from;
}

function refuseVia({ problems }: Scope, path: Path): void {
  const message = '`via` is for masters: a client has one socket only';
  problems.error(path, { code: 'impossible', message, hint: 'Remove `via`.', onKey: true });
}
