// SPDX-License-Identifier: MIT
// Senders and receivers on different processors, with queues so short that every other send waits: a wake-up that got
// lost would hang this spec.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, it } from 'mocha';
import { type AcceptedClient, multicastAddress } from '../../native/lib/index.ts';
import { Bus } from './bus.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/traffic.mjs', import.meta.url));
const EACH = 150;
const SENDERS = 3;
const RECEIVERS = 3;

describe('traffic between threads', () => {
  it('all of it arrives, in the same order everywhere', async () => {
    await using bus = await Bus.open({ queueLength: 2 });
    const start = (role: string, count: number) =>
      new Worker(FIXTURE, { workerData: { path: bus.master.path, role, to: multicastAddress(1), count } });
    const receivers = Array.from({ length: RECEIVERS }, () => start('receive', SENDERS * EACH));
    const senders = Array.from({ length: SENDERS }, () => start('send', EACH));
    const workers = [...receivers, ...senders];
    try {
      const connected = workers.map((worker) => once(worker, 'message'));
      const exits = workers.map((worker) => once(worker, 'exit'));
      const accepted: AcceptedClient[] = [];
      for (const _ of workers) accepted.push(await bus.master.accept());
      const members = (await Promise.all(connected.slice(0, RECEIVERS))).flat();
      const waiting: AcceptedClient[] = [];
      for (const client of accepted) {
        if (members.includes(client.peer))
          client.addAddress({ prefix: 1, client: Number(`0x${client.peer.slice(-4)}`) });
        else waiting.push(client);
        client.join();
      }
      const orders = receivers.map((worker) => once(worker, 'message'));
      for (const client of waiting) await client.send('go');
      const [first, ...others] = (await Promise.all(orders)).map(([order]) => order);
      assert.equal(new Set(first).size, SENDERS * EACH);
      for (const order of others) assert.deepEqual(order, first);
      assert.deepEqual((await Promise.all(exits)).flat(), [0, 0, 0, 0, 0, 0]);
      for (const client of accepted) client.close();
    } finally {
      // One that still waits would keep the process alive.
      for (const worker of workers) await worker.terminate();
    }
  }).timeout(120_000);
});
