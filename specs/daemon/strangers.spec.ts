// SPDX-License-Identifier: MIT
// Clients that wish the bus ill: it serves the others, and loses neither descriptors nor its life.
import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { BusClient, type BusError, UnixStream } from '../../native/lib/index.ts';
import { type Arg, DRIVER } from '../../runner/dbus/index.ts';
import { type RunningBus, startOurs } from '../dbus/daemons.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { addressOf, NativeClient } from './native-client.ts';
import { bytesOf, errorOf, string } from './talk.ts';

const CALL = { type: 'method_call', path: '/p', interface: 'a.B', member: 'M' } as const;
const WITH_FD = { ...CALL, unixFds: 1, args: [{ type: 'h', value: 0 }] } as const;

const openFds = ({ pid }: RunningBus): number => readdirSync(`/proc/${pid}/fd`).length;

const NAME = 'org.example.Player';
const DESCRIPTORS = 64;
const PATIENCE_MS = 20_000;

async function eventually(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !condition(); await pause(5))
    if (Date.now() > end) throw new Error(`it has never held: ${condition}`);
}

describe('strangers', function () {
  this.timeout(60_000);

  it('that take all descriptors of the bus leave it alive', async () => {
    const many = '<limit name="max_incomplete_connections">1000</limit>';
    await using bus = await startOurs(many, { descriptors: DESCRIPTORS });
    const path = bus.afbus as string;
    const legacy = Array.from({ length: 80 }, () => UnixStream.connect(bus.path));
    await eventually(() => openFds(bus) >= DESCRIPTORS);
    const native = Array.from({ length: 20 }, () => BusClient.connect(path, { protocol: 'dbus' }));
    for (const each of [...legacy, ...(await Promise.all(native))]) each.close();
    using one = await RawClient.join(bus.path);
    using other = await NativeClient.join(path);
    assert.equal(errorOf(await one.call('NameHasOwner', [string(other.name)])), 'method_return');
  });

  it('that only connect do not keep the bus from its end', async () => {
    const bus = await startOurs('<limit name="auth_timeout">600000</limit>');
    using legacy = UnixStream.connect(bus.path);
    using native = await BusClient.connect(bus.afbus as string, { protocol: 'dbus' });
    // Both are served, not only in the backlog: the bus answers them.
    await legacy.write(Buffer.from('\0NONSENSE\r\n'));
    await native.send('\0NONSENSE\r\n');
    await Promise.all([legacy.receive(), native.receive()]);
    await bus[Symbol.asyncDispose]();
  });

  it('that fill the backlog of the bus do not keep a client of the other transport waiting', async () => {
    await using bus = await startOurs('<limit name="max_incomplete_connections">2</limit>');
    using first = new RawClient(UnixStream.connect(bus.path));
    using second = UnixStream.connect(bus.path);
    // The bus serves both, so that it lets no more in.
    for (const stream of [first.stream, second]) await stream.write(Buffer.from('\0NONSENSE\r\n'));
    await Promise.all([first.line(), second.receive()]);
    const giveUp = new AbortController();
    const options = { protocol: 'dbus', signal: giveUp.signal } as const;
    const strangers = Array.from({ length: 140 }, () => BusClient.connect(bus.afbus as string, options));
    const settled = Promise.allSettled(strangers);
    let connected = 0;
    for (const stranger of strangers)
      stranger.then(
        () => connected++,
        () => {},
      );
    await eventually(() => connected >= 128);
    await first.stream.write(Buffer.from('AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n'));
    while (!(await first.line())?.startsWith('OK '));
    assert.equal(errorOf(await first.call('Hello')), 'method_return');
    giveUp.abort();
    for (const each of await settled) if (each.status === 'fulfilled') each.value.close();
  });

  it('that the policy refuses leave no descriptor open', async () => {
    await using bus = await startOurs('<policy context="mandatory"><deny user="*"/></policy>');
    const beRefused = async (): Promise<void> => {
      using client = new RawClient(UnixStream.connect(bus.path));
      await client.authenticate();
      assert.equal(await client.next(), undefined);
    };
    // What the daemon opens for itself is open after its first client.
    await beRefused();
    const before = openFds(bus);
    for (let n = 0; n < 40; n++) await beRefused();
    await eventually(() => openFds(bus) <= before);
  });

  it('whose descriptors cannot be delivered leave none open', async () => {
    await using bus = await startOurs();
    using native = await NativeClient.join(bus.afbus as string);
    using legacy = await RawClient.join(bus.path);
    const fd = openSync('/dev/null', 'r');
    const before = openFds(bus);
    for (let n = 0; n < 20; n++)
      for (const destination of [DRIVER, 'org.example.Nobody']) {
        await native.sendMessage({ ...WITH_FD, destination }, { fds: [{ fd }] });
        await legacy.send(bytesOf({ ...WITH_FD, destination }), [{ fd }]);
      }
    closeSync(fd);
    await Promise.all([native.call('GetId'), legacy.call('GetId')]);
    await eventually(() => openFds(bus) <= before);
  });

  it('that send more or fewer descriptors than a message declares have it dropped', async () => {
    await using bus = await startOurs();
    using native = await NativeClient.join(bus.afbus as string);
    using legacy = await RawClient.join(bus.path);
    const to = addressOf(legacy.name);
    const fd = openSync('/dev/null', 'r');
    await native.sendMessage({ ...WITH_FD, member: 'Few', destination: legacy.name }, { to });
    await native.sendMessage({ ...CALL, member: 'Many', destination: legacy.name }, { to, fds: [{ fd }] });
    await native.sendMessage({ ...WITH_FD, destination: legacy.name }, { to, fds: [{ fd }] });
    const got = await legacy.next();
    assert.deepEqual([got?.member, got?.sender, got?.fds.length], ['M', native.name, 1]);
    got?.fds[0]?.close();
    await native.sendMessage({ ...WITH_FD, destination: legacy.name });
    assert.equal(await native.next(), undefined, 'the bus itself expels it');
    assert.equal(errorOf(await legacy.call('GetId')), 'method_return');
    closeSync(fd);
  });

  it('that say more than the bus can pass on are told so', async () => {
    await using bus = await startOurs('<limit name="max_message_size">65536</limit>');
    using native = await NativeClient.join(bus.afbus as string);
    using legacy = await RawClient.join(bus.path);
    const sized = (bytes: number) => ({
      ...{ ...CALL, destination: legacy.name },
      args: [{ type: 'ay', value: Buffer.alloc(bytes) }] as Arg[],
    });
    // The kernel takes it, and it is too long with its sender.
    const overhead = bytesOf(sized(0)).length;
    await native.sendMessage(sized(65_536 - overhead));
    assert.equal(errorOf(await native.until(({ type }) => type === 'error')), 'LimitsExceeded');
    assert.equal(errorOf(await legacy.call('GetId')), 'method_return');
  });

  it('that do not read what they are answered are expelled before they have a name', async () => {
    await using bus = await startOurs();
    using native = await NativeClient.connect(bus.afbus as string);
    const flood = async (): Promise<void> => {
      for (;;) await native.socket.send('\0NONSENSE\r\n');
    };
    // By the kernel, which says so once.
    await assert.rejects(flood, ({ code }: BusError) => code === 'ENOBUFS' || code === 'EPIPE');
  });

  it('that leave at once have said nothing in the name of another', async () => {
    await using bus = await startOurs();
    using legacy = await RawClient.join(bus.path);
    const native = await NativeClient.join(bus.afbus as string);
    const to = addressOf(legacy.name);
    const args = [NAME, '', ':0.1'].map(string);
    const count = 300;
    // The bus reads nothing before the sender has left.
    process.kill(bus.pid, 'SIGSTOP');
    for (let n = 0; n < count; n++) {
      await native.sendMessage(
        {
          ...{ type: 'signal', sender: DRIVER, path: '/org/freedesktop/DBus', interface: DRIVER },
          ...{ member: 'NameOwnerChanged', destination: legacy.name, args },
        },
        { to },
      );
      await native.socket.send('no message', { to });
    }
    native.close();
    process.kill(bus.pid, 'SIGCONT');
    for (let n = 0; n < count; n++) assert.equal((await legacy.next())?.sender, native.name);
    assert.equal((await legacy.call('NameHasOwner', [string(native.name)])).args[0]?.value, false);
  });

  it('may answer NoReply: the call has its answer', async () => {
    await using bus = await startOurs();
    using callee = await NativeClient.join(bus.afbus as string);
    using caller = await RawClient.join(bus.path);
    await caller.sendMessage({ ...CALL, destination: callee.name });
    const { serial: replySerial } = await callee.until(({ member }) => member === 'M');
    const errorName = `${DRIVER}.Error.NoReply`;
    await callee.sendMessage({ type: 'error', errorName, replySerial, destination: caller.name });
    assert.equal((await caller.until(({ type }) => type === 'error')).sender, callee.name);
  });

  it('that claim a reply of the bus take none from others', async () => {
    await using bus = await startOurs();
    using native = await NativeClient.join(bus.afbus as string);
    using caller = await RawClient.join(bus.path);
    using callee = await RawClient.join(bus.path);
    const replySerial = await caller.sendMessage({ ...CALL, destination: callee.name });
    await callee.until(({ member }) => member === 'M');
    const errorName = `${DRIVER}.Error.NoReply`;
    await native.sendMessage(
      { type: 'error', errorName, replySerial, sender: DRIVER, destination: caller.name },
      { to: addressOf(caller.name) },
    );
    assert.equal((await caller.until(({ type }) => type === 'error')).sender, native.name);
    callee.close();
    assert.equal((await caller.until(({ type }) => type === 'error')).sender, DRIVER);
  });
});
