// SPDX-License-Identifier: MIT
/** The bugs that a simulated kernel can be told to have. They test the checks: each bug must be found by one check. */

import { ENVELOPE_SIZE } from '../common/envelope.ts';
import { InvalidInput } from '../common/errors.ts';
import { NO_REPLY_EXPECTED } from '../dbus/index.ts';
import * as model from '../model/index.ts';
import type { Bug, Hooks } from './bug.ts';
import {
  alsoTo,
  another,
  behindTheNext,
  closed,
  earlyCopies,
  invented,
  isMessage,
  isReply,
  isSignal,
  nowhere,
  reading,
  turned,
  turnedPairs,
  turnedSignals,
  UNUSED_SERIAL,
  wantedByAnotherOnly,
  withFds,
} from './bug-hooks.ts';
import { WriteEnd } from './files.ts';

export const BUGS = {
  lose: {
    does: 'a message is lost on its way out of a queue',
    check: 'recipients',
    hooks: (strikes) => reading(strikes, () => []),
  },
  partial: {
    does: 'a multicast leaves out one of its recipients',
    check: 'recipients',
    hooks: (strikes) => ({
      drops: (p) => p.multicast && !p.eavesdropped && isMessage(p.message) && strikes(p.sender),
    }),
  },
  'miss-eavesdrop': {
    does: 'an eavesdropper does not get its copy, and is not told',
    check: 'recipients',
    hooks: (strikes) => ({ drops: (p) => p.eavesdropped && isMessage(p.message) && strikes(p.recipient) }),
  },
  duplicate: {
    does: 'a reader gets a message twice',
    check: 'recipients',
    hooks: (strikes) => reading(strikes, (m) => [m, { ...m, fds: [] }]),
  },
  'ignore-join': {
    does: 'a client that is not admitted gets what goes to everybody else',
    check: 'recipients',
    hooks: (strikes) => ({
      send: (attempt) => alsoTo(attempt, strikes, (client) => !client.joined && !client.out),
    }),
  },
  'wrong-member': {
    does: 'a message to a group reaches a client that is in none',
    check: 'recipients',
    hooks: (strikes) => ({
      send: (attempt) =>
        attempt.datagram.to?.startsWith('0000') === false
          ? alsoTo(attempt, strikes, (client) => client.joined && client.addresses.size === 1)
          : attempt.go(),
    }),
  },
  'ignore-match': {
    does: 'a multicast reaches a client that has no match rule for it',
    check: 'recipients',
    hooks: (strikes) => ({
      send: (attempt) => alsoTo(attempt, strikes, (c, { denied }) => denied.includes(c)),
    }),
  },
  'lost-match': {
    does: 'only the first match rule of a client counts',
    check: 'recipients',
    hooks: (strikes) => ({
      drops: (p) => p.multicast && isMessage(p.message) && wantedByAnotherOnly(p) && strikes(p.recipient),
    }),
  },
  'lost-count': {
    does: 'a reader is told that it lost a copy which it did not lose',
    check: 'recipients',
    hooks: (strikes) => reading(strikes, (m) => [{ ...m, lost: (m.lost ?? 0) + 7 }]),
  },
  truncate: {
    does: 'the last byte of a message is cut off',
    check: 'integrity',
    hooks: (strikes) => reading(strikes, (m) => [{ ...m, data: m.data.subarray(0, -1) }]),
  },
  'hide-truncation': {
    does: 'a reader whose buffer is too small for a message is not told that it was truncated',
    check: 'integrity',
    hooks: (strikes) => ({ read: (m, at) => [m.truncated && strikes(at) ? { ...m, truncated: false } : m] }),
  },
  corrupt: {
    does: 'one bit of a message is flipped',
    check: 'integrity',
    hooks: (strikes) => reading(strikes, (m) => (m.data.length > ENVELOPE_SIZE ? [turned(m)] : [m])),
  },
  'wrong-sender': {
    does: 'a message shows the address of another sender',
    check: 'integrity',
    hooks: (strikes) => reading(strikes, (m) => [{ ...m, from: '0000/0000000000ff' }]),
  },
  'wrong-credentials': {
    does: 'a message shows another user as its sender',
    check: 'integrity',
    hooks: (strikes) =>
      reading(strikes, (m) => [m.credentials ? { ...m, credentials: another(m.credentials) } : m]),
  },
  'wrong-peer': {
    does: 'SO_PEERCRED of an accepted socket shows another user',
    check: 'integrity',
    hooks: (strikes) => ({
      peer: (credentials, { bus }) => (strikes(bus) ? another(credentials) : credentials),
    }),
  },
  'reuse-address': {
    does: 'a new client gets the address of prefix 0 that a former one had',
    check: 'integrity',
    hooks: (strikes) => ({
      address(bus) {
        const free = Array.from({ length: bus.lastClient }, (_, i) => i + 1).find(
          (n) => !bus.holders.has(model.clientAddress(n)),
        );
        return free !== undefined && strikes(bus) ? free : undefined;
      },
    }),
  },
  'lose-fd': {
    does: 'a message arrives without its descriptors',
    check: 'integrity',
    hooks: (strikes) => withFds(strikes, (m) => closed({ ...m, fds: [] }, m)),
  },
  'swap-fds': {
    does: 'the descriptors of a message arrive in the wrong order',
    check: 'integrity',
    hooks: (strikes) => withFds(strikes, (m) => ({ ...m, fds: m.fds.toReversed() })),
  },
  'wrong-fd': {
    does: 'a descriptor of a message arrives as one of another file',
    check: 'integrity',
    hooks: (strikes) => ({
      read: (m, at) => {
        if (m.fds.length === 0 || !strikes(at)) return [m];
        const { owner } = at;
        const elsewhere = new WriteEnd(owner.process);
        const fds = m.fds.map(() => {
          elsewhere.hold();
          const fd = owner.descriptors.adopt(elsewhere);
          return { fd, close: () => owner.descriptors.close(fd) };
        });
        return [closed({ ...m, fds }, m)];
      },
    }),
  },
  'leak-fd': {
    does: 'a descriptor stays open when its receiver has closed it',
    check: 'integrity',
    hooks: (strikes) =>
      withFds(strikes, (m) => ({ ...m, fds: m.fds.map(({ fd }) => ({ fd, close: () => {} })) })),
  },
  'hide-cut': {
    does: 'a reader without room for all descriptors of a message is not told that some are missing',
    check: 'integrity',
    hooks: (strikes) => ({
      read: (m, at) => [m.controlTruncated && strikes(at) ? { ...m, controlTruncated: false } : m],
    }),
  },
  'cut-short': {
    does: 'a reader gets fewer descriptors of a message than it has room for',
    check: 'integrity',
    hooks: (strikes) => withFds(strikes, (m) => closed({ ...m, fds: [], controlTruncated: true }, m)),
  },
  'wrong-errno': {
    does: 'a send that fails gives another errno',
    check: 'errors',
    hooks: (strikes) => ({
      send({ go, socket }) {
        const outcome = go();
        return 'error' in outcome && strikes(socket) ? { error: 'EINVAL', because: 'a bug' } : outcome;
      },
    }),
  },
  'deliver-though-failed': {
    does: 'a send that has delivered its message fails',
    check: 'errors',
    hooks: (strikes) => ({
      send({ go, datagram, socket }) {
        const outcome = go();
        const lies = 'sent' in outcome && isMessage(datagram) && strikes(socket);
        return lies ? { error: 'ENOBUFS', because: 'a bug' } : outcome;
      },
    }),
  },
  'succeed-though-full': {
    does: 'a nonblocking send that finds no room succeeds',
    check: 'errors',
    hooks: (strikes) => ({
      send({ go, nonblocking, socket }) {
        const outcome = go();
        return 'wait' in outcome && nonblocking && strikes(socket) ? nowhere() : outcome;
      },
    }),
  },
  'return-early': {
    does: 'a send returns before its message has its place in the order',
    check: 'order.total',
    hooks: (strikes) => behindTheNext(strikes, ({ socket }) => socket.endpoint.bus),
  },
  reorder: {
    does: 'one reader gets two messages of different senders in the wrong order',
    check: 'order.total',
    hooks: (strikes) => turnedPairs(strikes),
  },
  'sequence-inverted': {
    does: 'a message shows an earlier place in the sequence than it has',
    check: 'order.total',
    hooks: (strikes) => reading(strikes, (m) => [{ ...m, sequence: 1 }]),
  },
  overtake: {
    does: 'a message overtakes the one that its sender sent before it',
    check: 'order.fifo',
    hooks: (strikes) => behindTheNext(strikes, ({ socket }) => socket),
  },
  'copy-early': {
    does: 'one recipient gets its copy before the message has its place in the order',
    check: 'order.causal',
    hooks: (strikes) => earlyCopies(strikes),
  },
  'block-bystander': {
    does: 'while one sender waits, others wait too, wherever they send to',
    check: 'blocked',
    hooks: (strikes) => ({
      send({ go, kernel, socket }) {
        const full = kernel.fullForAnother(socket);
        return full && strikes(socket) ? { wait: [full], for: 'queue' } : go();
      },
    }),
  },
  'block-for-eavesdropper': {
    does: 'a full eavesdropper holds up senders',
    check: 'blocked',
    hooks: (strikes) => ({
      send({ go, socket, datagram }) {
        const full = [...socket.endpoint.bus.eavesdroppers].find(model.isFull);
        return full && isMessage(datagram) && strikes(socket) ? { wait: [full], for: 'queue' } : go();
      },
    }),
  },
  'never-block': {
    does: 'a send to a full recipient fails at once, although it should wait',
    check: 'errors',
    hooks: (strikes) => ({
      send({ go, socket }) {
        const outcome = go();
        return 'wait' in outcome && strikes(socket) ? { error: 'EAGAIN', because: 'a bug' } : outcome;
      },
    }),
  },
  'no-hangup': {
    does: 'an expelled client is off the bus, but its socket does not hang up',
    check: 'lifetime',
    hooks: (strikes) => ({
      expels(accepted) {
        const client = accepted.peer;
        if (!client || !strikes(client.bus)) return false;
        client.joined = false;
        client.bus.joined.delete(client);
        return true;
      },
    }),
  },
  'hide-departure': {
    does: 'the master is not told that a client has closed its socket',
    check: 'lifetime',
    hooks: (strikes) => ({ hidesClose: ({ side, bus }) => side === 'client' && strikes(bus) }),
  },
  'end-bystander': {
    does: 'the expulsion of one client ends the socket of another as well',
    check: 'lifetime',
    hooks: (strikes) => ({
      expels({ bus, peer }) {
        const other = [...bus.joined].find((client) => client !== peer);
        if (other?.peer && strikes(bus)) model.expel(other.peer);
        return false;
      },
    }),
  },
  leak: {
    does: 'a socket stays in the kernel after it was closed',
    check: 'kernel',
    hooks: (strikes) => ({ leaks: ({ bus }) => strikes(bus) }),
  },
  warn: {
    does: 'the kernel logs a warning about itself',
    check: 'kernel',
    hooks: (strikes) => ({
      send({ go, kernel, socket, datagram }) {
        if (isMessage(datagram) && strikes(socket))
          kernel.log.push({ level: 4, text: 'WARNING: CPU: 0 PID: 2 at af_bus.c:1 simulated' });
        return go();
      },
    }),
  },
  'lose-signal': {
    does: 'a client of a message bus does not get a signal that its rules want',
    check: 'dbus.signals',
    hooks: (strikes) => ({ dbus: (m, at) => (isSignal(m) && strikes(at) ? [] : [m]) }),
  },
  'double-signal': {
    does: 'a client of a message bus gets a signal twice',
    check: 'dbus.signals',
    hooks: (strikes) => ({ dbus: (m, at) => (isSignal(m) && strikes(at) ? [m, m] : [m]) }),
  },
  'alter-signal': {
    does: 'a signal arrives without its arguments',
    check: 'dbus.signals',
    hooks: (strikes) => ({
      dbus: (m, at) => [isSignal(m) && m.args.length > 0 && strikes(at) ? { ...m, args: [] } : m],
    }),
  },
  'double-reply': {
    does: 'a call is answered twice',
    check: 'dbus.replies',
    hooks: (strikes) => ({ dbus: (m, at) => (isReply(m) && strikes(at) ? [m, m] : [m]) }),
  },
  'wrong-reply': {
    does: 'a call is answered with an error instead of its reply',
    check: 'dbus.replies',
    hooks: (strikes) => ({
      dbus: (m, at) => [
        isReply(m) && strikes(at) ? { ...m, type: 'error', errorName: 'org.example.Broken' } : m,
      ],
    }),
  },
  'invent-call': {
    does: 'a client of a message bus gets a call that nobody has made',
    check: 'dbus.replies',
    hooks: (strikes) => ({
      dbus: (m, at) =>
        isSignal(m) && strikes(at)
          ? [m, invented(m, { type: 'method_call', flags: NO_REPLY_EXPECTED })]
          : [m],
    }),
  },
  'invent-answer': {
    does: 'a client of a message bus gets an answer to a call that it has not made',
    check: 'dbus.replies',
    hooks: (strikes) => ({
      dbus: (m, at) =>
        isSignal(m) && strikes(at)
          ? [m, invented(m, { type: 'method_return', replySerial: UNUSED_SERIAL })]
          : [m],
    }),
  },
  'answer-agent-twice': {
    does: 'a call that an agent makes by itself is answered twice',
    check: 'dbus.replies',
    hooks: (strikes) => ({
      dbus: (m, at) => (m.type === 'method_return' && !isReply(m) && strikes(at) ? [m, m] : [m]),
    }),
  },
  'invent-signal': {
    does: 'a client of a message bus gets a signal that nobody has sent',
    check: 'dbus.signals',
    hooks: (strikes) => ({ dbus: (m, at) => (isSignal(m) && strikes(at) ? [m, invented(m, {})] : [m]) }),
  },
  'silent-change': {
    does: 'a client is not told that a name has a new owner, although it has a rule for that',
    check: 'dbus.names',
    hooks: (strikes) => ({ dbus: (m, at) => (m.member === 'NameOwnerChanged' && strikes(at) ? [] : [m]) }),
  },
  'keep-sleeper': {
    does: 'a message bus does not cut off a client that is paused for too long',
    check: 'dbus.lifetime',
    hooks: (strikes) => ({ keepsSleeper: strikes }),
  },
  'forget-sleeper': {
    does: 'a client that a message bus cuts off does not get what waited for it',
    check: 'dbus.signals',
    hooks: (strikes) => ({ forgetsSleeper: strikes }),
  },
  'forget-start': {
    does: 'a message bus does not start a service',
    check: 'dbus.replies',
    hooks: (strikes) => ({ forgetsStart: strikes }),
  },
  'lose-dbus-fd': {
    does: 'a message of a client of a message bus comes without its descriptors',
    check: 'dbus.fds',
    hooks: (strikes) => ({ dbus: (m, at) => [m.fds.length > 0 && strikes(at) ? { ...m, fds: [] } : m] }),
  },
  'swap-dbus-fds': {
    does: 'descriptors of a message on a message bus have changed places',
    check: 'dbus.fds',
    hooks: (strikes) => ({
      dbus: (m, at) => [m.fds.length > 1 && strikes(at) ? { ...m, fds: m.fds.toReversed() } : m],
    }),
  },
  'keep-dbus-fd': {
    does: 'a message bus does not close a descriptor that it has passed on',
    check: 'dbus.fds',
    hooks: (strikes) => ({
      dbus(m, at) {
        if (strikes(at)) for (const end of m.fds) end.hold();
        return [m];
      },
    }),
  },
  'turned-signals': {
    does: 'two clients get two signals in different orders',
    check: 'dbus.order',
    hooks: turnedSignals,
  },
} as const satisfies Record<string, Bug>;

export type BugName = keyof typeof BUGS;

/** The value of `--sim-bug`, parsed. */
export interface ToldBug {
  readonly name: BugName;
  /** Errs at every n-th opportunity of a socket or bus. */
  readonly every: number;
}

/** Parses `lose`, or `lose=3` for every third opportunity at each socket. Throws InvalidInput. */
export function parseBug(text: string): ToldBug {
  const [name = '', times = '1'] = text.split('=');
  if (Object.hasOwn(BUGS, name) && /^[1-9]\d{0,5}$/.test(times))
    return { name: name as BugName, every: Number(times) };
  throw new InvalidInput(
    `the simulated bus has no bug "${text}"`,
    'write one of these names, or NAME=3 to show it at every third opportunity only',
    { lines: Object.entries(BUGS).map(([known, { does }]) => `${known}: ${does}`) },
  );
}

/** New hooks, with their own counts. */
export function hooksOf({ name, every }: ToldBug): Hooks {
  const opportunities = new WeakMap<object, number>();
  return BUGS[name].hooks((at) => {
    const nth = (opportunities.get(at) ?? 0) + 1;
    opportunities.set(at, nth);
    return nth % every === 0;
  });
}
