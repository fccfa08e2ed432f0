// SPDX-License-Identifier: MIT
// How many deliveries a second the reference model makes: unicast, multicast to many, and behind full queues.
import { performance } from 'node:perf_hooks';
import * as model from '../runner/model/index.ts';

const SECONDS = 1;
const NEEDED = 100_000;

interface Party {
  readonly client: model.Endpoint;
  readonly accepted: model.Endpoint;
}

function bus(clients: number): readonly Party[] {
  const made = model.listen();
  return Array.from({ length: clients }, () => {
    const party = model.attach(made);
    if ('error' in party) throw new Error(party.error);
    model.join(party.accepted);
    return party;
  });
}

/** Every client reads what it has after each send. */
function broadcast(clients: number): () => number {
  const parties = bus(clients);
  let turn = 0;
  return () => {
    const from = parties[turn++ % clients] as Party;
    const outcome = model.send(from.client, { to: model.EVERYONE, length: 64 });
    if (!('sent' in outcome)) throw new Error(JSON.stringify(outcome));
    for (const reader of outcome.copies) model.receive(reader);
    return outcome.copies.length;
  };
}

function unicast(): () => number {
  const [a, b] = bus(2) as [Party, Party];
  return () => {
    model.send(a.client, { to: b.client.address, length: 64 });
    return model.receive(b.client) === undefined ? 0 : 1;
  };
}

/** Half of the sends find the receiver full; it reads one then. */
function backPressure(): () => number {
  const [a, b] = bus(2) as [Party, Party];
  return () => {
    const outcome = model.send(a.client, { to: b.client.address, length: 64 });
    if ('wait' in outcome) model.receive(b.client);
    return 'sent' in outcome ? 1 : 0;
  };
}

function measure(what: string, once: () => number): void {
  for (let n = 0; n < 100; n++) once();
  const start = performance.now();
  let deliveries = 0;
  while (performance.now() - start < SECONDS * 1000) for (let n = 0; n < 20; n++) deliveries += once();
  const rate = Math.round(deliveries / ((performance.now() - start) / 1000));
  console.log(`${what.padEnd(34)} ${rate.toLocaleString('en').padStart(12)} deliveries/s`);
  if (rate < NEEDED) process.exitCode = 1;
}

measure('unicast', unicast());
measure('unicast, behind a full queue', backPressure());
measure('to everyone, 10 clients', broadcast(10));
measure('to everyone, 1,000 clients', broadcast(1000));
