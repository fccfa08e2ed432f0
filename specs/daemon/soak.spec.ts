// SPDX-License-Identifier: MIT
// Clients that join, call, signal and leave without a pause: each signal reaches those with a matching rule, and when all have
// left, the bus has as many descriptors, and within a bound as much memory, as before. DBUS_SOAK=600 DBUS_CLIENTS=200 is long.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { type RunningBus, startOurs } from '../dbus/daemons.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { errorOf, string, uint32 } from './talk.ts';

const SECONDS = Number(process.env.DBUS_SOAK ?? 10);
const CLIENTS = Number(process.env.DBUS_CLIENTS ?? 20);
/** What the heap of a process in JavaScript may differ by, from one look to another. */
const SLACK_KIB = 48 * 1024;
const SIGNAL = { type: 'signal', path: '/', interface: 'soak.Signal', member: 'Tick' } as const;

const open = ({ pid }: RunningBus): number => readdirSync(`/proc/${pid}/fd`).length;
const memory = ({ pid }: RunningBus): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

let door: Promise<unknown> = Promise.resolve();

/** One after another: of more at once than its backlog has places, the bus's socket refuses some. */
function join(bus: RunningBus): Promise<RawClient> {
  const client = door.then(() => RawClient.join(bus.path));
  door = client.catch(() => {});
  return client;
}

/** One client's life: joins, owns a name, hears its own signals and nobody else's, asks who owns the name, leaves. */
async function live(bus: RunningBus, place: number, life: number): Promise<void> {
  using client = await join(bus);
  const name = `soak.Client${place}`;
  assert.equal((await client.call('RequestName', [string(name), uint32(4)])).args[0]?.value, 1);
  await client.call('AddMatch', [string(`type='signal',interface='soak.Signal',sender='${name}'`)]);
  for (let n = 0; n < 10; n++) {
    await client.sendMessage({ ...SIGNAL, args: [uint32(place), uint32(life), uint32(n)] });
    const got = await client.until(({ member }) => member === 'Tick');
    assert.deepEqual(
      got.args.map(({ value }) => value),
      [place, life, n],
    );
  }
  assert.equal(errorOf(await client.call('GetNameOwner', [string(name)])), 'method_return');
}

describe(`${CLIENTS} clients for ${SECONDS} s`, function () {
  this.timeout((SECONDS + 300) * 1000);

  it('come and go, hear all that is for them, and leave nothing in the bus', async () => {
    await using bus = await startOurs('<limit name="max_connections_per_user">1000</limit>');
    using witness = await RawClient.join(bus.path);
    await witness.call('GetId');
    const places = Array.from({ length: CLIENTS }, (_, place) => place);
    // The first lives fill what the bus keeps for good: compiled code, caches.
    await Promise.all(places.map((place) => live(bus, place, 0)));
    await witness.call('GetId');
    const before = { open: open(bus), memory: memory(bus) };
    const end = Date.now() + SECONDS * 1000;
    await Promise.all(
      places.map(async (place) => {
        for (let life = 1; Date.now() < end; life++) await live(bus, place, life);
      }),
    );
    const left = async () => (await witness.call('ListNames')).args[0]?.value as string[];
    // The bus hears of an end a moment after it.
    while ((await left()).length > 2);
    assert.deepEqual((await left()).sort(), [witness.name, 'org.freedesktop.DBus']);
    assert.equal(open(bus), before.open);
    const grown = memory(bus) - before.memory;
    assert.ok(grown < SLACK_KIB, `the bus has ${grown} KiB more than before`);
  });
});
