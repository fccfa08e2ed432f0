// SPDX-License-Identifier: MIT
/** From a destination to the set of recipients, each once (section 3, rules 1 to 5). */
import { EVERYONE, isMulticast, MASTER, prefixOf } from '../common/address.ts';
import type { Endpoint, Errno, Message } from './types.ts';

export interface Route {
  readonly multicast: boolean;
  /** The rule that chose the recipients. */
  readonly because: string;
  readonly recipients: ReadonlySet<Endpoint>;
  /** Those who get a copy only because they watch. */
  readonly watchers: readonly Endpoint[];
}

export type Failure = { readonly error: Errno; readonly because: string };

export function route(from: Endpoint, { to }: Message): Route | Failure {
  const multicast = to !== undefined && isMulticast(to);
  const found = multicast ? members(from, to) : unicast(from, to);
  if ('error' in found) return found;
  return { multicast, ...found, watchers: watchers(from, found.recipients) };
}

type Found = Pick<Route, 'recipients' | 'because'>;

/** 3.4: every joined client in the group, the sender included; nobody is no error. */
function members({ bus }: Endpoint, to: string): Found {
  const group = to === EVERYONE ? bus.joined : bus.groups.get(prefixOf(to));
  const recipients = new Set<Endpoint>();
  for (const client of group ?? []) if (client.joined && !client.shutRead) recipients.add(client);
  return { recipients, because: 'each joined member gets one copy (section 3.4)' };
}

function unicast(from: Endpoint, to?: string): Found | Failure {
  const holding = to === undefined ? undefined : holder(from, to);
  const recipient = to === undefined ? from.peer : (holding ?? masterOf(from));
  if (recipient === undefined) {
    return from.side === 'accepted'
      ? { error: 'EPIPE', because: 'its client is gone (section 5)' }
      : { error: 'ECONNREFUSED', because: 'the master has left (section 5)' };
  }
  if (recipient.shutRead) return { error: 'EPIPE', because: 'its recipient has ended (section 5)' };
  return { recipients: new Set([recipient]), because: ruleOf(to, holding) };
}

function ruleOf(to: string | undefined, holding: Endpoint | undefined): string {
  if (to === undefined) return 'no destination is the other end of the line (section 3.1)';
  if (to === MASTER) return 'address 0 is the master (section 3.1)';
  return holding
    ? 'a joined client holds the address (section 3.3)'
    : 'nobody joined holds the address: the default route (section 3.3)';
}

/** 3.3: an address that a joined client holds is that client. */
function holder({ bus }: Endpoint, to: string): Endpoint | undefined {
  const client = to === MASTER ? undefined : bus.holders.get(to);
  return client?.joined ? client : undefined;
}

/** 3.1 and 3.3: address 0 and the default route. An accepted socket's is itself. */
const masterOf = (from: Endpoint): Endpoint | undefined => (from.side === 'accepted' ? from : from.peer);

/** 3.5: whoever watches gets one copy of everything; one that is a recipient already gets it as that. */
function watchers({ bus }: Endpoint, recipients: ReadonlySet<Endpoint>): readonly Endpoint[] {
  const all: Endpoint[] = [];
  for (const client of bus.eavesdroppers) if (!recipients.has(client) && !client.shutRead) all.push(client);
  return all;
}
