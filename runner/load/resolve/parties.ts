// SPDX-License-Identifier: MIT
/** Looks up the names of parties in steps. */

import type { Path } from '../../common/diagnostic.ts';
import { ADDRESS } from '../../common/scalars.ts';
import { busOfMaster } from '../../topology/lane.ts';
import type { Destination, Sender } from '../../topology/topology.ts';
import type { Kind } from './names.ts';
import type { ClientState, PartyState } from './party-state.ts';
import type { Scope } from './scope.ts';

/** Looks up `cabin.master`: undefined if the text names no master; without `known` if there is no such bus. */
function masterNamed(
  { names }: Scope,
  text: string,
  path: Path,
): { readonly known?: { readonly kind: 'master'; readonly bus: string } } | undefined {
  const bus = busOfMaster(text);
  if (bus === undefined) return undefined;
  return names.find(bus, ['bus'], path) === undefined ? {} : { known: { kind: 'master', bus } };
}

export function sender(scope: Scope, text: string, path: Path): Sender | undefined {
  const master = masterNamed(scope, text, path);
  if (master) return master.known;
  return scope.names.find(text, ['client'], path) && { kind: 'client', name: scope.incarnation(text) };
}

export function destination(scope: Scope, text: string, path: Path): Destination | undefined {
  if (ADDRESS.test(text)) return { kind: 'address', address: text.toLowerCase() };
  const master = masterNamed(scope, text, path);
  if (master) return master.known;
  if (text.includes('/')) return noAddress(scope, text, path);
  const kind = scope.names.find(text, ['client', 'group', 'bus'], path);
  const name = kind === 'client' ? scope.incarnation(text) : text;
  return kind === undefined ? undefined : { kind: kind as 'client' | 'group' | 'bus', name };
}

function noAddress({ problems }: Scope, text: string, path: Path): undefined {
  const hint = 'Write pppp/cccccccccccc in hex: "0002/00000000f00d".';
  problems.error(path, { code: 'bad-value', message: `"${text}" is neither a name nor an address`, hint });
}

/** The bus of a party; undefined for a literal address, which belongs to the sender's bus. */
export function busOfParty({ clients, groups }: Scope, party: Sender | Destination): string | undefined {
  switch (party.kind) {
    case 'client':
      return clients.get(party.name)?.bus;
    case 'group':
      return groups.get(party.name)?.bus;
    case 'bus':
      return party.name;
    case 'master':
      return party.bus;
    case 'address':
      return undefined;
  }
}

/** Looks up the name of a receiver; its bus is undefined if it is not known. */
export function party(
  scope: Scope,
  text: string,
  path: Path,
): { readonly kind: Kind | 'master'; readonly bus: string | undefined } | undefined {
  const master = masterNamed(scope, text, path);
  if (master) return master.known;
  const kind = scope.names.find(text, ['client', 'group', 'bus', 'replicas'], path);
  return kind === undefined ? undefined : { kind, bus: busOfName(scope, kind, text) };
}

interface Sent {
  readonly from: Sender;
  readonly to: Destination;
  readonly bus: string;
}

/**
 * Looks up names of receivers of a send; groups, buses and replicas are replaced by the clients they stand for at this
 * step. It is an error if there are none: nothing would be expected.
 */
export function receivers(
  scope: Scope,
  parties: PartyState,
  text: string,
  send: Sent,
  { path, hint }: { readonly path: Path; readonly hint: string },
): readonly string[] {
  const known = party(scope, text, path);
  if (known === undefined || !sameBus(scope, known.bus, send.bus, text, path)) return [];
  if (known.kind === 'master') return [text];
  if (known.kind === 'client') return [scope.incarnation(text)];
  const found = members(scope, parties, known.kind, text, send).map((client) => client.name);
  if (found.length === 0 && !scope.problems.isBroken(['clients'])) {
    scope.problems.error(path, {
      code: 'vacuous',
      message: `"${text}" stands for nobody at this step: it has no joined member`,
      hint,
    });
  }
  return found;
}

/**
 * The clients that a group, a bus or the name of replicas stands for: those that have joined, and replicas that have not
 * if their master sends to one of them.
 */
function members(
  scope: Scope,
  parties: PartyState,
  kind: Kind,
  text: string,
  { from, to, bus }: Sent,
): readonly ClientState[] {
  if (kind === 'bus') return parties.joined(bus);
  if (kind === 'replicas') {
    const all = new Set(replicasOf(scope, text).map((name) => scope.incarnation(name)));
    const reached =
      from.kind === 'master' && to.kind === 'client' ? parties.present(bus) : parties.joined(bus);
    return reached.filter(({ name }) => all.has(name));
  }
  const prefix = scope.groups.get(text)?.prefix;
  return prefix === undefined ? [] : parties.members(bus, prefix);
}

const replicasOf = ({ clients }: Scope, base: string): string[] =>
  [...clients.keys()].filter(
    (name) => name.startsWith(`${base}-`) && /^\d+$/.test(name.slice(base.length + 1)),
  );

function busOfName(scope: Scope, kind: Kind, name: string): string | undefined {
  if (kind === 'bus') return name;
  if (kind === 'group') return scope.groups.get(name)?.bus;
  const first = kind === 'replicas' ? replicasOf(scope, name)[0] : name;
  return scope.clients.get(first ?? '')?.bus;
}

/** True if both are on one bus. Reports nothing if one of the buses is not known. */
export function sameBus(
  { problems }: Scope,
  of: string | undefined,
  bus: string,
  text: string,
  path: Path,
): boolean {
  if (of === undefined || of === bus) return of !== undefined;
  const hint = "Buses do not reach each other; a literal address means one on the sender's own bus.";
  const message = `"${text}" is on bus "${of}", the sender on "${bus}"`;
  problems.error(path, { code: 'impossible', message, hint });
  return false;
}
