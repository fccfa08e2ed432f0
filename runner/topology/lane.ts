// SPDX-License-Identifier: MIT
/** The names of parties and of their sockets: makes and parses them. */
import type { Sender } from './topology.ts';

/**
 * A lane is one receiving socket, for which each check of order is made. The lane of a client's socket has the client's
 * name; that of the master's accepted socket for the client is `<bus>.master@<client>`.
 */
export type Lane = string;

const MASTER = '.master';

export const masterOf = (bus: string): string => `${bus}${MASTER}`;

/** `cabin.master` → `cabin`; undefined if it is not the name of a master. */
export function busOfMaster(name: string): string | undefined {
  const bus = name.endsWith(MASTER) ? name.slice(0, -MASTER.length) : undefined;
  return bus?.includes('.') ? undefined : bus;
}

/** The name of a party and of its process: `camera`, `cabin.master`. */
export const partyOf = (party: Sender): string =>
  party.kind === 'client' ? party.name : masterOf(party.bus);

export const acceptedLane = (bus: string, client: string): Lane => `${masterOf(bus)}@${client}`;

/** The lane of the socket through which a sender sends. */
export const senderLane = (from: Sender): Lane =>
  from.kind === 'client' ? from.name : acceptedLane(from.bus, from.via ?? '');

/**
 * The lane at which a message ends that takes the default route: the accepted socket of the client that sends. If the
 * master sends, it is the socket that it sends through: the master reads its own message back (af_bus.md 3.1 and 3.3).
 */
export const defaultRoute = (from: Sender, bus: string): Lane =>
  acceptedLane(bus, from.kind === 'client' ? from.name : (from.via ?? ''));

export interface LaneParts {
  /** The name of the process that reads it. */
  readonly agent: string;
  /** The client whose socket it is, or for which the socket was accepted. */
  readonly client: string;
  /** Whether it is an accepted socket of a master. */
  readonly accepted: boolean;
}

export function parseLane(lane: Lane): LaneParts {
  const at = lane.indexOf('@');
  if (at < 0) return { agent: lane, client: lane, accepted: false };
  return { agent: lane.slice(0, at), client: lane.slice(at + 1), accepted: true };
}
