// SPDX-License-Identifier: MIT
/** A bus in this process: its master, its clients, and their accepted sockets. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type AcceptedClient,
  BusClient,
  BusMaster,
  type ConnectOptions,
  formatAddress,
  type ListenOptions,
  type Message,
} from '../../native/lib/index.ts';

let count = 0;

/** A name nobody has. */
export const freshName = (): string => `@afbus-spec-${process.pid}-${count++}`;

export interface Pair {
  readonly client: BusClient;
  /** The master's side of it. */
  readonly accepted: AcceptedClient;
}

export class Bus implements AsyncDisposable {
  readonly master: BusMaster;
  readonly #pairs: Pair[] = [];

  constructor(master: BusMaster) {
    this.master = master;
  }

  static async open(options: Partial<ListenOptions> = {}): Promise<Bus> {
    return new Bus(await BusMaster.listen({ path: freshName(), ...options }));
  }

  /** A client that has not joined. */
  async connect(options: ConnectOptions = {}): Promise<Pair> {
    const client = await BusClient.connect(this.master.path, options);
    const pair = { client, accepted: await this.master.accept() };
    this.#pairs.push(pair);
    return pair;
  }

  /** A joined client that holds `prefix`/n, n counted from 1. */
  async join(prefix = 1, options: ConnectOptions = {}): Promise<Pair> {
    const pair = await this.connect(options);
    pair.accepted.addAddress(formatAddress(prefix, this.#pairs.length));
    pair.accepted.join();
    return pair;
  }

  async joinMany(n: number, prefix = 1, options: ConnectOptions = {}): Promise<Pair[]> {
    const pairs: Pair[] = [];
    for (let i = 0; i < n; i++) pairs.push(await this.join(prefix, options));
    return pairs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, accepted } of this.#pairs) {
      client.close();
      accepted.close();
    }
    this.master.close();
  }
}

export const texts = (messages: readonly Message[]): string[] => messages.map(({ data }) => data.toString());

/** Sends without waiting until the kernel says that there is no room; gives how many went through. */
export async function fill(client: BusClient | AcceptedClient, to?: string): Promise<number> {
  for (let n = 0; ; n++) {
    try {
      await client.send(`fill ${n}`, { nonblocking: true, ...(to !== undefined && { to }) });
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
      return n;
    }
  }
}

/** Waits, and gives the share of the time that this process was on a processor: what else a machine does lengthens both. */
export async function busyWhileWaiting(ms: number): Promise<number> {
  const [began, before] = [performance.now(), process.cpuUsage()];
  await new Promise((resolve) => setTimeout(resolve, ms));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / (performance.now() - began);
}

/** What this process has open, by number and kind. */
export function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, 'N')}`];
    } catch {
      // The folder's own descriptor, gone by now.
      return [];
    }
  });
}

/** Turns of the event loop, for what libuv closes one turn later. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
}

/**
 * Runs `work` once to warm up, then many times, and compares how much is open. A leak grows with the rounds; what an earlier test still
 * closes in the meantime only makes it less, by fewer than there are rounds.
 */
export async function leaksNothing(work: () => Promise<void>, rounds = 20): Promise<void> {
  await work();
  await settle();
  const before = openFiles();
  for (let round = 0; round < rounds; round++) await work();
  await settle();
  const after = openFiles();
  assert.ok(
    after.length <= before.length,
    `open before:\n${before.join('\n')}\nafter ${rounds} rounds:\n${after.join('\n')}`,
  );
}

/** Collects garbage until the condition holds. */
export async function collectUntil(condition: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  while (!condition()) {
    collect();
    await settle();
  }
}
