// SPDX-License-Identifier: MIT
// Who owns which name, and who is told of it, when: dbus-daemon and this project's bus do the same.
import assert from 'node:assert/strict';
import type { Got } from '../dbus/client.ts';
import type { RawClient } from '../dbus/raw-client.ts';
import { type Case, errorOf, inLine, message, playOnEachBus, string, uint32 } from './talk.ts';

const NAME = 'org.example.Player';
const REPLACEABLE = 1;
const REPLACE = 2;
const DO_NOT_QUEUE = 4;

/** What a client hears up to the answer to its call, which is the last of these. */
async function ask(client: RawClient, member: string, ...args: Parameters<typeof message>[0]['args'] & {}) {
  const serial = await client.sendMessage(message({ member, args }));
  const heard: string[] = [];
  for (;;) {
    const got = (await client.next()) as Got;
    const answer = got.replySerial === serial;
    heard.push(answer ? `${errorOf(got)} ${got.args[0]?.value}` : inLine(got));
    if (answer) return heard;
  }
}

const own = async (client: RawClient, name: string, flags = 0) =>
  (await client.call('RequestName', [string(name), uint32(flags)])).args[0]?.value;
const queueOf = async (client: RawClient, name: string) =>
  (await client.call('ListQueuedOwners', [string(name)])).args[0]?.value;
/** Of all names, so also of clients of earlier cases, which leave when they like. */
const watch = (client: RawClient) => client.call('AddMatch', [string("member='NameOwnerChanged'")]);

const CASES: Readonly<Record<string, Case>> = {
  'who comes is told to those who ask': async (join) => {
    const watcher = await join();
    await watch(watcher);
    const { name } = await join();
    assert.equal(
      inLine(await watcher.until(({ args }) => args[0]?.value === name)),
      `NameOwnerChanged ${name}  ${name}`,
    );
  },
  'an owner hears of its name before its call is answered': async (join) => {
    const owner = await join();
    await owner.call('AddMatch', [string(`member='NameOwnerChanged',arg0='${NAME}'`)]);
    const { name } = owner;
    assert.deepEqual(await ask(owner, 'RequestName', string(NAME), uint32(0)), [
      `NameOwnerChanged ${NAME}  ${name}`,
      `NameAcquired ${NAME}`,
      'method_return 1',
    ]);
    assert.deepEqual(await ask(owner, 'ReleaseName', string(NAME)), [
      `NameLost ${NAME}`,
      `NameOwnerChanged ${NAME} ${name} `,
      'method_return 1',
    ]);
  },
  'a name is released by who has it or waits for it': async (join) => {
    const [owner, waits, other] = [await join(), await join(), await join()];
    const release = async (client: RawClient) =>
      (await client.call('ReleaseName', [string(NAME)])).args[0]?.value;
    assert.equal(await release(other), 2);
    await own(owner, NAME);
    await own(waits, NAME);
    assert.deepEqual([await release(other), await release(waits), await release(owner)], [3, 1, 1]);
    for (const name of [owner.name, 'org.freedesktop.DBus', 'nodot'])
      assert.equal(errorOf(await owner.call('ReleaseName', [string(name)])), 'InvalidArgs', name);
  },
  'names and flags that are taken': async (join) => {
    const client = await join();
    const names = ['a.-b', 'a.b-c', 'org.freedesktop.DBus.Foo', `a.${'b'.repeat(253)}`];
    for (const name of names) assert.equal(await own(client, name), 1, name);
    for (const flags of [0x8, 0x10, 0x80000000]) assert.equal(await own(client, `a.f${flags}`, flags), 1);
    for (const name of ['a.b.', '.a.b'])
      assert.equal(errorOf(await client.call('RequestName', [string(name), uint32(0)])), 'InvalidArgs', name);
  },
  'who is replaced waits before those who waited already': async (join) => {
    const [first, waits, next] = [await join(), await join(), await join()];
    await own(first, NAME, REPLACEABLE);
    await own(waits, NAME);
    assert.equal(await own(next, NAME, REPLACE), 1);
    assert.deepEqual(await queueOf(next, NAME), [next.name, first.name, waits.name]);
  },
  'an owner that is replaced and does not want to wait does not wait': async (join) => {
    const [first, next] = [await join(), await join()];
    await own(first, NAME, REPLACEABLE | DO_NOT_QUEUE);
    await own(next, NAME, REPLACE);
    assert.deepEqual(await queueOf(next, NAME), [next.name]);
  },
  'who leaves loses its names in turn, the unique one last': async (join) => {
    const [watcher, owner] = [await join(), await join()];
    for (const name of ['a.M', 'a.Z', 'a.A']) await own(owner, name);
    await watch(watcher);
    owner.close();
    const lost: string[] = [];
    while (lost.length < 4) {
      const { args } = await watcher.until(({ args }) => args[1]?.value === owner.name);
      lost.push(String(args[0]?.value));
    }
    assert.deepEqual(lost, ['a.A', 'a.Z', 'a.M', owner.name]);
  },
};

playOnEachBus('names', CASES);
