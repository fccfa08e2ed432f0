// SPDX-License-Identifier: MIT
/** The names of parties and of their sockets: made here, and taken apart again. */
import type { Sender } from './topology.ts';

/**
 * A lane is one receiving socket, the unit of every order check: a client's socket is named as the client,
 * the master's accepted socket for it `<bus>.master@<client>`.
 */
export type Lane = string;

const MASTER = '.master';

export const masterOf = (bus: string): string => `${bus}${MASTER}`;

/** `cabin.master` → `cabin`; undefined if it is not the name of a master. */
export function busOfMaster(name: string): string | undefined {
  const bus = name.endsWith(MASTER) ? name.slice(0, -MASTER.length) : undefined;
  return bus?.includes('.') ? undefined : bus;
}

/** The name of a party, which is that of its process: `camera`, `cabin.master`. */
export const partyOf = (party: Sender): string =>
  party.kind === 'client' ? party.name : masterOf(party.bus);

export const acceptedLane = (bus: string, client: string): Lane => `${masterOf(bus)}@${client}`;

/** The socket that a sender sends through. */
export const senderLane = (from: Sender): Lane =>
  from.kind === 'client' ? from.name : acceptedLane(from.bus, from.via ?? '');

/**
 * Where the default route of a sender on this bus ends: the accepted socket of the client, or of the client that the
 * master sends through (af_bus.md 3.1 and 3.3: the master then reads its own message back).
 */
export const defaultRoute = (from: Sender, bus: string): Lane =>
  acceptedLane(bus, from.kind === 'client' ? from.name : (from.via ?? ''));

export interface LaneParts {
  /** The process that reads it. */
  readonly agent: string;
  /** The client at this end, or at the other end of an accepted socket. */
  readonly client: string;
  /** It is a master's socket. */
  readonly accepted: boolean;
}

export function parseLane(lane: Lane): LaneParts {
  const at = lane.indexOf('@');
  if (at < 0) return { agent: lane, client: lane, accepted: false };
  return { agent: lane.slice(0, at), client: lane.slice(at + 1), accepted: true };
}
