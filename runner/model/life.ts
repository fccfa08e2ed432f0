// SPDX-License-Identifier: MIT
/** The ways in which a client, its accepted socket and the bus come apart (section 5). */
import { MASTER } from '../common/address.ts';
import { place } from './bus.ts';
import { forget } from './nfdbus.ts';
import { releaseAll } from './policy.ts';
import { endCharges, purge } from './queue.ts';
import type { Bus, Endpoint, Errno } from './types.ts';

export type Direction = 'read' | 'write' | 'both';

/** shutdown(2). On an accepted socket, `both` expels its client. */
export function shutdown(endpoint: Endpoint, how: Direction): void {
  place(endpoint.bus);
  shut(endpoint, how);
  if (endpoint.side === 'accepted') shutdownAccepted(endpoint, how);
  else shutdownClient(endpoint, how);
}

/** The master expels a client: it drains its queue and is at the end, its sends give EPIPE. */
export const expel = (accepted: Endpoint): void => shutdown(accepted, 'both');

/** The end of a client by the will of its master, or of its bus; `error` is what SO_ERROR says at both ends. */
export function expelClient(client: Endpoint, error?: Errno): void {
  goOut(client);
  shut(client, 'both', error);
  if (client.peer) shut(client.peer, 'both', error);
}

/** The last descriptor of a client's or of an accepted socket closes. */
export function close(endpoint: Endpoint): void {
  if (!endpoint.closed) closeEnd(endpoint, false);
}

/** No new clients; those that nobody has accepted are cut off. The path is free for another bus. */
export function closeListener(bus: Bus): void {
  bus.listening = false;
  for (const accepted of bus.backlog.splice(0)) closeEnd(accepted, true);
}

/** The master leaves, or dies: all its sockets close. */
export function leave(bus: Bus): void {
  closeListener(bus);
  for (const accepted of [...bus.accepted]) close(accepted);
}

function closeEnd(endpoint: Endpoint, unaccepted: boolean): void {
  place(endpoint.bus);
  endpoint.closed = true;
  shut(endpoint, 'both');
  if (endpoint.side === 'client') closeClient(endpoint);
  else closeAccepted(endpoint, unaccepted || isUnread(endpoint));
  purge(endpoint);
}

function shut(endpoint: Endpoint, how: Direction, error?: Errno): void {
  if (how !== 'write') {
    endpoint.shutRead = true;
    endCharges(endpoint);
  }
  if (how !== 'read') endpoint.shutWrite = true;
  if (error !== undefined) endpoint.error = error;
}

/** Its addresses are free at once, its prefix-0 address never comes back. */
function goOut(client: Endpoint): void {
  if (client.out) return;
  const { bus } = client;
  place(bus);
  client.out = true;
  client.joined = false;
  bus.joined.delete(client);
  bus.eavesdroppers.delete(client);
  releaseAll(client);
  forget(client);
}

function unpair(endpoint: Endpoint): Endpoint | undefined {
  const { peer } = endpoint;
  endpoint.peer = undefined;
  if (peer) peer.peer = undefined;
  return peer;
}

function closeClient(client: Endpoint): void {
  const accepted = unpair(client);
  goOut(client);
  if (accepted) shut(accepted, 'both');
}

/** A joined client stays and goes on with the others; one that has not joined loses its only party. */
function closeAccepted(accepted: Endpoint, unread: boolean): void {
  accepted.bus.accepted.delete(accepted);
  const client = unpair(accepted);
  if (client === undefined || client.joined || client.out) return;
  goOut(client);
  shut(client, 'both', unread ? 'ECONNRESET' : undefined);
}

/** Whether words of the client are lost with its accepted socket (docs/decisions/kernel.md: ECONNRESET, as AF_UNIX). */
function isUnread(accepted: Endpoint): boolean {
  for (const { sent } of accepted.queue)
    if (sent.from !== MASTER && sent.from === accepted.address) return true;
  return false;
}

/** Halves touch a client that has not joined, as AF_UNIX would; a joined one goes on (docs/decisions/kernel.md). */
function shutdownAccepted(accepted: Endpoint, how: Direction): void {
  const client = accepted.peer;
  if (client === undefined || client.out) return;
  if (accepted.shutRead && accepted.shutWrite) expelClient(client);
  else if (!client.joined) shut(client, how === 'read' ? 'write' : 'read');
}

/** SHUT_RDWR is leaving; SHUT_WR ends what its accepted socket reads; SHUT_RD is seen by `route`. */
function shutdownClient(client: Endpoint, how: Direction): void {
  const all = client.shutRead && client.shutWrite;
  if (all) goOut(client);
  if (client.peer === undefined) return;
  if (all) shut(client.peer, 'both');
  else if (how === 'write') shut(client.peer, 'read');
}
