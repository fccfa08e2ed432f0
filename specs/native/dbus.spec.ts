// SPDX-License-Identifier: MIT
// Buses that speak D-Bus: match rules in the kernel, as nfdbus has them, and what they let through.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BusClient, BusMaster, multicastAddress } from '../../native/lib/index.ts';
import { type DbusMessage, marshal } from '../../runner/dbus/index.ts';
import { Bus, freshName } from './bus.ts';

const EVERYONE = multicastAddress(0);
const DBUS = { protocol: 'dbus' } as const;

const CHANGED: DbusMessage = {
  type: 'signal',
  endian: 'little',
  path: '/org/example/Player',
  interface: 'org.example.Player',
  member: 'Changed',
  args: [
    { type: 's', value: 'volume' },
    { type: 'o', value: '/aa/bb' },
  ],
};

const signal = (change: Partial<DbusMessage> = {}): Buffer => marshal({ ...CHANGED, ...change }, 1);

/** How many messages each has. */
const counts = (...clients: readonly BusClient[]): number[] =>
  clients.map((client) => client.tryReceive().length);

describe('a bus of D-Bus', () => {
  it('accepts sockets of its own protocol only', async () => {
    await using bus = await Bus.open(DBUS);
    assert.equal(bus.master.protocol, 'dbus');
    await assert.rejects(BusClient.connect(bus.master.path), { code: 'ECONNREFUSED' });
    const { client, accepted } = await bus.connect(DBUS);
    assert.deepEqual([client.protocol, accepted.protocol], ['dbus', 'dbus']);
  });

  it('brings a multicast to the clients whose rules match it', async () => {
    await using bus = await Bus.open(DBUS);
    const [a, b, c, d] = await bus.joinMany(4, 1, DBUS);
    assert.ok(a && b && c && d);
    b.accepted.addMatch("type='signal',interface='org.example.Player'");
    c.accepted.addMatch("member='Other'");
    c.accepted.addMatch("path_namespace='/org/example',arg1path='/aa/'");
    d.accepted.addMatch("member='Other'");
    await a.client.send(signal(), { to: EVERYONE });
    assert.deepEqual(counts(a.client, b.client, c.client, d.client), [0, 1, 1, 0]);
    await a.client.send(signal({ endian: 'big' }), { to: EVERYONE });
    assert.deepEqual(counts(a.client, b.client, c.client, d.client), [0, 1, 1, 0]);
    await a.client.send(signal({ member: 'Other', interface: 'a.B', path: '/', args: [] }), { to: EVERYONE });
    assert.deepEqual(counts(a.client, b.client, c.client, d.client), [0, 0, 1, 1]);
  });

  it('judges no unicast, and no multicast of the master that is no D-Bus message', async () => {
    await using bus = await Bus.open(DBUS);
    const [a, b] = await bus.joinMany(2, 1, DBUS);
    assert.ok(a && b);
    await a.client.send('bytes', { to: EVERYONE });
    assert.deepEqual(counts(a.client, b.client), [0, 0]);
    await a.client.send('bytes', { to: b.client.address });
    await a.accepted.send('bytes', { to: EVERYONE });
    await a.client.send('bytes');
    assert.deepEqual(counts(a.client, b.client), [1, 2]);
    assert.equal(a.accepted.tryReceive().length, 1);
    b.accepted.addMatch('');
    await a.client.send('bytes', { to: EVERYONE });
    assert.deepEqual(counts(b.client), [0]);
  });

  it('shows an eavesdropper unicasts, and the multicasts that its rules want, if they are messages', async () => {
    await using bus = await Bus.open(DBUS);
    const [a, b] = await bus.joinMany(2, 1, DBUS);
    const watcher = await bus.join(2, DBUS);
    assert.ok(a && b);
    watcher.accepted.setEavesdrop(true);
    await a.client.send(signal(), { to: multicastAddress(1) });
    assert.deepEqual(counts(watcher.client), [0]);
    watcher.accepted.addMatch("member='Changed'");
    await a.client.send(signal(), { to: multicastAddress(1) });
    await a.client.send(signal(), { to: b.client.address });
    await a.client.send('bytes', { to: b.client.address });
    const seen = watcher.client.tryReceive();
    assert.deepEqual([seen.length, seen[0]?.lost], [2, undefined]);
  });

  it('has rules that can be listed, removed one by one, or all at once', async () => {
    await using bus = await Bus.open(DBUS);
    const [a, b] = await bus.joinMany(2, 1, DBUS);
    assert.ok(a && b);
    a.accepted.addMatch("member='X'");
    a.accepted.addMatch("member='X'");
    bus.master.addMatch('0001/000000000002', "member='Y'");
    assert.deepEqual(a.accepted.matches(), ["member='X'", "member='X'"]);
    assert.deepEqual(
      bus.master
        .matches()
        .map(({ client, rule }) => `${client} ${rule}`)
        .toSorted(),
      [`${a.client.address} member='X'`, `${a.client.address} member='X'`, `${b.client.address} member='Y'`],
    );
    assert.deepEqual(bus.master.matches(b.client.address), [
      { client: b.client.address, rule: "member='Y'" },
    ]);
    a.accepted.removeMatch('member=X');
    assert.equal(a.accepted.matches().length, 1);
    a.accepted.removeAllMatches();
    assert.deepEqual(a.accepted.matches(), []);
    b.client.close();
    assert.deepEqual(bus.master.matches(), []);
  });

  it('lists more rules than one answer holds', async () => {
    await using bus = await Bus.open(DBUS);
    const a = await bus.join(1, DBUS);
    const all = Array.from({ length: 300 }, (_, n) => `arg0='${String(n).padStart(300, '0')}'`);
    for (const rule of all) a.accepted.addMatch(rule);
    assert.deepEqual(a.accepted.matches(), all);
  });

  it('knows senders by their addresses, and by names that the master has set', async () => {
    await using bus = await Bus.open(DBUS);
    const [a, b, c] = await bus.joinMany(3, 1, DBUS);
    assert.ok(a && b && c);
    b.accepted.addMatch("sender=':0.1'");
    c.accepted.addMatch("sender='org.example.Player'");
    await a.client.send(signal(), { to: EVERYONE });
    assert.deepEqual(counts(b.client, c.client), [1, 0]);
    a.accepted.setName('org.example.Player');
    assert.deepEqual(bus.master.names(), [{ client: a.client.address, name: 'org.example.Player' }]);
    await a.client.send(signal(), { to: EVERYONE });
    assert.deepEqual(counts(b.client, c.client), [1, 1]);
    bus.master.setName(b.client.address, 'org.example.Player');
    await a.client.send(signal(), { to: EVERYONE });
    assert.deepEqual(counts(b.client, c.client), [1, 0]);
    bus.master.unsetName('org.example.Player');
    assert.throws(() => bus.master.unsetName('org.example.Player'), { code: 'ENOENT', syscall: 'nfdbus' });
  });

  it('has an abstract name or a path', async () => {
    const path = `/tmp/afbus-dbus-${process.pid}`;
    await using bus = await Bus.open({ ...DBUS, path });
    const { accepted } = await bus.join(1, DBUS);
    accepted.addMatch("member='X'");
    assert.deepEqual(accepted.matches(), ["member='X'"]);
  });
});

describe('errors of nfdbus', () => {
  it('say which rule, and what is wrong with it', async () => {
    await using bus = await Bus.open(DBUS);
    const { client, accepted } = await bus.join(1, DBUS);
    const rule = "typ='signal'";
    assert.throws(
      () => accepted.addMatch(rule),
      (error: NodeJS.ErrnoException & { rule?: string; address?: string }) => {
        assert.deepEqual([error.code, error.syscall, error.rule], ['EINVAL', 'nfdbus', rule]);
        assert.deepEqual([error.path, error.address], [bus.master.path, client.address]);
        assert.match(error.message, /^EINVAL: invalid argument \(.+\), nfdbus 0000\//);
        return true;
      },
    );
    assert.deepEqual(accepted.matches(), []);
    assert.throws(() => accepted.removeMatch("member='X'"), { code: 'ENOENT', syscall: 'nfdbus' });
    assert.throws(() => accepted.addMatch('a\0b'), TypeError);
  });

  it('say that there is no such bus, or client', async () => {
    await using bus = await Bus.open(DBUS);
    assert.throws(() => bus.master.addMatch('0009/000000000009', ''), { syscall: 'nfdbus' });
    const { accepted } = await bus.join(1, DBUS);
    assert.throws(() => accepted.addMatch(`arg0='${'x'.repeat(2000)}'`), { syscall: 'nfdbus' });
    assert.throws(() => accepted.addMatch(`arg0='${'x'.repeat(70_000)}'`), { code: 'EMSGSIZE' });
    await using plain = await BusMaster.listen(freshName());
    assert.throws(() => plain.matches(), { syscall: 'nfdbus' });
  });
});
