// SPDX-License-Identifier: MIT
/** What the bugs of a simulated kernel do at its hooks. */

import type { Message } from '../agent/system.ts';
import { DRIVER, envelopeIn, matches, type ReceivedMessage, uniqueName } from '../dbus/index.ts';
import type * as model from '../model/index.ts';
import type { Attempt, DbusCopy, Hooks, Strikes } from './bug.ts';

/** No message of a file has this serial. */
export const UNUSED_SERIAL = 0x7fff_fff0;

/** Stands for the number of a message that has none yet. */
const NOT_YET = -1;

/**
 * Fences are left alone: they prove that a step has ended, and without them the run would reach its deadline and prove
 * nothing.
 */
export const isMessage = (message: model.Message): boolean =>
  'data' in message && envelopeIn(message.data as Buffer)?.kind === 'message';

export const another = <C extends { uid: number; gid: number }>(c: C): C => ({
  ...c,
  uid: c.uid + 1,
  gid: c.gid + 1,
});

export const nowhere = (): model.Outcome => ({
  sent: 0,
  copies: [],
  lost: [],
  evicted: [],
  dropped: [],
  denied: [],
  because: 'a bug',
});

export const reading = (strikes: Strikes, wrong: (m: Message) => readonly Message[]): Hooks => ({
  read: (m, at) => (envelopeIn(m.data)?.kind === 'message' && strikes(at) ? wrong(m) : [m]),
});

export const withFds = (strikes: Strikes, wrong: (m: Message) => Message): Hooks => ({
  read: (m, at) => (m.fds.length > 0 && strikes(at) ? [wrong(m)] : [m]),
});

/** The message that replaces another one, whose descriptors are closed, since nobody will see them. */
export function closed(instead: Message, { fds }: Message): Message {
  for (const fd of fds) fd.close();
  return instead;
}

export function turned(m: Message): Message {
  const data = Buffer.from(m.data);
  const last = data.length - 1;
  data[last] = (data[last] as number) ^ 1;
  return { ...m, data };
}

/** Adds one more copy to a queue where none belongs. */
export function alsoTo(
  { go, kernel, socket, datagram }: Attempt,
  strikes: Strikes,
  fits: (client: model.Endpoint, outcome: model.Delivered) => boolean,
): model.Outcome {
  const outcome = go();
  if (!('sent' in outcome) || !isMessage(datagram)) return outcome;
  const sender = socket.endpoint;
  const others = Array.from(sender.bus.accepted, (accepted) => accepted.peer);
  const wrong = others.find((c) => c && c !== sender && !outcome.copies.includes(c) && fits(c, outcome));
  if (!wrong || !strikes(socket)) return outcome;
  kernel.push(wrong, datagram, sender, outcome.sent);
  return outcome;
}

/** Whether none of the client's rules but a later one wants the message; called for those who get it. */
export function wantedByAnotherOnly({
  message: { dbus },
  sender,
  recipient: { rules, bus },
}: model.Passing): boolean {
  const [first] = rules;
  if (dbus === undefined || first === undefined || sender.side === 'accepted') return false;
  const owns = (name: string) => bus.names.get(name) === sender;
  return !matches(first, dbus, { unique: uniqueName(sender.address), owns });
}

export const isSignal = ({ type, sender }: ReceivedMessage): boolean =>
  type === 'signal' && sender !== DRIVER;

export const invented = (m: DbusCopy, change: Partial<DbusCopy>): DbusCopy => ({
  ...{ ...m, serial: UNUSED_SERIAL, fds: [] },
  ...change,
});

/** Serials above those of the file belong to calls that agents make by themselves. */
export const isReply = ({ type, replySerial = 0 }: ReceivedMessage): boolean =>
  type === 'method_return' && replySerial < 0x8000_0000;

/**
 * A signal waits at one client until a signal of another sender has come. If it waited at all clients, they would
 * agree.
 */
export function turnedSignals(strikes: Strikes): Hooks {
  let client: object | undefined;
  let held: DbusCopy | undefined;
  return {
    dbus(m, at) {
      if (at !== (client ?? at)) return [m];
      const before = held;
      if (!before) {
        if (!isSignal(m) || !strikes(at)) return [m];
        [client, held] = [at, m];
        return [];
      }
      if (isSignal(m) && m.sender === before.sender) {
        held = m;
        return [before];
      }
      held = undefined;
      return isSignal(m) ? [m, before] : [before, m];
    },
  };
}

/** Swaps two neighbours in one reader's queue, with their numbers. If all readers saw the swap, they would agree. */
export function turnedPairs(strikes: Strikes): Hooks {
  const held = new Map<object, Message>();
  let reader: object | undefined;
  return {
    read(m, at) {
      const before = held.get(at);
      held.delete(at);
      if (before && before.from !== m.from && envelopeIn(m.data)?.kind === 'message') return [m, before];
      if (before) return [before, m];
      if ((reader ?? at) !== at || envelopeIn(m.data)?.kind !== 'message' || !strikes(at)) return [m];
      reader = at;
      held.set(at, m);
      return [];
    },
  };
}

/**
 * A message waits, although its send has returned, until the next one of the same sender, or on the same bus, was sent.
 */
export function behindTheNext(strikes: Strikes, among: (attempt: Attempt) => object): Hooks {
  const held = new Map<object, () => model.Outcome>();
  return {
    send(attempt) {
      const { go, datagram } = attempt;
      const before = held.get(among(attempt));
      if (before) {
        const outcome = go();
        held.delete(among(attempt));
        before();
        return outcome;
      }
      if (!isMessage(datagram) || !strikes(attempt.socket)) return go();
      held.set(among(attempt), go);
      return nowhere();
    },
  };
}

/** A multicast reaches one recipient now, and the others after the next message. */
export function earlyCopies(strikes: Strikes): Hooks {
  let held:
    | { readonly go: () => model.Outcome; readonly early: model.Endpoint; readonly datagram: model.Message }
    | undefined;
  return {
    drops: ({ message, recipient }) => message === held?.datagram && recipient === held.early,
    read: ({ sequence, ...m }) => [sequence === NOT_YET ? m : { ...m, ...(sequence && { sequence }) }],
    send({ go, kernel, socket, datagram }) {
      if (held) {
        const outcome = go();
        held.go();
        held = undefined;
        return outcome;
      }
      const sender = socket.endpoint;
      const early = [...sender.bus.joined].find((client) => client !== sender);
      if (!early || !isMessage(datagram) || !datagram.to?.endsWith('ffffffffffff') || !strikes(socket))
        return go();
      held = { go, early, datagram };
      kernel.push(early, datagram, sender, NOT_YET);
      return nowhere();
    },
  };
}
