// SPDX-License-Identifier: MIT
// Clients on AF_BUS and on AF_UNIX that join, call, signal and leave without a pause: each signal reaches those with a matching
// rule and nobody else, in order and without a gap, and when all have left, the bus and the kernel hold what they held before.
// DBUS_SOAK=600 DBUS_CLIENTS=200 is the long one.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { DRIVER } from '../../runner/dbus/index.ts';
import type { Client, Draft, Got } from '../dbus/client.ts';
import { type RunningBus, startOurs } from '../dbus/daemons.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { NativeClient } from './native-client.ts';
import { errorOf, string, uint32 } from './talk.ts';

const SECONDS = Number(process.env.DBUS_SOAK ?? 10);
const CLIENTS = Number(process.env.DBUS_CLIENTS ?? 20);
const TICKS = 10;
/** What the heap of a process in JavaScript may differ by, from one look to another. */
const SLACK_KIB = 48 * 1024;
/** What other parts of the kernel may take between two looks: a client that stays in it whole takes some ten KiB. */
const KERNEL_SLACK_KIB = 8 * 1024;
/** If nobody gets as far as his next tick for this long, somebody waits for what does not come. */
const STALLED_MS = 120_000;

const SIGNAL = { type: 'signal', path: '/', interface: 'soak.Signal', member: 'Tick' } as const;
const ECHO = { type: 'method_call', path: '/', interface: 'soak.Echo', member: 'Echo' } as const;
const BUS = { type: 'method_call', destination: DRIVER, path: '/org/freedesktop/DBus' } as const;
const nameOf = (place: number): string => `soak.Client${place}`;

let door: Promise<unknown> = Promise.resolve();

/** One after another: of more at once than its backlog has places, the bus's socket refuses some. */
function join(bus: RunningBus, place: number): Promise<Client> {
  const client = door.then(
    async (): Promise<Client> =>
      place % 2 === 0 ? await RawClient.join(bus.path) : await NativeClient.join(bus.afbus as string),
  );
  door = client.catch(() => {});
  return client;
}

/** What one client hears: its own ticks and its neighbour's, each sender's in order. */
class Ear {
  readonly #client: Client;
  readonly #last = new Map<number, { life: number; n: number }>();
  readonly #senders: readonly number[];
  /** How many ticks it has heard, of whom it listens to. */
  ticks = 0;

  constructor(client: Client, senders: readonly number[]) {
    this.#client = client;
    this.#senders = senders;
  }

  /** A call's answer: a return or an error. */
  async call(draft: Draft): Promise<Got> {
    const serial = await this.#client.sendMessage(draft);
    return this.until(({ replySerial }) => replySerial === serial);
  }

  until(wanted: (got: Got) => boolean): Promise<Got> {
    return this.#client.until((got) => {
      if (got.member === 'Tick') this.#check(got.args.map(({ value }) => value as number));
      return wanted(got);
    });
  }

  #check([place = -1, life = -1, n = -1]: readonly number[]): void {
    assert.ok(this.#senders.includes(place), `a tick of ${nameOf(place)}, which no rule asks for`);
    const last = this.#last.get(place);
    this.#last.set(place, { life, n });
    this.ticks++;
    if (last === undefined) return;
    const next = last.n + 1 < TICKS ? { life: last.life, n: last.n + 1 } : { life: last.life + 1, n: 0 };
    assert.deepEqual({ life, n }, next, `after tick ${last.n} of life ${last.life} of ${nameOf(place)}`);
  }
}

/** Joins, owns a name, hears its own signals and its neighbour's, calls a service and the bus, leaves. */
async function live(bus: RunningBus, lives: Lives, place: number, life: number): Promise<void> {
  using client = await join(bus, place);
  const senders = [place, (place + 1) % CLIENTS];
  const ear = new Ear(client, senders);
  const name = nameOf(place);
  const owned = await ear.call({ ...BUS, member: 'RequestName', args: [string(name), uint32(4)] });
  assert.equal(owned.args[0]?.value, 1);
  for (const sender of senders) {
    const rule = `type='signal',interface='soak.Signal',sender='${nameOf(sender)}'`;
    const added = await ear.call({ ...BUS, member: 'AddMatch', args: [string(rule)] });
    assert.equal(errorOf(added), 'method_return');
  }
  for (let n = 0; n < TICKS; n++) {
    const args = [uint32(place), uint32(life), uint32(n)];
    await client.sendMessage({ ...SIGNAL, args });
    await ear.until((got) => got.member === 'Tick' && isEqual(got, args));
    lives.goOn();
    // Some calls stay in the client's own world, some go from one to the other.
    assert.ok(isEqual(await ear.call({ ...ECHO, destination: `soak.Echo${(place >> 1) % 2}`, args }), args));
  }
  const owner = await ear.call({ ...BUS, member: 'GetNameOwner', args: [string(name)] });
  assert.equal(owner.args[0]?.value, client.name);
  lives.end(ear.ticks);
}

const isEqual = (got: Got, args: Got['args']): boolean =>
  got.args.length === args.length && got.args.every(({ value }, n) => value === args[n]?.value);

/** Answers each call with what it was given, until it is closed. */
async function echo(client: Client, name: string): Promise<void> {
  await client.call('RequestName', [string(name), uint32(4)]);
  void (async () => {
    for (let call = await client.next(); call !== undefined; call = await client.next()) {
      if (call.member !== 'Echo' || call.sender === undefined) continue;
      const { sender, serial, args } = call;
      await client.sendMessage({ type: 'method_return', destination: sender, replySerial: serial, args });
    }
  })();
}

interface Held {
  readonly descriptors: number;
  readonly sockets: number;
  readonly names: unknown;
  readonly rules: unknown;
  readonly connections: unknown;
}

/** What must be the same at the end as at the beginning. */
async function held({ pid }: RunningBus, witness: RawClient): Promise<Held> {
  const stats = await witness.call('GetStats', [], { interface: `${DRIVER}.Debug.Stats` });
  const stat = new Map(stats.args[0]?.value as [string, unknown][]);
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    sockets: readFileSync('/proc/net/bus', 'utf8').trimEnd().split('\n').length,
    names: stat.get('BusNames'),
    rules: stat.get('MatchRules'),
    connections: stat.get('ActiveConnections'),
  };
}

const kib = (file: string, key: string): number =>
  Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))?.[1]);
const memory = ({ pid }: RunningBus): number => kib(`/proc/${pid}/status`, 'VmRSS');
const kernelMemory = (): number => kib('/proc/meminfo', 'SUnreclaim');

/** Counts the lives that have ended, and says so on stderr each half minute. Rejects if none goes on for a while. */
class Lives {
  ended = 0;
  ticks = 0;
  #last = performance.now();
  #timer?: NodeJS.Timeout;

  end(ticks: number): void {
    this.ended++;
    this.ticks += ticks;
  }

  goOn(): void {
    this.#last = performance.now();
  }

  async watch(lives: Promise<unknown>): Promise<void> {
    const stalled = new Promise<never>((_, reject) => {
      this.#timer = setInterval(() => {
        process.stderr.write(`… soak      ${this.ended} lives\n`);
        if (performance.now() - this.#last > STALLED_MS)
          reject(new Error(`nobody has gone on for ${STALLED_MS / 1000} s, after ${this.ended} lives`));
      }, 30_000);
    });
    try {
      await Promise.race([lives, stalled]);
    } finally {
      clearInterval(this.#timer);
    }
  }
}

describe(`${CLIENTS} clients for ${SECONDS} s`, function () {
  // How long the first and the last lives take depends on the machine: Lives ends what stands still.
  this.timeout(0);

  it('come and go, hear all that is for them, and leave nothing in the bus', async () => {
    await using bus = await startOurs('<limit name="max_connections_per_user">1000</limit>');
    using witness = await RawClient.join(bus.path);
    using legacy = await RawClient.join(bus.path);
    using native = await NativeClient.join(bus.afbus as string);
    await echo(legacy, 'soak.Echo0');
    await echo(native, 'soak.Echo1');
    const lives = new Lives();
    const places = Array.from({ length: CLIENTS }, (_, place) => place);
    const play = (until: (life: number) => boolean, from: number): Promise<void> =>
      lives.watch(
        Promise.all(
          places.map(async (place) => {
            for (let life = from; until(life); life++) await live(bus, lives, place, life);
          }),
        ),
      );

    // The first lives fill what the bus keeps for good: compiled code, caches.
    await play((life) => life === 0, 0);
    const before = await settled(bus, witness);
    const was = { memory: memory(bus), kernel: kernelMemory() };
    const end = performance.now() + SECONDS * 1000;
    await play(() => performance.now() < end, 1);

    assert.deepEqual(await settled(bus, witness), before);
    assert.ok(lives.ticks > lives.ended * TICKS, 'nobody has heard a tick of a neighbour');
    const grown = memory(bus) - was.memory;
    const grownKernel = kernelMemory() - was.kernel;
    process.stderr.write(
      `… soak      ${lives.ended} lives, ${lives.ticks} ticks, bus ${grown} KiB, kernel ${grownKernel} KiB more\n`,
    );
    assert.ok(grown < SLACK_KIB, `the bus has ${grown} KiB more than before`);
    assert.ok(grownKernel < KERNEL_SLACK_KIB, `the kernel has ${grownKernel} KiB more than before`);
  });
});

/** What is held once only the witness and the two services are there: the bus hears of an end a moment after it. */
async function settled(bus: RunningBus, witness: RawClient): Promise<Held> {
  const deadline = performance.now() + STALLED_MS;
  for (let left: string[] = []; left.length !== 3; ) {
    const names = (await witness.call('ListNames')).args[0]?.value as string[];
    left = names.filter((name) => name.startsWith(':'));
    assert.ok(performance.now() < deadline, `still there: ${left.join(' ')}`);
  }
  return held(bus, witness);
}
