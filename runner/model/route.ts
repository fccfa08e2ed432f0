// SPDX-License-Identifier: MIT
/** Finds the recipients for a destination, each once (section 3, rules 1 to 5). */
import { EVERYONE, isMulticast, MASTER, prefixOf } from '../common/address.ts';
import type { Endpoint, Errno, Message } from './types.ts';

export interface Route {
  readonly multicast: boolean;
  /** The rule that chose the recipients. */
  readonly because: string;
  readonly recipients: ReadonlySet<Endpoint>;
  /** Endpoints that get a copy only because they eavesdrop. */
  readonly watchers: readonly Endpoint[];
}

export type Failure = { readonly error: Errno; readonly because: string };

export function route(from: Endpoint, { to }: Message): Route | Failure {
  const multicast = to !== undefined && isMulticast(to);
  const found = multicast ? members(from, to) : unicast(from, to);
  if ('error' in found) return found;
  const watched = multicast || isOnBus(from, found.recipients);
  return { multicast, ...found, watchers: watched ? watchers(from, found.recipients) : [] };
}

type Found = Pick<Route, 'recipients' | 'because'>;

/** 3.4: every joined client in the group, including the sender; an empty group is no error. */
function members({ bus }: Endpoint, to: string): Found {
  const group = to === EVERYONE ? bus.joined : bus.groups.get(prefixOf(to));
  const recipients = new Set<Endpoint>();
  for (const client of group ?? []) if (client.joined && !client.shutRead) recipients.add(client);
  return { recipients, because: 'each joined member gets one copy (section 3.4)' };
}

function unicast(from: Endpoint, to: string = MASTER): Found | Failure {
  const holding = holder(from, to);
  const recipient = to === MASTER ? from.peer : (holding ?? defaultRoute(from));
  if (recipient === undefined) {
    return from.side === 'accepted'
      ? { error: 'EPIPE', because: 'its client is gone (section 5)' }
      : { error: 'ECONNREFUSED', because: 'the master has left (section 5)' };
  }
  if (recipient.shutRead) return { error: 'EPIPE', because: 'its recipient has ended (section 5)' };
  return { recipients: new Set([recipient]), because: ruleOf(to, holding) };
}

function ruleOf(to: string, holding: Endpoint | undefined): string {
  if (to === MASTER)
    return 'a message without a destination, or to address 0, goes to the other end of the pair (section 3.1)';
  return holding
    ? 'a joined client holds the address (section 3.3)'
    : 'no joined client holds the address, so it takes the default route (section 3.3)';
}

/** 3.3: the joined client that holds the address. */
function holder({ bus }: Endpoint, to: string): Endpoint | undefined {
  const client = to === MASTER ? undefined : bus.holders.get(to);
  return client?.joined ? client : undefined;
}

/** 3.3: the master's endpoint of the sender's pair. */
const defaultRoute = (from: Endpoint): Endpoint | undefined => (from.side === 'accepted' ? from : from.peer);

/** 3.5: messages from or to a client that has not joined stay between it and the master. */
const isOnBus = (from: Endpoint, recipients: ReadonlySet<Endpoint>): boolean =>
  [from, ...recipients].every(({ side, joined }) => side === 'accepted' || joined);

/**
 * 3.5: each eavesdropper gets one copy of everything on the bus; if it is a recipient as well, it gets only that copy.
 */
function watchers({ bus }: Endpoint, recipients: ReadonlySet<Endpoint>): readonly Endpoint[] {
  const all: Endpoint[] = [];
  for (const client of bus.eavesdroppers) if (!recipients.has(client) && !client.shutRead) all.push(client);
  return all;
}
