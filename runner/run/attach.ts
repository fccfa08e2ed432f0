// SPDX-License-Identifier: MIT
/** Brings the buses up as the file describes them: masters listen, clients connect, masters apply their policy. */

import type { Order } from '../agent/protocol.ts';
import type { Credentials } from '../common/credentials.ts';
import { acceptedLane, masterOf } from '../topology/lane.ts';
import type { BusSpec } from '../topology/topology.ts';
import type { Call } from './agents.ts';
import type { RunContext } from './context.ts';
import type { BusState, ClientState } from './parties.ts';
import type { Answer } from './waits.ts';

const TOLD_EVERY = 100;
/** A master admits a crowd in parts, while the rest still connects. Most buses are one part. */
const ADMITTED_AT_ONCE = 100;

/** Resolves when every client is connected and its policy is in force. Buses do not wait for each other. */
export async function attachAll(context: RunContext, progress: (text: string) => void): Promise<void> {
  const buses = [...context.parties.buses.values()];
  const total = buses.reduce((sum, bus) => sum + atFirst(bus).length, 0);
  progress(`connecting ${total} clients`);
  const count = {
    connected: counter('connected', total, progress),
    attached: counter('attached', total, progress),
  };
  await Promise.all(buses.map((bus) => attach(context, bus, count)));
}

interface Counters {
  readonly connected: () => void;
  readonly attached: () => void;
}

const atFirst = ({ clients }: BusState): ClientState[] =>
  clients.filter(({ spec }) => spec.startedByStep !== true);

async function attach(context: RunContext, bus: BusState, count: Counters): Promise<void> {
  await listen(context, bus.spec);
  const clients = atFirst(bus);
  const waiting: ClientState[] = [];
  let left = clients.length;
  let admitted: Promise<unknown> = Promise.resolve();
  for await (const client of connectInTurn(context, bus.spec, clients)) {
    count.connected();
    waiting.push(client);
    if (--left > 0 && waiting.length < ADMITTED_AT_ONCE) continue;
    const those = waiting.splice(0);
    // The next ones connect meanwhile.
    admitted = admitted.then(() => admitInTurn(context, those, count.attached));
    admitted.catch(() => {}); // awaited below
  }
  await admitted;
}

/**
 * Groups clients that follow each other in the file and are on one node: the node lets them connect in turn by itself.
 */
function batchesOf({ agents }: RunContext, clients: readonly ClientState[]): ClientState[][] {
  const batches: ClientState[][] = [];
  let node: string | undefined;
  for (const client of clients) {
    const its = agents.nodeOf(client.spec.name);
    if (its === node) batches.at(-1)?.push(client);
    else batches.push([client]);
    node = its;
  }
  return batches;
}

/** Yields each client when it has connected. The kernel assigns addresses in this order, and files may name them. */
async function* connectInTurn(context: RunContext, bus: BusSpec, clients: readonly ClientState[]) {
  for (const batch of batchesOf(context, clients)) {
    const answers = context.agents.callInTurn(batch.map((client) => connecting(context, bus, client)));
    for (const [i, client] of batch.entries()) {
      client.address = (await answers[i])?.address ?? null;
      yield client;
    }
  }
}

/** Reports the progress from time to time. */
function counter(what: string, total: number, progress: (text: string) => void): () => void {
  let n = 0;
  return () => {
    n++;
    if (n % TOLD_EVERY === 0 || n === total) progress(`${what} ${n} of ${total} clients`);
  };
}

/** The same for a client that a step starts; resolves with one answer for all of its orders. */
export async function attachOne(context: RunContext, client: ClientState): Promise<Answer> {
  const { agent, order, purpose } = connecting(context, context.parties.bus(client.spec.bus).spec, client);
  const connected = await context.agents.call(agent, order, purpose);
  client.address = connected.address ?? null;
  const all = [connected, ...(await admitInTurn(context, [client], () => {}))];
  const last = Math.max(...all.map(({ t = 0 }) => t));
  return all.some(({ gone }) => gone) ? { gone: true } : { ...connected, t: last };
}

async function listen({ agents, nonce }: RunContext, spec: BusSpec): Promise<void> {
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

function connecting({ nonce }: RunContext, bus: BusSpec, { spec }: ClientState): Call {
  const { name: lane, receive, filter, buffer, place } = spec;
  const { path, protocol } = bus;
  return {
    agent: lane,
    order: {
      ...{ do: 'connect', lane, path, protocol, receive, nonce },
      ...(filter && { filter }),
      ...(buffer !== undefined && { buffer }),
    },
    purpose: { what: `${lane} to connect to ${path}`, place },
  };
}

/** All clients are of one bus: its master accepts them and applies their policy in the order given. */
async function admitInTurn(
  context: RunContext,
  clients: readonly ClientState[],
  attached: () => void,
): Promise<readonly Answer[]> {
  const policies = clients.map(policy);
  const answers = context.agents.callInTurn([...clients.map(naming), ...policies.flat()]);
  let next = clients.length;
  await Promise.all(
    policies.map(async ({ length }) => {
      const its = answers.slice(next, next + length);
      next += length;
      await Promise.all(its);
      attached();
    }),
  );
  const all = await Promise.all(answers);
  for (const [i, client] of clients.entries()) record(context, client, all[i]?.credentials);
  return all;
}

/** The master knows its clients by address, and reads from a client only after it has a name for it. */
function naming({ spec, address }: ClientState): Call {
  const { name: client, bus, place } = spec;
  const agent = masterOf(bus);
  return {
    agent,
    order: { do: 'name', peer: address ?? '', client, lane: acceptedLane(bus, client) },
    purpose: { what: `${agent} to accept ${client}`, place },
  };
}

function policy(state: ClientState): Call[] {
  const {
    name: client,
    bus,
    join,
    admitted,
    addresses,
    eavesdrop,
    match = [],
    names = [],
    place,
  } = state.spec;
  const agent = masterOf(bus);
  const call = (order: Order, what: string): Call => ({
    agent,
    order,
    purpose: { what: `${agent} to ${what}`, place },
  });
  // Before the client joins, since its first multicast may be the next message on the bus.
  const calls = [
    ...match.map((rule) => call({ do: 'add-match', client, rule }, `give ${client} the match rule ${rule}`)),
    ...names.map((name) => call({ do: 'set-name', client, name }, `give ${client} the name ${name}`)),
  ];
  if (join && admitted) {
    state.joined = true;
    calls.push(call({ do: 'join', client }, `let ${client} join`));
  }
  for (const address of addresses)
    calls.push(call({ do: 'add-address', client, address }, `give ${client} the address ${address}`));
  if (eavesdrop && state.joined)
    calls.push(call({ do: 'eavesdrop', client, on: true }, `make ${client} an eavesdropper`));
  return calls;
}

function record(context: RunContext, client: ClientState, credentials: Credentials | undefined): void {
  const { name: who, bus } = client.spec;
  context.collector.attach({
    client: who,
    bus,
    address: client.address ?? '',
    peer: client.address,
    joined: client.joined,
    ...(credentials && { credentials }),
    ...context.agents.identity(who),
  });
}
