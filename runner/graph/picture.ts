// SPDX-License-Identifier: MIT
/** The content of a drawing before it is drawn: which party is on which node, bus and group. Pure. */
import { count } from '../common/text.ts';
import { masterOf } from '../topology/lane.ts';
import type { BusSpec, ClientSpec, Topology } from '../topology/topology.ts';

/** Whether a client is on its bus when the traffic begins. */
export type Standing = 'joined' | 'refused' | 'waiting';

/** A master, a client, or several clients that are alike. */
export interface Party {
  readonly kind: 'master' | 'client';
  /** Unique: the name of the party, or of the first of several. */
  readonly name: string;
  /** `lidar`, `tool-0 … tool-2`, `lidar and others`. */
  readonly label: string;
  readonly count: number;
  readonly bus: string;
  readonly groups: readonly string[];
  readonly standing: Standing;
  readonly eavesdrops: boolean;
  /** What is unusual about it, in a word or two each. */
  readonly notes: readonly string[];
}

export interface PictureNode {
  readonly name: string;
  readonly parties: readonly Party[];
}

export interface PictureBus {
  readonly name: string;
  readonly path: string;
  /** Settings of the file that differ from the defaults. */
  readonly notes: readonly string[];
  readonly groups: readonly { readonly name: string; readonly prefix: string }[];
}

export interface Picture {
  readonly name: string;
  readonly description: string;
  readonly nodes: readonly PictureNode[];
  readonly buses: readonly PictureBus[];
}

/** If there are more parties, those that are alike in everything are drawn as one. */
const MAX_CLIENTS = 40;

export function pictureOf(topology: Topology): Picture {
  // A client that a restart starts is drawn as the one before it.
  const present = topology.clients.filter(({ startedByStep }) => startedByStep !== true);
  const byReplicas = fold(present, sameEntry, (first, last) => `${first} … ${last}`);
  const clients =
    byReplicas.length > MAX_CLIENTS ? fold(present, alike, (first) => `${first} and others`) : byReplicas;
  const masters = topology.buses.map(masterIn);
  const parties = [...masters, ...clients, ...onMessageBuses(topology)];
  return {
    name: topology.name,
    description: topology.description ?? '',
    nodes: topology.nodes.map(({ name }) => ({
      name,
      parties: parties.filter(({ node }) => node === name).map(({ party }) => party),
    })),
    buses: [
      ...topology.buses.map((bus) => ({
        name: bus.name,
        path: bus.path,
        notes: notesOfBus(bus),
        groups: topology.groups
          .filter((group) => group.bus === bus.name)
          .map(({ name, prefix }) => ({ name, prefix: `0x${prefix.toString(16).padStart(4, '0')}` })),
      })),
      ...(topology.messageBuses?.buses ?? []).map(({ name, path }) => ({
        ...{ name, path, notes: ['message bus'], groups: [] },
      })),
    ],
  };
}

function onMessageBuses({ messageBuses }: Topology): Placed[] {
  const party = (kind: Party['kind'], name: string, bus: string, notes: readonly string[]): Party => ({
    ...{ kind, name, label: name, count: 1, bus, groups: [], standing: 'joined', eavesdrops: false, notes },
  });
  const masters = messageBuses?.buses.map(({ name, node }) => ({
    node,
    party: party('master', masterOf(name), name, ['dbus-daemon']),
  }));
  const clients = messageBuses?.clients.map(({ name, node, bus, connect, match, names }) => ({
    node,
    party: party('client', name, bus, [
      ...(connect === 'legacy' ? ['legacy'] : []),
      ...names,
      ...rulesNote(match),
    ]),
  }));
  const programs = messageBuses?.programs.map(({ name, node, bus, argv: [program] }) => ({
    node,
    party: party('client', name, bus, [program]),
  }));
  return [...(masters ?? []), ...(clients ?? []), ...(programs ?? [])];
}

interface Placed {
  readonly node: string;
  readonly party: Party;
}

function masterIn({ name, master }: BusSpec): Placed {
  const open = master.admit.length === 1 && master.admit[0] === '*';
  const notes = open ? [] : ['admits some'];
  const on = { bus: name, groups: [], standing: 'joined', eavesdrops: false } as const;
  return {
    node: master.node,
    party: { kind: 'master', name: masterOf(name), label: masterOf(name), count: 1, ...on, notes },
  };
}

/** Replicas come from one entry of the file. */
const sameEntry = ({ place, admitted }: ClientSpec): unknown[] => [place.line, place.column, admitted];

const alike = (client: ClientSpec): unknown[] => [
  client.node,
  client.bus,
  client.groups,
  client.match,
  notesOf(client),
];

function fold(
  clients: readonly ClientSpec[],
  keyOf: (client: ClientSpec) => unknown[],
  labelOf: (first: string, last: string) => string,
): Placed[] {
  const folded = Map.groupBy(clients, (client) => JSON.stringify([client.node, ...keyOf(client)]));
  return [...folded.values()].map((all) => {
    const [first, last] = [all[0] as ClientSpec, all.at(-1) as ClientSpec];
    const party: Party = {
      kind: 'client',
      name: first.name,
      label: all.length === 1 ? first.name : labelOf(first.name, last.name),
      count: all.length,
      bus: first.bus,
      groups: first.groups,
      standing: standingOf(first),
      eavesdrops: first.eavesdrop && standingOf(first) === 'joined',
      notes: notesOf(first),
    };
    return { node: first.node, party };
  });
}

function standingOf({ join, admitted }: ClientSpec): Standing {
  if (!admitted) return 'refused';
  return join ? 'joined' : 'waiting';
}

function notesOf(client: ClientSpec): string[] {
  const { uid, gid } = client.user;
  return [
    ...(client.admitted ? [] : ['not admitted']),
    ...(client.admitted && !client.join ? ['joins later'] : []),
    ...(client.eavesdrop ? ['eavesdrops'] : []),
    ...(client.receive === 'manual' ? ['reads on demand'] : []),
    ...rulesNote(client.match ?? []),
    ...(uid === 0 && gid === 0 ? [] : [`${uid}:${gid}`]),
  ];
}

const rulesNote = ({ length }: readonly string[]): string[] =>
  length === 0 ? [] : [count(length, 'match rule')];

const notesOfBus = ({ protocol, queueLength, overflow }: BusSpec): string[] => [
  ...(protocol === 'dbus' ? ['D-Bus'] : []),
  ...(queueLength === undefined ? [] : [`queue ${queueLength}`]),
  ...(overflow === 'block' ? [] : [overflow]),
];
