// SPDX-License-Identifier: MIT
/**
 * The path of a message: check, route, filter, admit, commit (sections 3 and 4). All of it has one place in the
 * sequence.
 */
import { MASTER } from '../common/address.ts';
import { commit } from './commit.ts';
import { reasonOf } from './nfdbus.ts';
import { hasBudget, isFull, mustReadFirst, takeError } from './queue.ts';
import { type Failure, type Route, route } from './route.ts';
import type { Endpoint, Message, Outcome, Waiting } from './types.ts';

export function send(from: Endpoint, message: Message): Outcome {
  const refused = check(from, message);
  if (refused) return refused;
  if (!hasBudget(from)) return { wait: [from], for: 'send-buffer' };
  const found = route(from, message);
  if ('error' in found) return found;
  const passed = filter(from, message, found);
  if ('error' in passed) return passed;
  const admitted = admit(from, passed);
  if ('error' in admitted || 'wait' in admitted) return admitted;
  return commit(from, message, passed, admitted.evict);
}

/** The recipients of a message, and how many bytes each gets. */
export interface Passed {
  readonly because: string;
  /** Bytes of each recipient's copy. */
  readonly recipients: ReadonlyMap<Endpoint, number>;
  readonly watchers: ReadonlyMap<Endpoint, number>;
  readonly dropped: readonly Endpoint[];
  readonly denied: readonly Endpoint[];
}

function check(from: Endpoint, { to, path, length }: Message): Failure | undefined {
  const pending = takeError(from);
  if (pending !== undefined) return { error: pending, because: 'the socket has an error to tell (SO_ERROR)' };
  if (from.shutWrite) return { error: 'EPIPE', because: `${endOf(from)} (section 5)` };
  if (path !== undefined && path !== from.bus.path && path !== from.path)
    return { error: 'EHOSTUNREACH', because: 'the path leads off the bus (section 3.2)' };
  if (from.side === 'client' && !from.joined && to !== undefined && to !== MASTER)
    return {
      error: 'EHOSTUNREACH',
      because: 'the sender has not joined, so it reaches its master only (section 3.2)',
    };
  if (length > from.sendBuffer - 32)
    return { error: 'EMSGSIZE', because: `the message is longer than the send buffer - 32 (section 3.6)` };
  return undefined;
}

const endOf = ({ side, out }: Endpoint): string => {
  if (side === 'accepted') return 'its client is gone';
  return out ? 'it was expelled or has left' : 'it has shut down sending';
};

/** 3.7: applies each recipient's filters, and the hook of section 6, before anything is queued. */
function filter(
  sender: Endpoint,
  message: Message,
  { multicast, recipients, watchers, because }: Route,
): Passed | Failure {
  const passed = { recipients: new Map<Endpoint, number>(), watchers: new Map<Endpoint, number>() };
  const dropped: Endpoint[] = [];
  const denied: Endpoint[] = [];
  for (const [all, into, eavesdropped] of [
    [recipients, passed.recipients, false],
    [watchers, passed.watchers, true],
  ] as const) {
    for (const recipient of all) {
      const errno = sender.bus.verdict?.({ message, sender, recipient, multicast, eavesdropped });
      if (errno !== undefined && !multicast && !eavesdropped)
        return { error: errno, because: 'the hook of section 6 drops it' };
      const length = errno === undefined ? lengthAt(recipient, message) : undefined;
      if (errno !== undefined) denied.push(recipient);
      else if (length === undefined) dropped.push(recipient);
      else into.set(recipient, length);
    }
  }
  const judged = sender.bus.protocol === 'dbus' && denied.length > 0;
  return { ...passed, dropped, denied, because: judged ? `${because}; ${reasonOf(message)}` : because };
}

/** Undefined if the filter drops it. Without a filter, a message of no bytes is delivered as well. */
function lengthAt(recipient: Endpoint, message: Message): number | undefined {
  if (recipient.filter === undefined) return message.length;
  const kept = recipient.filter(message, recipient);
  return kept > 0 ? Math.min(kept, message.length) : undefined;
}

/**
 * Section 4: all recipients must have room, or nobody gets the message. A send never waits for an eavesdropper (3.5).
 */
function admit(
  from: Endpoint,
  { recipients }: Passed,
): { readonly evict: readonly Endpoint[] } | Failure | Waiting {
  if (mustReadFirst(from)) return { wait: [from], for: 'own-queue' };
  const full = [...recipients.keys()].filter(isFull);
  if (full.length === 0) return { evict: full };
  if (from.bus.overflow === 'fail')
    return { error: 'ENOBUFS', because: 'a recipient is full, and the bus fails such sends (section 2)' };
  const evict = from.bus.overflow === 'evict' ? full.filter(({ side }) => side === 'client') : [];
  // A full accepted socket has no client that could be expelled.
  const wait = full.filter((each) => !evict.includes(each));
  return wait.length > 0 ? { wait, for: 'queue' } : { evict };
}
