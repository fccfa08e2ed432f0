// SPDX-License-Identifier: MIT
// What a bus passes on as it is, and what it answers itself: dbus-daemon and this project's bus do the same.
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { UnixStream } from '../../native/lib/index.ts';
import { type DbusMessage, DRIVER } from '../../runner/dbus/index.ts';
import type { Got } from '../dbus/client.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { bytesOf, type Case, errorOf, inLine, playOnEachBus, string, uint32 } from './talk.ts';

const PEER = { path: '/p', interface: 'a.B', member: 'M' } as const;
const SIGNAL = { type: 'signal', ...PEER } as const;
const BUS = { path: '/org/freedesktop/DBus', interface: DRIVER } as const;
const SERIAL = 9;

/** Sends bytes with /dev/null as a descriptor, in these pieces; it comes with the first byte of the one that has it. */
async function sendWithFd(client: RawClient, pieces: readonly Buffer[], which: number): Promise<void> {
  const fd = openSync('/dev/null', 'r');
  for (const [n, piece] of pieces.entries()) await client.send(piece, n === which ? [{ fd }] : []);
  closeSync(fd);
}

function fdsOf({ fds }: Got): number {
  for (const fd of fds) fd.close();
  return fds.length;
}

const CASES: Readonly<Record<string, Case>> = {
  'a field that nobody knows does not harm a call of the bus': async (join) => {
    const client = await join();
    const call = bytesOf({ member: 'GetId' });
    // { 99, signature y, 1 } after the other fields, which end at a multiple of 8 or are padded up to it.
    const field = Buffer.from([99, 1, 0x79, 0, 1, 0, 0, 0]);
    const bytes = Buffer.concat([call, field]);
    bytes.writeUInt32LE(call.length - 16 + 5, 12);
    await client.send(bytes);
    assert.equal(errorOf(await client.until(({ replySerial }) => replySerial === SERIAL)), 'method_return');
  },
  'a signal of a client that says what only the bus says names its sender': async (join) => {
    const [forger, reader] = [await join(), await join()];
    await reader.call('AddMatch', [string("member='NameOwnerChanged',arg0='a.B'")]);
    const args = [string('a.B'), string(''), string(reader.name)];
    await forger.sendMessage({ type: 'signal', ...BUS, member: 'NameOwnerChanged', sender: DRIVER, args });
    const got = (await reader.next()) as Got;
    assert.deepEqual([got.sender, got.args[0]?.value], [forger.name, 'a.B']);
  },
  'a descriptor that the header does not count is dropped': async (join) => {
    const [a, b] = [await join(), await join()];
    await sendWithFd(a, [bytesOf({ ...PEER, destination: b.name })], 0);
    assert.equal(fdsOf(await b.until(({ member }) => member === 'M')), 0);
  },
  'an index that is out of range is the business of the receiver': async (join) => {
    const [a, b] = [await join(), await join()];
    const more = { ...PEER, destination: b.name, unixFds: 1, flags: 1 };
    for (const args of [[{ type: 'h', value: 5 } as const], [string('no index')]]) {
      await sendWithFd(a, [bytesOf({ ...more, args })], 0);
      assert.equal(fdsOf(await b.until(({ member }) => member === 'M')), 1);
    }
  },
  'descriptors may come with the end of their message': async (join) => {
    const [a, b] = [await join(), await join()];
    const bytes = bytesOf({
      ...PEER,
      destination: b.name,
      unixFds: 1,
      args: [{ type: 'h', value: 0 }],
    });
    await sendWithFd(a, [bytes.subarray(0, 20), bytes.subarray(20)], 1);
    assert.equal(fdsOf(await b.until(({ member }) => member === 'M')), 1);
  },
  'the bus answers at any path, and without an interface': async (join) => {
    const client = await join();
    const peer = { interface: 'org.freedesktop.DBus.Peer' };
    const asked: readonly [string, Partial<DbusMessage>][] = [
      ['GetId', {}],
      ['GetId', { interface: undefined as unknown as string }],
      ['Ping', peer],
      ['GetMachineId', peer],
      ['Ping', { ...peer, destination: undefined as unknown as string }],
    ];
    for (const [member, more] of asked)
      assert.equal(
        errorOf(await client.call(member, [], { path: '/any', ...more })),
        'method_return',
        member,
      );
    for (const [member, args] of [
      ['AddMatch', [string("member='M'")]],
      ['RequestName', [string('a.AtAnyPath'), uint32(0)]],
      ['GetConnectionCredentials', [string(client.name)]],
    ] as const)
      assert.equal(errorOf(await client.call(member, args, { path: '/any' })), 'method_return', member);
  },
  'the bus describes itself': async (join) => {
    const client = await join();
    const { args } = await client.call('Introspect', [], { interface: `${DRIVER}.Introspectable` });
    const interfaces = [...String(args[0]?.value).matchAll(/<interface name="([^"]*)"/g)].map(
      ([, name]) => name,
    );
    const own = ['Debug.Stats', 'Introspectable', 'Monitoring', 'Peer', 'Properties'].map(
      (name) => `${DRIVER}.${name}`,
    );
    // This project's bus has one more, of its own.
    for (const name of [DRIVER, ...own]) assert.ok(interfaces.includes(name), name);
    for (const name of ['a.B', ''])
      assert.equal(
        errorOf(await client.call('GetAll', [string(name)], { interface: `${DRIVER}.Properties` })),
        'UnknownInterface',
      );
  },
  'what has nothing to say is answered all the same': async (join) => {
    const client = await join();
    const environment = { type: 'a{ss}', value: {} };
    for (const [member, args] of [
      ['ReloadConfig', []],
      ['UpdateActivationEnvironment', [environment]],
    ] as const)
      assert.deepEqual((await client.call(member, args)).args, [], member);
  },
  'a rule has up to 1,024 bytes, and is removed as often as it was added': async (join) => {
    const client = await join();
    const ask = async (member: string, rule: string) => errorOf(await client.call(member, [string(rule)]));
    const longest = `arg0='${'x'.repeat(1017)}'`;
    assert.equal(await ask('AddMatch', longest), 'method_return');
    assert.equal(await ask('AddMatch', `${longest} `), 'LimitsExceeded');
    assert.equal(await ask('AddMatch', "arg00='x',"), 'method_return');
    assert.equal(await ask('AddMatch', ' arg0 =x'), 'method_return');
    for (const result of ['method_return', 'method_return', 'MatchRuleNotFound'])
      assert.equal(await ask('RemoveMatch', "arg0='x'"), result);
    assert.equal(await ask('RemoveMatch', 'foo=x'), 'MatchRuleInvalid');
    for (const sender of [':1.4294967295', 'org.example.Nobody'])
      for (const member of ['AddMatch', 'RemoveMatch'])
        assert.equal(await ask(member, `sender='${sender}'`), 'method_return');
  },
  'a signal and then a call of one sender come in that order': async (join) => {
    const [a, b] = [await join(), await join()];
    await b.call('AddMatch', [string("member='M'")]);
    for (let n = 0; n < 20; n++) {
      await a.sendMessage({ ...SIGNAL, args: [uint32(n)] });
      await a.sendMessage({ type: 'method_call', ...PEER, member: 'Call', destination: b.name, flags: 1 });
      assert.deepEqual([inLine((await b.next()) as Got), (await b.next())?.member], [`M ${n}`, 'Call']);
    }
  },
  'what a client has said before it left arrives': async (join, bus) => {
    const reader = await join();
    await reader.call('AddMatch', [string("member='M'")]);
    const leaver = await RawClient.join(bus.path);
    for (let n = 0; n < 5; n++) await leaver.sendMessage({ ...SIGNAL, args: [uint32(n)] });
    leaver.close();
    for (let n = 0; n < 5; n++) assert.equal(inLine((await reader.next()) as Got), `M ${n}`);
  },
  'a monitor that becomes one again is disconnected': async (join) => {
    const monitor = await join();
    const become = {
      type: 'method_call',
      ...BUS,
      destination: DRIVER,
      interface: `${DRIVER}.Monitoring`,
    } as const;
    const args = [{ type: 'as', value: [] }, uint32(0)];
    for (let n = 0; n < 2; n++) await monitor.sendMessage({ ...become, member: 'BecomeMonitor', args });
    await assert.rejects(monitor.until(() => false));
  },
  'a second line of a login is no message': async (_, bus) => {
    using client = new RawClient(UnixStream.connect(bus.path));
    await client.authenticate();
    await client.send(Buffer.from('NEGOTIATE_UNIX_FD\r\n'));
    assert.equal(await client.next(), undefined);
  },
};

playOnEachBus('a bus', CASES);
