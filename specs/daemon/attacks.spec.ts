// SPDX-License-Identifier: MIT
// What has once brought down, filled up or misled some message bus, as its list of changes tells it: harmless here, and to others.
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { UnixStream } from '../../native/lib/index.ts';
import type { Arg } from '../../runner/dbus/index.ts';
import { type RunningBus, startOurs } from '../dbus/daemons.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { bytesOf, errorOf, patched, string, uint32 } from './talk.ts';

const SIGNAL = { type: 'signal', path: '/', interface: 'a.B', member: 'M' } as const;

/** A call with a variant in a variant, and so on: the marshaller of this project refuses to write it. */
function nested(depth: number): Buffer {
  const bytes = bytesOf({ args: [{ type: 'v', value: { type: 'y', value: 1 } }] });
  const body = bytes.readUInt32LE(4);
  const more = Buffer.concat(new Array(depth - 1).fill(Buffer.from('\x01v\0')));
  const start = bytes.length - body;
  return patched(Buffer.concat([bytes.subarray(0, start), more, bytes.subarray(start)]), (all) =>
    all.writeUInt32LE(body + more.length, 4),
  );
}

/** The bytes of a call whose body has this signature, of the same length as that of `args`. */
const withSignature = (args: readonly Arg[], from: string, to: string): Buffer =>
  patched(bytesOf({ args }), (bytes) => bytes.write(to, bytes.indexOf(`${from}\0`, 0, 'latin1'), 'latin1'));

/** Elements of a path. */
const DEEP = 4_000_000;

const BYTES: Arg = { type: 'ay', value: Buffer.alloc(9) };

const FATAL: Readonly<Record<string, Buffer>> = {
  'a hundred variants in each other': nested(100),
  'a signature with an open bracket': withSignature([{ type: '(yy)', value: [1, 2] }], '(yy)', '(yy('),
  'a signature with two brackets that cross': withSignature(
    [{ type: 'a{y(y)}', value: new Map([[1, [2]]]) }],
    'a{y(y)}',
    'a{y(y})',
  ),
  'an array of numbers whose length is no number of them': patched(
    bytesOf({ args: [BYTES, BYTES] }),
    (bytes) => bytes.write('au', bytes.indexOf('ayay\0', 0, 'latin1'), 'latin1'),
  ),
};

describe('an attack that has harmed other buses', function () {
  this.timeout(120_000);
  let bus: RunningBus;
  let services: string;

  before(async () => {
    services = mkdtempSync(join(tmpdir(), 'dbus-services-'));
    writeFileSync(join(services, 'a.Slow.service'), '[D-BUS Service]\nName=a.Slow\nExec=/bin/sleep 100\n');
    bus = await startOurs(
      `<servicedir>${services}</servicedir><limit name="max_outgoing_bytes">200000</limit>`,
    );
  });

  after(async () => {
    await bus[Symbol.asyncDispose]();
    rmSync(services, { recursive: true });
  });

  for (const [what, bytes] of Object.entries(FATAL))
    it(`ends the connection that it comes from, and no other: ${what}`, async () => {
      using client = await RawClient.join(bus.path);
      using other = await RawClient.join(bus.path);
      await client.send(bytes);
      assert.equal(await client.next(), undefined);
      assert.equal(errorOf(await other.call('GetId')), 'method_return');
    });

  it('keeps no descriptor of a message that has more than the bus takes', async () => {
    using other = await RawClient.join(bus.path);
    const open = () => readdirSync(`/proc/${bus.pid}/fd`).length;
    await other.call('GetId');
    const before = open();
    const fd = openSync('/dev/null', 'r');
    for (let n = 0; n < 5; n++) {
      using client = await RawClient.join(bus.path);
      await client.send(bytesOf({ unixFds: 60 }), new Array(60).fill({ fd }));
      assert.equal(await client.next(), undefined);
    }
    closeSync(fd);
    await other.call('GetId');
    assert.equal(open(), before);
  });

  it('passes a message of the other byte order on with its descriptors', async () => {
    using sender = await RawClient.join(bus.path);
    using receiver = await RawClient.join(bus.path);
    const fd = openSync('/dev/null', 'r');
    const args: Arg[] = [{ type: 'h', value: 0 }, uint32(0x01020304)];
    const call = {
      endian: 'big',
      destination: receiver.name,
      path: '/',
      interface: 'a.B',
      member: 'M',
    } as const;
    await sender.send(bytesOf({ ...call, unixFds: 1, args }), [{ fd }]);
    closeSync(fd);
    const got = await receiver.until(({ member }) => member === 'M');
    assert.deepEqual([got.args[1]?.value, got.fds.length], [0x01020304, 1]);
    for (const each of got.fds) each.close();
  });

  it('takes a path of more elements than a regular expression can walk over', async () => {
    using sender = await RawClient.join(bus.path);
    await sender.sendMessage({ ...SIGNAL, args: [{ type: 'o', value: '/a'.repeat(DEEP) }] });
    assert.equal(errorOf(await sender.call('GetId')), 'method_return');
  });

  it('writes no more of a name that is none into its log than its beginning', async () => {
    using client = await RawClient.join(bus.path);
    await client.send(bytesOf({ interface: 'nodot'.repeat(1_000_000) }));
    assert.equal(await client.next(), undefined);
    await bus.log.says(/not valid as interface.*\n/);
    assert.ok(Math.max(...bus.log.text.split('\n').map(({ length }) => length)) < 1000);
  });

  it('knows no cookie: a client names no file that the bus would read', async () => {
    using client = new RawClient(UnixStream.connect(bus.path));
    const name = Buffer.from('../../etc').toString('hex');
    await client.stream.write(Buffer.from(`\0AUTH DBUS_COOKIE_SHA1 ${name}\r\n`));
    assert.equal(await client.line(), 'REJECTED EXTERNAL');
  });

  it('lets no client say that a service has failed to start', async () => {
    using caller = await RawClient.join(bus.path);
    using liar = await RawClient.join(bus.path);
    const serial = await caller.sendMessage({
      ...{ type: 'method_call', destination: 'a.Slow', path: '/', interface: 'a.B', member: 'M' },
    });
    await caller.call('GetId');
    await liar.sendMessage({
      ...{ type: 'signal', path: '/org/freedesktop/DBus', destination: 'org.freedesktop.DBus' },
      ...{ interface: 'org.freedesktop.systemd1.Activator', member: 'ActivationFailure' },
      args: [string('a.Slow'), string('a.B.Failed'), string('not at all')],
    });
    await liar.call('GetId');
    const asked = await caller.sendMessage({
      ...{ type: 'method_call', destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' },
      ...{ interface: 'org.freedesktop.DBus', member: 'GetId' },
    });
    const got = await caller.until(({ replySerial }) => replySerial === asked || replySerial === serial);
    assert.equal(got.replySerial, asked);
  });

  it('lets a monitor that does not read take nothing from others', async () => {
    using monitor = await RawClient.join(bus.path);
    using sender = await RawClient.join(bus.path);
    using receiver = await RawClient.join(bus.path);
    await receiver.call('AddMatch', [string("member='M'")]);
    const none: Arg = { type: 'as', value: [] };
    const { path, destination } = { path: '/org/freedesktop/DBus', destination: 'org.freedesktop.DBus' };
    await monitor.sendMessage({
      ...{ type: 'method_call', path, destination, args: [none, uint32(0)] },
      ...{ interface: 'org.freedesktop.DBus.Monitoring', member: 'BecomeMonitor' },
    });
    const blob: Arg = { type: 'ay', value: Buffer.alloc(16 * 1024) };
    for (let n = 0; n < 100; n++) {
      await sender.sendMessage({ ...SIGNAL, args: [uint32(n), blob] });
      const got = await receiver.until(({ member }) => member === 'M');
      assert.equal(got.args[0]?.value, n);
    }
    await bus.log.says(new RegExp(`${monitor.name} .*does not read`));
    assert.equal(errorOf(await sender.call('GetId')), 'method_return');
  });
});
