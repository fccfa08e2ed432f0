// SPDX-License-Identifier: MIT
/** Brings the buses up as the file draws them: masters listen, clients connect, the masters' policy is applied. */

import type { Credentials } from '../common/credentials.ts';
import { acceptedLane, masterOf } from '../topology/lane.ts';
import type { BusSpec } from '../topology/topology.ts';
import type { BusState, ClientState } from './parties.ts';
import type { Stage } from './stage.ts';

/** Resolves when every client is connected and what the policy gives it is in force. Buses do not wait for each other. */
export async function attachAll(stage: Stage): Promise<void> {
  await Promise.all(Array.from(stage.parties.buses.values(), (bus) => attach(stage, bus)));
}

async function attach(stage: Stage, bus: BusState): Promise<void> {
  await listen(stage, bus.spec);
  // One after another: the kernel counts addresses up in this order, and files may name them.
  const clients = bus.clients.filter(({ spec }) => spec.late !== true);
  for (const client of clients) await connect(stage, bus.spec, client);
  const known = await Promise.all(clients.map((client) => name(stage, client)));
  // Orders begin in the order given, so policy is applied in file order without waiting for each answer.
  await Promise.all(clients.flatMap((client) => policy(stage, client)));
  for (const [i, client] of clients.entries()) record(stage, client, known[i]);
}

/** The same for a client that comes later. */
export async function attachOne(stage: Stage, client: ClientState): Promise<void> {
  await connect(stage, stage.parties.bus(client.spec.bus).spec, client);
  const known = await name(stage, client);
  await Promise.all(policy(stage, client));
  record(stage, client, known);
}

async function listen({ agents, nonce }: Stage, spec: BusSpec): Promise<void> {
  const { name: bus, path, protocol, queueLength, sendBuffer, overflow } = spec;
  await agents.call(
    masterOf(bus),
    {
      do: 'listen',
      bus,
      path,
      protocol,
      overflow,
      nonce,
      ...(queueLength !== undefined && { queueLength }),
      ...(sendBuffer !== undefined && { sendBuffer }),
    },
    { what: `${masterOf(bus)} to listen at ${path}` },
  );
}

async function connect({ agents, nonce }: Stage, bus: BusSpec, client: ClientState): Promise<void> {
  const { name: lane, receive, filter } = client.spec;
  const { path, protocol } = bus;
  const what = `${lane} to connect to ${path}`;
  const { address } = await agents.call(
    lane,
    { do: 'connect', lane, path, protocol, receive, nonce, ...(filter && { filter }) },
    { what },
  );
  client.address = address ?? null;
}

/** The master knows its clients by address; it reads from them once it has a name for them. */
async function name({ agents }: Stage, { spec, address }: ClientState): Promise<Credentials | undefined> {
  const master = masterOf(spec.bus);
  const lane = acceptedLane(spec.bus, spec.name);
  const what = `${master} to accept ${spec.name}`;
  const order = { do: 'name', peer: address ?? '', client: spec.name, lane } as const;
  return (await agents.call(master, order, { what })).credentials;
}

function policy({ agents }: Stage, client: ClientState): Promise<unknown>[] {
  const { name: who, bus, join, admitted, addresses, eavesdrop, match = [], names = [] } = client.spec;
  const master = masterOf(bus);
  const done: Promise<unknown>[] = [];
  // Before it joins: its first multicast may be the next on the bus.
  for (const rule of match) {
    const what = `${master} to give ${who} the match rule ${rule}`;
    done.push(agents.call(master, { do: 'add-match', client: who, rule }, { what }));
  }
  for (const owned of names) {
    const what = `${master} to give ${who} the name ${owned}`;
    done.push(agents.call(master, { do: 'set-name', client: who, name: owned }, { what }));
  }
  if (join && admitted) {
    client.joined = true;
    done.push(agents.call(master, { do: 'join', client: who }, { what: `${master} to let ${who} join` }));
  }
  for (const address of addresses) {
    const what = `${master} to give ${who} the address ${address}`;
    done.push(agents.call(master, { do: 'add-address', client: who, address }, { what }));
  }
  if (eavesdrop && client.joined) {
    const what = `${master} to make ${who} an eavesdropper`;
    done.push(agents.call(master, { do: 'eavesdrop', client: who, on: true }, { what }));
  }
  return done;
}

function record(stage: Stage, client: ClientState, credentials: Credentials | undefined): void {
  const { name: who, bus } = client.spec;
  stage.collector.attach({
    client: who,
    bus,
    address: client.address ?? '',
    peer: client.address,
    joined: client.joined,
    ...(credentials && { credentials }),
    ...stage.agents.identity(who),
  });
}
