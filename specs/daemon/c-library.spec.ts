// SPDX-License-Identifier: MIT
// libafbus-dbus: installed, compiled against as a stranger does, and used with this project's bus and programs of others.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as immediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { after, afterEach, before, describe, it } from 'mocha';
import { MASTER_ADDRESS } from '../../native/lib/index.ts';
import { type RunningBus, startDaemon, startOurs } from '../dbus/daemons.ts';
import { addressOf, type Heard, NativeClient } from './native-client.ts';
import { bytesOf, patched, string, uint32 } from './talk.ts';

const run = promisify(execFile);
const LIBRARY = fileURLToPath(new URL('../../libafbus-dbus', import.meta.url));
const PEER = fileURLToPath(new URL('fixtures/peer.c', import.meta.url));
const NAME = 'org.example.Peer';
const ON_PEER = [NAME, '/org/example/Peer', NAME];

describe('libafbus-dbus', function () {
  this.timeout(300_000);
  let prefix = '';
  let bus: RunningBus;
  let address = '';
  const children: ChildProcess[] = [];
  const clients: NativeClient[] = [];

  before(async () => {
    prefix = mkdtempSync(join(tmpdir(), 'c-library-'));
    await run('make', ['-s', '-C', LIBRARY, 'install', `PREFIX=${prefix}`]);
    await compile(PEER, 'peer');
    bus = await startOurs();
    address = `afbus:abstract=${bus.afbus?.slice(1)}`;
  });

  after(async () => {
    await bus?.[Symbol.asyncDispose]();
    rmSync(prefix, { recursive: true });
  });

  afterEach(() => {
    for (const child of children.splice(0)) child.kill();
    for (const client of clients.splice(0)) client.close();
  });

  const env = () => ({
    ...process.env,
    PKG_CONFIG_PATH: join(prefix, 'lib/pkgconfig'),
    LD_LIBRARY_PATH: join(prefix, 'lib'),
    LC_ALL: 'C.UTF-8',
  });

  /** As a stranger compiles a program: pkg-config says all that it needs. */
  async function compile(source: string, program: string): Promise<void> {
    const command = `cc -std=c99 -D_GNU_SOURCE -Wall -Wextra -Werror "$1" $(pkg-config --cflags --libs afbus-dbus) -o "$2"`;
    await run('sh', ['-c', command, 'sh', source, join(prefix, program)], { env: env() });
  }

  const peer = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(join(prefix, 'peer'), [address, ...args], { env: env(), timeout: 60_000 });
    return stdout.trim();
  };

  /** A peer that goes on, and the lines that it prints. */
  async function start(...args: string[]): Promise<{ name: string; lines: AsyncIterator<string> }> {
    const child = spawn(join(prefix, 'peer'), [address, ...args], {
      env: env(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const name: string = (await lines.next()).value ?? '';
    return { name, lines };
  }

  async function native(): Promise<NativeClient> {
    const client = await NativeClient.join(bus.afbus as string);
    clients.push(client);
    return client;
  }

  const busctl = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await run('busctl', [`--address=unix:path=${bus.path}`, ...args], {
      env: env(),
    }).catch((error) => error);
    return `${stdout}${stderr}`.trim();
  };

  const answer = (to: NativeClient, { serial, sender }: Heard, text: string) =>
    to.sendMessage({
      ...{ type: 'method_return', replySerial: serial, destination: sender as string },
      args: [string(text)],
    });

  it('has a soname, and shows nothing but its own functions', async () => {
    const library = join(prefix, 'lib/libafbus-dbus.so');
    const { stdout: symbols } = await run('nm', ['-D', '--defined-only', '--format=posix', library]);
    const names = symbols
      .trim()
      .split('\n')
      .map((line) => line.split(/[@ ]/)[0] as string);
    assert.deepEqual(
      names.filter((name) => !name.startsWith('afdbus_') && name !== 'AFBUS_DBUS_0'),
      [],
    );
    assert.ok(names.includes('afdbus_connect'));
    assert.match((await run('readelf', ['-d', library])).stdout, /SONAME.*\[libafbus-dbus\.so\.0\]/);
  });

  it('its example is a service and its caller, on this bus and on dbus-daemon', async () => {
    await compile(join(LIBRARY, 'examples/player.c'), 'player');
    await using daemon = await startDaemon();
    for (const each of [address, `unix:path=${bus.path}`, `unix:path=${daemon.path}`]) {
      const { stdout } = await run(join(prefix, 'player'), [each], { env: env(), timeout: 60_000 });
      assert.deepEqual(stdout.trim().split('\n').sort(), ['played true', 'started a song'], each);
    }
  });

  it('says why it cannot connect', async () => {
    for (const [where, why] of [
      ['tcp:host=localhost', /Invalid argument: org.freedesktop.DBus.Error.BadAddress/],
      ['afbus:abstract=nobody-listens-here', /Connection refused: org.freedesktop.DBus.Error.Failed/],
      ['unix:path=/nowhere', /No such file or directory/],
    ] as const) {
      const { stdout } = await run(join(prefix, 'peer'), [where, 'names', NAME], { env: env() }).catch(
        (error) => error,
      );
      assert.match(stdout, why);
    }
  });

  it('returns values of all types as busctl has sent them', async () => {
    await start('serve', NAME);
    for (const values of [
      'ybnqiuxtdsog 255 true -5 65535 -7 4000000000 -9000000000 18000000000000000000 2.5 "text" "/a/b" "a{sv}"',
      'a{sv}asvaay 2 "k" s "text" "l" au 3 1 2 3 2 "x" "y" (si) "s" 4 2 2 1 2 0',
      'a(ia{s(tv)}) 1 5 1 "key" 77 d 1.5',
      'aaxv 2 0 1 9 v v y 3',
      'adaxab 1 0.5 0 2 true false',
    ]) {
      const args = values.split(' ').map((each) => each.replaceAll('"', ''));
      assert.equal(await busctl('call', '--', ...ON_PEER, 'Echo', ...args), values);
    }
    assert.match(await busctl('call', ...ON_PEER, 'Open'), /^h \d+$/);
    assert.equal(await busctl('call', ...ON_PEER, 'Fail'), 'Call failed: a string broke');
    assert.equal(await busctl('call', ...ON_PEER, 'Quit'), '');
  });

  it('calls through the bus once, and then the owner itself', async () => {
    const callee = await native();
    await callee.call('RequestName', [string(NAME), uint32(0)]);
    const calling = peer('call', NAME, '20000', 'first', 'second');
    const froms = [];
    for (const text of ['one', 'two']) {
      const call = await callee.until(({ type }) => type === 'method_call');
      froms.push(call.from === MASTER_ADDRESS ? 'the bus' : call.from === addressOf(call.sender as string));
      // The bus tells the address after it has forwarded the call: by its next answer it has.
      await callee.call('GetId');
      await answer(callee, call, text);
    }
    assert.equal(await calling, `one ${callee.name}\ntwo ${callee.name}`);
    assert.deepEqual(froms, ['the bus', true]);
  });

  it('calls again after the owner has changed, and hears that there is none', async () => {
    const [first, second] = [await native(), await native()];
    await first.call('RequestName', [string(NAME), uint32(5)]);
    const calling = peer('call', NAME, '20000', 'a', 'b', 'c');
    await answer(first, await first.until(({ type }) => type === 'method_call'), '1');
    const next = await first.until(({ type }) => type === 'method_call');
    await second.call('RequestName', [string(NAME), uint32(2)]);
    await answer(first, next, '2');
    const last = await second.until(({ type }) => type === 'method_call');
    await answer(second, last, '3');
    assert.equal(await calling, `1 ${first.name}\n2 ${first.name}\n3 ${second.name}`);
    await second.call('ReleaseName', [string(NAME)]);
    assert.match(
      await peer('call', NAME, '20000', 'x'),
      /^Remote I\/O error: org.freedesktop.DBus.Error.ServiceUnknown: ./,
    );
  });

  it('waits as long as it was told, and takes no answer from another client', async () => {
    const [callee, liar] = [await native(), await native()];
    const calling = peer('call', callee.name, '1500', 'x');
    const call = await callee.until(({ type }) => type === 'method_call');
    await answer(liar, call, 'a lie');
    assert.equal(
      await calling,
      'Connection timed out: org.freedesktop.DBus.Error.NoReply: the callee has not replied in time',
    );
  });

  it('has many calls under way, whose answers come in any order or not at all', async () => {
    const callee = await native();
    const calling = peer('calls', callee.name, '5000', 'a', 'b', 'c');
    const calls: Heard[] = [];
    while (calls.length < 3) calls.push(await callee.until(({ type }) => type === 'method_call'));
    await answer(callee, calls[2] as Heard, 'third');
    await answer(callee, calls[0] as Heard, 'first');
    assert.equal(await calling, 'c: third\na: first\nb: org.freedesktop.DBus.Error.NoReply');
  });

  it('hears of signals by its rules, with their true senders', async () => {
    const watcher = await start('watch', `interface='${NAME}',member='Said'`, '3');
    const liar = await native();
    await liar.sendMessage({
      ...{ type: 'signal', path: '/p', interface: NAME, member: 'Said', sender: ':0.1' },
      args: [string('a lie')],
    });
    await liar.sendMessage({ type: 'signal', path: '/p', interface: NAME, member: 'Other', args: [] });
    await peer('signal', 'x', 'y');
    const heard = [];
    while (heard.length < 3) heard.push((await watcher.lines.next()).value);
    assert.equal(heard[0], `Said a lie ${liar.name}`);
    assert.match(heard[1], /^Said x :0\.[0-9a-f]+$/);
    assert.equal(heard[2], heard[1].replace('x', 'y'));
  });

  it('ignores what is no message, and goes on', async () => {
    const { name } = await start('serve', NAME);
    const rogue = await native();
    const call = {
      type: 'method_call',
      path: '/p',
      interface: NAME,
      member: 'Echo',
      destination: name,
    } as const;
    const good = bytesOf({ ...call, args: [string('text')] });
    const to = { to: addressOf(name) };
    for (const bad of [
      Buffer.alloc(0),
      Buffer.from('l'),
      good.subarray(0, 20),
      good.subarray(0, good.length - 1),
      Buffer.concat([good, Buffer.alloc(1)]),
      ...Array.from(good, (_, at) => patched(Buffer.from(good), (bytes) => bytes.fill(0xff, at, at + 1))),
      bytesOf({ ...call, unixFds: 1, args: [] }),
    ])
      await rogue.socket.send(bad, to);
    assert.equal(await peer('call', NAME, '20000', 'still h\u00e9re'), `still h\u00e9re ${name}`);
  });

  it('goes on after a caller that does not take its answer', async () => {
    const { name } = await start('serve', NAME);
    const rogue = await native();
    rogue.socket.shutdown('read');
    const call = { type: 'method_call', path: '/p', interface: NAME, member: 'Echo' } as const;
    await rogue.sendMessage({ ...call, destination: name, args: [string('x')] }, { to: addressOf(name) });
    assert.equal(await peer('call', NAME, '20000', 'y'), `y ${name}`);
  });

  it('owns and releases names, and says what the bus refuses', async () => {
    assert.equal(
      await run(join(prefix, 'peer'), [address, 'names', 'org.example.Other'], { env: env() }).catch(
        ({ stdout }) => stdout,
      ),
      '1 4 1 2\ndriver: Remote I/O error: org.freedesktop.DBus.Error.InvalidArgs\n',
    );
  });

  it('says that the connection has ended if the bus has expelled it', async () => {
    const { name, lines } = await start('serve', NAME);
    const child = children.at(-1) as ChildProcess;
    const sender = await native();
    child.kill('SIGSTOP');
    while (!/^State:\s+T/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'))) await immediate();
    // One more than may wait for a client.
    for (let n = 0; n < 129; n++)
      await sender.sendMessage(
        { type: 'signal', path: '/p', interface: 'a.B', member: 'Flood', destination: name },
        { to: addressOf(name) },
      );
    child.kill('SIGCONT');
    assert.match((await lines.next()).value ?? '', /^next: Connection reset by peer/);
  });

  it('ends with the bus', async () => {
    await using mortal = await startOurs();
    const child = spawn(join(prefix, 'peer'), [`afbus:abstract=${mortal.afbus?.slice(1)}`, 'serve', NAME], {
      env: env(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    process.kill(mortal.pid);
    assert.match((await lines.next()).value ?? '', /^next: Connection reset by peer/);
    if (child.exitCode === null) await once(child, 'exit');
  });
});
