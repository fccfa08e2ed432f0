// SPDX-License-Identifier: MIT
// Programs of others, unmodified, on AF_BUS itself: libafbus-dbus-preload.so is all that they have more.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { after, afterEach, before, describe, it } from 'mocha';
import { BusClient, BusMaster } from '../../native/lib/index.ts';
import { DRIVER } from '../../runner/dbus/index.ts';
import type { Draft } from '../dbus/client.ts';
import { COMMAND, deafSocket, type RunningBus, startDaemon, startOurs } from '../dbus/daemons.ts';
import { addressOf, NativeClient } from './native-client.ts';
import { FIXTURES, PYTHON } from './session.ts';
import { bytesOf, patched, string, uint32 } from './talk.ts';

const run = promisify(execFile);
const LIBRARY = fileURLToPath(new URL('../../build/libafbus-dbus/libafbus-dbus-preload.so', import.meta.url));
const PLAYER = 'org.example.Player';
const PATH = '/org/example/Player';

describe('libafbus-dbus-preload', function () {
  this.timeout(300_000);
  let bus: RunningBus;
  let folder = '';
  const children: ChildProcess[] = [];
  const clients: NativeClient[] = [];

  before(async () => {
    bus = await startOurs();
    folder = mkdtempSync(join(tmpdir(), 'preload-'));
    deafSocket(join(folder, 'deaf'), bus);
  });

  after(async () => {
    await bus?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill();
      await once(child, 'exit');
    }
  });

  const env = (path = join(folder, 'deaf')) => ({
    ...process.env,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}`,
    DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${path}`,
    HOME: folder,
    LC_ALL: 'C.UTF-8',
    LD_PRELOAD: LIBRARY,
  });

  /** What a program prints. */
  async function say(command: string, ...args: string[]): Promise<string> {
    const { stdout, stderr } = await run(command, args, { env: env(), timeout: 60_000 }).catch(
      (error) => error,
    );
    return `${stdout}${stderr}`.trim();
  }

  const busctl = (...args: string[]) => say('busctl', '--user', ...args);

  async function native(): Promise<NativeClient> {
    const client = await NativeClient.join(bus.afbus as string);
    clients.push(client);
    return client;
  }

  /** A service of others; resolves when it owns its name. */
  async function serve(name: string, command: string, ...args: string[]): Promise<string> {
    const watcher = await native();
    await watcher.call('AddMatch', [string(`member='NameOwnerChanged',arg0='${name}'`)]);
    children.push(spawn(command, args, { env: env(), stdio: ['ignore', 'inherit', 'inherit'] }));
    const { args: values } = await watcher.until(({ member }) => member === 'NameOwnerChanged');
    return String(values[2]?.value);
  }

  it('finds the bus by the link that the daemon has put beside its socket, as long as the daemon runs', async () => {
    await using mortal = await startOurs();
    const signpost = `${mortal.path}.afbus`;
    assert.equal(readlinkSync(signpost), `afbus:abstract=${mortal.afbus?.slice(1)}`);
    process.kill(mortal.pid);
    // Its log ends with it.
    await assert.rejects(mortal.log.says(/no such line/));
    assert.ok(existsSync(dirname(signpost)) && lstatSync(signpost, { throwIfNoEntry: false }) === undefined);
  });

  it('follows a link of the owner of the socket only', async () => {
    const path = deafSocket(join(folder, 'foreign'), bus);
    const connect = () =>
      run('busctl', ['--user', 'status', 'org.freedesktop.DBus'], { env: env(path) }).then(
        () => 'connected',
        ({ stderr }) => stderr.trim(),
      );
    lchownSync(`${path}.afbus`, 1, 1);
    assert.match(await connect(), /Connection refused/);
    lchownSync(`${path}.afbus`, process.getuid?.() ?? 0, 0);
    assert.equal(await connect(), 'connected');
  });

  it('follows no link of a user whom its user namespace does not know', async () => {
    const path = deafSocket(join(folder, 'unknown'), bus);
    const status = ['busctl', '--user', 'status', 'org.freedesktop.DBus'];
    const connect = () =>
      run('unshare', ['--user', '--map-root-user', ...status], { env: env(path) }).then(
        () => 'connected',
        ({ stderr }) => stderr.trim(),
      );
    assert.equal(await connect(), 'connected');
    // Two users, who look alike in there; anybody may connect.
    chmodSync(path, 0o777);
    lchownSync(path, 1, 1);
    lchownSync(`${path}.afbus`, 2, 2);
    assert.match(await connect(), /Connection refused/);
  });

  it('follows the link of a daemon with a <user>, to whom link and socket belong', async () => {
    const anyone = '<policy context="default"><allow user="*"/></policy>';
    await using theirs = await startOurs(`<user>1</user>${anyone}`);
    for (const path of [theirs.path, `${theirs.path}.afbus`]) assert.equal(lstatSync(path).uid, 1);
    const path = deafSocket(join(folder, 'theirs'), theirs);
    for (const each of [path, `${path}.afbus`]) lchownSync(each, 1, 1);
    assert.match(await idAt(path), ID);
  });

  it('finds no link of a daemon that could not bind its address', async () => {
    const path = join(folder, 'second');
    const addresses = ['--address', `afbus:abstract=${bus.afbus?.slice(1)}`, '--listen', `unix:path=${path}`];
    await assert.rejects(run(process.execPath, [COMMAND, 'dbus-daemon', ...addresses]), /EADDRINUSE/);
    for (const each of [path, `${path}.afbus`])
      assert.equal(lstatSync(each, { throwIfNoEntry: false }), undefined);
  });

  it('finds no link after the daemon has reloaded a policy that restricts users, who are expelled', async () => {
    await using strict = await startOurs('<policy context="default"><allow user="*"/></policy>');
    const config = join(dirname(strict.path), 'bus.conf');
    const rules = '<policy user="1"><deny send_interface="a.B"/></policy>';
    assert.ok(lstatSync(`${strict.path}.afbus`).isSymbolicLink());
    process.seteuid?.(1);
    const joining = NativeClient.join(strict.afbus as string);
    process.seteuid?.(0);
    using restricted = await joining;
    using free = await NativeClient.join(strict.afbus as string);
    writeFileSync(config, readFileSync(config, 'utf8').replace('</busconfig>', `${rules}</busconfig>`));
    const reload = ['call', DRIVER, '/org/freedesktop/DBus', DRIVER, 'ReloadConfig'];
    await run('busctl', ['--user', ...reload], { env: env(strict.path) });
    assert.equal(lstatSync(`${strict.path}.afbus`, { throwIfNoEntry: false }), undefined);
    await strict.log.says(new RegExp(`${restricted.name} .*the policy restricts messages of its user`));
    await assert.rejects(restricted.until(() => false));
    assert.match(String((await free.call('GetId')).args[0]?.value), /^[0-9a-f]{32}$/);
  });

  /** The bus that a program of others finds there. */
  async function idAt(path: string): Promise<string> {
    const call = ['--user', 'call', ...DRIVER_CALL, 'GetId'];
    return (await run('busctl', call, { env: env(path), timeout: 240_000 })).stdout;
  }

  /** The listener of the bus, beside which a link leads to this address. */
  function besideListener(name: string, address: string): string {
    const path = join(folder, name);
    symlinkSync(bus.path, path);
    symlinkSync(`afbus:abstract=${address}`, `${path}.afbus`);
    return path;
  }

  it('connects the program to the listener if nobody listens at the address of the bus', async () => {
    assert.match(await idAt(besideListener('other', 'nobody-listens-here')), ID);
  });

  it('connects the program to the listener if another user has taken the address of the bus', async () => {
    const address = `taken-${process.pid}`;
    process.seteuid?.(1);
    const listening = BusMaster.listen({ path: `@${address}`, protocol: 'dbus' });
    process.seteuid?.(0);
    using _thief = await listening;
    assert.match(await idAt(besideListener('taken', address)), ID);
  });

  it('connects the program to the listener if nobody accepts it at the address of the bus', async () => {
    const address = `full-${process.pid}`;
    using _busy = await BusMaster.listen({ path: `@${address}`, protocol: 'dbus', backlog: 1 });
    using _one = await BusClient.connect(`@${address}`, { protocol: 'dbus' });
    using _two = await BusClient.connect(`@${address}`, { protocol: 'dbus' });
    const path = besideListener('full', address);
    assert.match(await idAt(path), ID);
    const waiting = ['--session', '--print-reply=literal', `--dest=${DRIVER}`, '/'];
    const { stdout } = await run('dbus-send', [...waiting, `${DRIVER}.GetId`], { env: env(path) });
    assert.match(stdout, /^ *[0-9a-f]{32}$/m);
  });

  it('is a stream, however it is written and read', async () => {
    assert.deepEqual(
      (await say(PYTHON, `${FIXTURES}/bytes.py`, join(folder, 'deaf'), `${bus.pid}`)).split('\n'),
      [
        "no new stream ['EAFNOSUPPORT', 'ECONNREFUSED', 'ECONNREFUSED']",
        'timeouts True',
        'family AF_UNIX True',
        'peer True True',
        'master True True',
        "['DATA', 'OK', 'AGREE_UNIX_FD']",
        'a byte at a time 7',
        'readable after the last byte False',
        "into no space b'' 0",
        'nothing yet EAGAIN 100',
        'many in a piece 8 9 10',
        'peek True',
        'a copy 11',
        'after a child has closed its own 12',
        ...Array(3).fill('a number again python'),
        'a copy that cannot be made -1',
        'is none 13',
        'no monitor 15',
        'the end',
      ],
    );
  });

  /** Gives the next line that a program prints at each call. */
  function linesOf(output: Readable): () => Promise<string> {
    const lines = createInterface({ input: output })[Symbol.asyncIterator]();
    return async () => {
      const { done, value } = await lines.next();
      assert.ok(!done, 'the program has ended');
      return value;
    };
  }

  /** A client that is no library, when it has said Hello; this part follows. */
  async function bytes(...part: string[]) {
    const args = [`${FIXTURES}/bytes.py`, join(folder, 'deaf'), `${bus.pid}`, ...part];
    const child = spawn(PYTHON, args, { env: env(), stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    const next = linesOf(child.stdout);
    while ((await next()) !== 'readable after the last byte False');
    return { child, next };
  }

  it('is full when the bus takes no more', async () => {
    const { child, next } = await bytes('fill');
    process.kill(bus.pid, 'SIGSTOP');
    try {
      child.stdin.write('\n');
      assert.equal(await next(), 'full True writable False');
    } finally {
      process.kill(bus.pid, 'SIGCONT');
    }
    assert.equal(await next(), 'goes on 21');
  });

  it('gives and takes as many descriptors as there is room for', async () => {
    const { next } = await bytes('descriptors');
    assert.equal(await next(), '254 at once EINVAL');
    assert.equal(await next(), 'an impossible length EINVAL');
    assert.equal(await next(), 'without numbers True [] True');
    assert.equal(await next(), 'the end');
  });

  it('draws the serials of a child apart from those of its parent', async () => {
    const callee = await native();
    await bytes('fork', callee.name);
    const calls = [await callee.next(), await callee.next()];
    assert.deepEqual(
      calls.map((call) => call?.member),
      ['Child', 'Parent'],
    );
    assert.notEqual(calls[0]?.serial, calls[1]?.serial);
  });

  it('is shared by copies, threads and children as a stream is, but not through exec', async () => {
    const program = join(folder, 'sharing');
    const source = `${FIXTURES}/sharing.c`;
    await run('cc', ['-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-pthread', source, '-o', program]);
    await using daemon = await startDaemon();
    const { stdout } = await run(program, [daemon.path]);
    const expected = stdout.trim().split('\n');
    assert.deepEqual([expected.length, expected.at(-1)], [18, 'shut down: the end']);
    assert.deepEqual(
      (await say(program, join(folder, 'deaf'))).split('\n'),
      expected.map((line) => line.replace('exec: a stream', 'exec: no stream')),
    );
  });

  it('keeps no memory of what it does not give to the program', async () => {
    const { child, next } = await bytes('memory');
    await (await native()).socket.send(Buffer.alloc(4 << 20), { to: addressOf(await next()) });
    child.stdin.write('\n');
    assert.equal(await next(), 'an answer 20 kept False');
  });

  it('serves programs on libdbus, as callers and as services', async () => {
    const name = await serve(PLAYER, PYTHON, `${FIXTURES}/player.py`);
    const echo = [PLAYER, PATH, PLAYER, 'Echo', 'sa{sv}(iu)', 'text', '1', 'key', 's', 'value', '-2', '3'];
    assert.equal(await busctl('call', '--', ...echo), 'a{sv}s 2 "key" s "value" "sum" x 1 "text"');
    assert.equal(
      await say('dbus-send', '--session', '--print-reply', `--dest=${PLAYER}`, PATH, `${PLAYER}.Fail`),
      'Error org.example.Error.NoTrack: no such track',
    );
    assert.equal(
      await say('gdbus', 'call', ...GDBUS, '--method', `${PLAYER}.Echo`, 'x', "{'k': <uint16 5>}", '(2, 3)'),
      "({'k': <uint16 5>, 'sum': <int64 5>}, 'x')",
    );
    await sendRubbish(name);
    assert.equal(
      await say(PYTHON, `${FIXTURES}/listener.py`),
      [
        `echo (${DICTIONARY}, dbus.String('x'))`,
        'error org.example.Error.NoTrack no such track',
        "bytes b'through a descriptor'",
        "signal 'a track' 7",
      ].join('\n'),
    );
  });

  it('goes on after a caller that does not take its answer', async () => {
    const name = await serve(PLAYER, PYTHON, `${FIXTURES}/player.py`);
    const rogue = await native();
    rogue.socket.shutdown('read');
    const call = { type: 'method_call', path: PATH, interface: PLAYER, member: 'Fail' } as const;
    await rogue.sendMessage({ ...call, destination: name }, { to: addressOf(name) });
    assert.equal(await busctl('call', PLAYER, PATH, PLAYER, 'Fail'), 'Call failed: no such track');
  });

  it('sends a signal right after its Hello', async () => {
    const watcher = await native();
    await watcher.call('AddMatch', [string("member='Said'")]);
    assert.equal(await busctl('emit', PATH, PLAYER, 'Said', 's', 'a word'), '');
    const { args } = await watcher.until(({ member }) => member === 'Said');
    assert.equal(args[0]?.value, 'a word');
  });

  it('shows a monitor what others send one another', async () => {
    const [caller, callee] = [await native(), await native()];
    const monitor = spawn('dbus-monitor', ['--session', `interface='${PLAYER}'`, `sender='${callee.name}'`], {
      env: env(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(monitor);
    const next = linesOf(monitor.stdout);
    const heard: string[] = [];
    while (!heard.at(-1)?.includes('member=NameLost')) heard.push(await next());
    const call = { type: 'method_call', path: PATH, interface: PLAYER, member: 'Echo' } as const;
    const to = { to: addressOf(callee.name) };
    for (const other of [PLAYER, 'org.example.Other'])
      await caller.sendMessage({ ...call, interface: other, destination: callee.name }, to);
    const { serial: replySerial } = await callee.until(({ member }) => member === 'Echo');
    const answer = { type: 'method_return', replySerial, destination: caller.name } as const;
    await callee.sendMessage({ ...answer, args: [string('done')] }, { to: addressOf(caller.name) });
    heard.length = 0;
    while (!heard.at(-1)?.includes('done')) heard.push(await next());
    const said = heard.map((line) => line.replace(/ time=\S+| serial=\d+(?= )/g, '').trim());
    const whose = `sender=${caller.name} -> destination=${callee.name}`;
    assert.deepEqual(
      said.filter((line) => !/NameLost|^string ":/.test(line)),
      [
        `method call ${whose} path=${PATH}; interface=${PLAYER}; member=Echo`,
        `method return sender=${callee.name} -> destination=${caller.name} reply_serial=${replySerial}`,
        'string "done"',
      ],
    );
  });

  it('serves a service on GDBus', async () => {
    await serve('org.xfce.Xfconf', '/usr/lib/x86_64-linux-gnu/xfce4/xfconf/xfconfd');
    const set = ['org.xfce.Xfconf', '/org/xfce/Xfconf', 'org.xfce.Xfconf'];
    assert.equal(await busctl('call', ...set, 'SetProperty', 'ssv', 'mine', '/a', 's', 'two words'), '');
    assert.equal(await busctl('call', ...set, 'GetProperty', 'ss', 'mine', '/a'), 'v s "two words"');
  });

  it('serves a service on sd-bus', async () => {
    const name = 'org.freedesktop.hostname1';
    await serve(name, '/lib/systemd/systemd-hostnamed');
    const at = [name, '/org/freedesktop/hostname1'];
    assert.equal(await busctl('get-property', ...at, name, 'KernelName'), 's "Linux"');
  });

  it('takes an answer from the callee alone', async () => {
    const [callee, liar] = [await native(), await native()];
    const calling = busctl('call', callee.name, '/p', 'a.B', 'M');
    const call = await callee.until(({ type }) => type === 'method_call');
    const answer = {
      type: 'method_return',
      replySerial: call.serial,
      destination: call.sender as string,
    } as const;
    for (const way of [{ to: call.from }, {}])
      await liar.sendMessage({ ...answer, args: [string('a lie')] }, way);
    // In the order of the bus, the lies came first: the master has forwarded one.
    await liar.call('GetId');
    await callee.sendMessage({ ...answer, args: [string('true')] }, { to: call.from });
    assert.equal(await calling, 's "true"');
  });

  it('names the true sender of a message, whatever that claims', async () => {
    const callee = await native();
    for (const args of [[], [string('true')]]) {
      const calling = say('dbus-send', '--session', '--print-reply', `--dest=${callee.name}`, '/p', 'a.B.M');
      const { serial: replySerial, sender } = await callee.until(({ type }) => type === 'method_call');
      const lie = { type: 'method_return', replySerial, destination: sender, sender: DRIVER, args } as Draft;
      await callee.sendMessage(lie, { to: addressOf(sender as string) });
      const [header = '', ...values] = (await calling).split('\n');
      assert.match(header, new RegExp(` sender=${callee.name} -> destination=${sender} `));
      assert.equal(values.length, args.length);
    }
  });

  it('sends to the owner of a name itself, once the bus has told where that is', async () => {
    const callee = await native();
    await callee.call('RequestName', [string(PLAYER), uint32(0)]);
    const calling = say(PYTHON, '-c', CALL_TWICE);
    const froms = [];
    for (const text of ['one', 'two']) {
      const call = await callee.until(({ type }) => type === 'method_call');
      froms.push(call.from);
      // The bus tells the address after it has forwarded the call: by its next answer it has.
      await callee.call('GetId');
      await callee.sendMessage(
        {
          type: 'method_return',
          replySerial: call.serial,
          destination: call.sender as string,
          args: [string(text)],
        },
        { to: addressOf(call.sender as string) },
      );
    }
    const [name, ...answers] = (await calling).split('\n');
    assert.deepEqual(answers, ['one', 'two']);
    assert.deepEqual(froms, ['0000/000000000000', addressOf(name as string)]);
  });

  it('learns addresses from the bus alone', async () => {
    const [callee, liar] = [await native(), await native()];
    await callee.call('RequestName', [string(PLAYER), uint32(0)]);
    const calling = say(PYTHON, '-c', CALL_TWICE);
    const first = await callee.until(({ type }) => type === 'method_call');
    await liar.sendMessage({
      ...{
        type: 'signal',
        path: '/org/freedesktop/DBus',
        interface: `${DRIVER}.AF_BUS`,
        member: 'Forwarded',
      },
      destination: first.sender as string,
      args: [string(PLAYER), { type: 't', value: BigInt(`0x${liar.name.slice(3)}`) }],
    });
    // The master has forwarded the lie before the answer comes.
    await liar.call('GetId');
    const answer = { type: 'method_return', destination: first.sender as string } as const;
    const to = { to: addressOf(first.sender as string) };
    await callee.sendMessage({ ...answer, replySerial: first.serial, args: [string('one')] }, to);
    const called = async (client: NativeClient) => ({
      client,
      call: await client.until(({ type }) => type === 'method_call'),
    });
    const { client, call } = await Promise.race([called(callee), called(liar)]);
    await client.sendMessage({ ...answer, replySerial: call.serial, args: [string('two')] }, to);
    await calling;
    assert.equal(client.name, callee.name);
  });

  it('gives the program the refusal of its Hello', async () => {
    await using full = await startOurs('<limit name="max_connections_per_user">1</limit>');
    using _one = await NativeClient.join(full.afbus as string);
    const path = deafSocket(join(folder, 'full-bus'), full);
    const call = ['--session', '--print-reply', `--dest=${DRIVER}`, '/', `${DRIVER}.GetId`];
    const { stderr } = await run('dbus-send', call, { env: env(path) }).catch((error) => error);
    assert.match(stderr, /The maximum number of active connections for UID 0 has been reached/);
  });

  /** None of it is a message: a D-Bus library would end its connection over it. */
  async function sendRubbish(name: string): Promise<void> {
    const rogue = await native();
    const call = { type: 'method_call', path: PATH, interface: PLAYER, member: 'Fail' } as const;
    const good = bytesOf({ ...call, destination: name, args: [string('text')] });
    for (const bad of [
      Buffer.alloc(0),
      Buffer.from('l'),
      good.subarray(0, good.length - 1),
      Buffer.concat([good, Buffer.alloc(1)]),
      ...Array.from({ length: 24 }, (_, at) =>
        patched(Buffer.from(good), (bytes) => bytes.fill(0xff, at, at + 1)),
      ),
      bytesOf({ ...call, destination: name, unixFds: 1, args: [] }),
    ])
      await rogue.socket.send(bad, { to: addressOf(name) });
  }
});

const ID = /^s "[0-9a-f]{32}"$/m;
const DRIVER_CALL = [DRIVER, '/', DRIVER];
const GDBUS = ['--session', '--dest', PLAYER, '--object-path', PATH];
const DICTIONARY =
  "dbus.Dictionary({dbus.String('a'): dbus.Byte(1, variant_level=1), dbus.String('sum'): dbus.Int64(5, variant_level=1)}, signature=dbus.Signature('sv'))";
const CALL_TWICE = `
import dbus
bus = dbus.SessionBus()
print(bus.get_unique_name())
for n in 1, 2:
    print(bus.call_blocking('${PLAYER}', '/p', '${PLAYER}', 'M', '', ()))
`;
