// SPDX-License-Identifier: MIT
// What users of a message bus rely on, message by message: dbus-daemon and this project's bus do the same.
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { UnixStream } from '../../native/lib/index.ts';
import { type Arg, DRIVER, marshal } from '../../runner/dbus/index.ts';
import type { Got } from '../dbus/client.ts';
import { RawClient } from '../dbus/raw-client.ts';
import {
  bytesOf,
  type Case,
  errorOf,
  inLine,
  message,
  patched,
  playOnEachBus,
  string,
  uint32,
} from './talk.ts';

const NAME = 'org.example.Player';
const PEER = { path: '/p', interface: 'a.B', member: 'M' } as const;
const SIGNAL = { type: 'signal', ...PEER } as const;

const becomeMonitor = (...rules: string[]) =>
  message({
    ...{ interface: 'org.freedesktop.DBus.Monitoring', member: 'BecomeMonitor' },
    args: [{ type: 'as', value: rules }, uint32(0)],
  });

const CASES: Readonly<Record<string, Case>> = {
  'Hello: its reply, then the name; once': async (_, bus) => {
    using client = new RawClient(UnixStream.connect(bus.path));
    await client.authenticate();
    await client.sendMessage(message({ member: 'Hello', interface: DRIVER }));
    const [reply, acquired] = [await client.next(), await client.next()] as [Got, Got];
    assert.equal(inLine(acquired), `NameAcquired ${reply.args[0]?.value}`);
    assert.equal(errorOf(await client.call('Hello')), 'Failed');
  },
  'before Hello: calls of the bus are refused, all else ends it': async (_, bus) => {
    using client = new RawClient(UnixStream.connect(bus.path));
    await client.authenticate();
    assert.equal(errorOf(await client.call('GetId')), 'AccessDenied');
    assert.equal(errorOf(await client.call('Hello')), 'method_return');
    using other = new RawClient(UnixStream.connect(bus.path));
    await other.authenticate();
    await other.sendMessage(SIGNAL);
    assert.equal(await other.next(), undefined);
  },
  'a login in one go, with Hello and a call': async (_, bus) => {
    using client = new RawClient(UnixStream.connect(bus.path));
    const hello = marshal(message({ member: 'Hello' }), 1);
    const ping = marshal(message({ member: 'Ping', interface: 'org.freedesktop.DBus.Peer' }), 2);
    await client.send(Buffer.concat([Buffer.from('\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n'), hello, ping]));
    assert.equal(await client.line(), 'DATA');
    assert.match((await client.line()) ?? '', /^OK [0-9a-f]{32}$/);
    assert.equal(
      inLine((await client.until(({ replySerial }) => replySerial === 2)) as Got),
      'method_return',
    );
  },
  'names: who hears what, and in which order': async (join) => {
    const owner = await join();
    const next = await join();
    const watcher = await join();
    await watcher.call('AddMatch', [string(`member='NameOwnerChanged',arg0='${NAME}'`)]);
    const ask = async (client: RawClient, flags: number) => {
      const serial = await client.sendMessage(
        message({ member: 'RequestName', args: [string(NAME), uint32(flags)] }),
      );
      const heard: string[] = [];
      for (;;) {
        const got = (await client.next()) as Got;
        heard.push(got.replySerial === serial ? `reply ${got.args[0]?.value}` : inLine(got));
        if (got.replySerial === serial) return heard;
      }
    };
    assert.deepEqual(await ask(owner, 1), [`NameAcquired ${NAME}`, 'reply 1']);
    assert.deepEqual(await ask(next, 4), ['reply 3']);
    assert.deepEqual(await ask(next, 2), [`NameAcquired ${NAME}`, 'reply 1']);
    assert.equal(inLine((await owner.next()) as Got), `NameLost ${NAME}`);
    const queue = await watcher.call('ListQueuedOwners', [string(NAME)]);
    assert.deepEqual(queue.args[0]?.value, [next.name, owner.name]);
    next.close();
    assert.equal(
      inLine(await owner.until(({ member }) => member === 'NameAcquired')),
      `NameAcquired ${NAME}`,
    );
    assert.equal(
      inLine(
        await watcher.until(({ args }) => args[2]?.value === owner.name && args[1]?.value === next.name),
      ),
      `NameOwnerChanged ${NAME} ${next.name} ${owner.name}`,
    );
  },
  'names that nobody may have': async (join) => {
    const client = await join();
    for (const name of [':1.5', DRIVER, 'nodot', '', 'a.1b', 'a..b', `a.${'b'.repeat(254)}`])
      assert.equal(errorOf(await client.call('RequestName', [string(name), uint32(0)])), 'InvalidArgs', name);
    assert.equal(errorOf(await client.call('ReleaseName', [string(':1.5')])), 'InvalidArgs');
  },
  'the sender is the true one, and flags stay': async (join) => {
    const [a, b] = [await join(), await join()];
    await a.sendMessage({
      type: 'method_call',
      ...PEER,
      destination: b.name,
      sender: 'org.forged.Name',
      flags: 0x80,
    });
    const got = await b.until(({ member }) => member === 'M');
    assert.deepEqual([got.sender, got.flags & 0x80], [a.name, 0x80]);
  },
  'the byte order of a message stays, and the bus answers in its own': async (join) => {
    const [a, b] = [await join(), await join()];
    await a.sendMessage({
      type: 'method_call',
      endian: 'big',
      ...PEER,
      destination: b.name,
      args: [uint32(7)],
    });
    const got = await b.until(({ member }) => member === 'M');
    assert.deepEqual([got.endian, got.args[0]?.value], ['big', 7]);
    assert.equal((await a.call('GetId', [], { endian: 'big' })).endian, 'little');
  },
  'a type that nobody knows is refused': async (join) => {
    const [a, b] = [await join(), await join()];
    const bytes = patched(bytesOf({ destination: b.name, ...PEER }), (each) => each.writeUInt8(5, 1));
    await a.send(bytes);
    assert.equal(errorOf(await a.until(({ replySerial }) => replySerial === 9)), 'AccessDenied');
  },
  'a message to nobody': async (join) => {
    const client = await join();
    const to = { ...PEER, destination: 'org.example.Nobody' };
    assert.equal(errorOf(await client.call('M', [], to)), 'ServiceUnknown');
    assert.equal(errorOf(await client.call('M', [], { ...to, flags: 2 })), 'NameHasNoOwner');
    assert.equal(
      errorOf(await client.call('M', [], { ...SIGNAL, destination: to.destination })),
      'ServiceUnknown',
    );
  },
  'a signal to one, without a rule': async (join) => {
    const [a, b] = [await join(), await join()];
    const third = await join();
    await third.call('AddMatch', [string("member='M'")]);
    await a.sendMessage({ ...SIGNAL, destination: b.name });
    await a.sendMessage({ ...SIGNAL, member: 'ToAll' });
    assert.equal((await b.until(({ sender }) => sender === a.name)).member, 'M');
    await third.call('GetId');
  },
  'rules: texts, arguments, twice, and removal': async (join) => {
    const [a, b] = [await join(), await join()];
    for (const rule of ['foo=x', "type='bogus'", "arg64='x'", "member='a.b'", "sender='nodot'"])
      assert.equal(errorOf(await b.call('AddMatch', [string(rule)])), 'MatchRuleInvalid', rule);
    assert.equal(errorOf(await b.call('RemoveMatch', [string("member='Never'")])), 'MatchRuleNotFound');
    assert.equal(errorOf(await b.call('AddMatch', [string(`member=${'x'.repeat(1100)}`)])), 'LimitsExceeded');
    for (const rule of ["member='M',arg0='x'", "arg0='x', member=M", 'type=signal'])
      assert.equal(errorOf(await b.call('AddMatch', [string(rule)])), 'method_return');
    for (const value of ['x', 'y']) await a.sendMessage({ ...SIGNAL, args: [string(value)] });
    assert.deepEqual([inLine((await b.next()) as Got), inLine((await b.next()) as Got)], ['M x', 'M y']);
    await b.call('RemoveMatch', [string('type=signal')]);
    await b.call('RemoveMatch', [string("member='M',arg0='x'")]);
    for (const value of ['y', 'x']) await a.sendMessage({ ...SIGNAL, args: [string(value)] });
    assert.equal(inLine((await b.next()) as Got), 'M x');
  },
  'a rule follows the owner of a name': async (join) => {
    const [a, b] = [await join(), await join()];
    const watcher = await join();
    await watcher.call('AddMatch', [string("sender='org.example.Follow',member='M'")]);
    const own = (client: RawClient, flags: number) =>
      client.call('RequestName', [string('org.example.Follow'), uint32(flags)]);
    await a.sendMessage({ ...SIGNAL, args: [uint32(1)] });
    await own(a, 1);
    await a.sendMessage({ ...SIGNAL, args: [uint32(2)] });
    await own(b, 2);
    await a.sendMessage({ ...SIGNAL, args: [uint32(3)] });
    await a.call('GetId');
    await b.sendMessage({ ...SIGNAL, args: [uint32(4)] });
    assert.deepEqual(
      [inLine((await watcher.next()) as Got), inLine((await watcher.next()) as Got)],
      ['M 2', 'M 4'],
    );
  },
  'an owner that leaves without an answer': async (join) => {
    const [a, b] = [await join(), await join()];
    const serial = await a.sendMessage({ type: 'method_call', ...PEER, destination: b.name });
    await b.until(({ member }) => member === 'M');
    b.close();
    assert.equal(errorOf(await a.until(({ replySerial }) => replySerial === serial)), 'NoReply');
  },
  'descriptors: to those that take them': async (join, bus) => {
    const [a, b] = [await join(), await join()];
    const fd = openSync('/dev/null', 'r');
    const send = (to: string) =>
      a.send(bytesOf({ ...PEER, destination: to, unixFds: 1, args: [{ type: 'h', value: 0 }] }), [{ fd }]);
    await send(b.name);
    const got = await b.until(({ member }) => member === 'M');
    assert.equal(got.fds.length, 1);
    got.fds[0]?.close();
    using deaf = new RawClient(UnixStream.connect(bus.path));
    await deaf.stream.write(Buffer.from('\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n'));
    await deaf.line();
    await deaf.line();
    const { args } = await deaf.call('Hello');
    await send(args[0]?.value as string);
    assert.equal(errorOf(await a.until(({ replySerial }) => replySerial === 9)), 'NotSupported');
    await deaf.send(bytesOf({ unixFds: 1, args: [{ type: 'h', value: 0 }] }), [{ fd }]);
    closeSync(fd);
    await assert.rejects(deaf.until(() => false));
  },
  'the bus by its own name': async (join) => {
    const client = await join();
    const ask = async (member: string, ...args: Arg[]) => (await client.call(member, args)).args[0]?.value;
    assert.equal(await ask('GetNameOwner', string(DRIVER)), DRIVER);
    assert.deepEqual(await ask('ListQueuedOwners', string(DRIVER)), [DRIVER]);
    assert.equal(await ask('NameHasOwner', string('nodot')), false);
    assert.equal(errorOf(await client.call('GetNameOwner', [string('')])), 'NameHasNoOwner');
    assert.equal(await ask('GetConnectionUnixUser', string(client.name)), process.getuid?.());
    assert.equal(await ask('GetConnectionUnixProcessID', string(client.name)), process.pid);
    assert.equal(
      errorOf(await client.call('GetConnectionSELinuxSecurityContext', [string(client.name)])),
      'SELinuxSecurityContextUnknown',
    );
    const found = (await ask('GetConnectionCredentials', string(client.name))) as ReadonlyMap<
      string,
      unknown
    >;
    assert.deepEqual([...found.keys()].sort(), ['ProcessID', 'UnixGroupIDs', 'UnixUserID']);
  },
  'what is called wrong': async (join) => {
    const client = await join();
    assert.equal(errorOf(await client.call('GetId', [], { interface: 'a.B' })), 'UnknownInterface');
    assert.equal(errorOf(await client.call('GetId', [string('x')])), 'InvalidArgs');
    assert.equal(errorOf(await client.call('NoSuch')), 'UnknownMethod');
    assert.equal(
      errorOf(
        await client.call('UpdateActivationEnvironment', [{ type: 'a{ss}', value: {} }], { path: '/x' }),
      ),
      'AccessDenied',
    );
    const properties = { interface: 'org.freedesktop.DBus.Properties' };
    assert.equal(
      errorOf(await client.call('Get', [string(DRIVER), string('Nothing')], properties)),
      'UnknownProperty',
    );
    assert.equal(
      errorOf(
        await client.call(
          'Set',
          [string(DRIVER), string('Features'), { type: 'v', value: string('x') }],
          properties,
        ),
      ),
      'PropertyReadOnly',
    );
    for (const name of [NAME, DRIVER, client.name, 'nodot'])
      assert.equal(
        errorOf(await client.call('StartServiceByName', [string(name), uint32(0)])),
        'ServiceUnknown',
        name,
      );
  },
  'a monitor: flags, its names, and its silence': async (join) => {
    const [a, monitor] = [await join(), await join()];
    const become = (flags: number) =>
      monitor.call('BecomeMonitor', [{ type: 'as', value: ["member='M'"] }, uint32(flags)], {
        interface: 'org.freedesktop.DBus.Monitoring',
      });
    assert.equal(errorOf(await become(1)), 'InvalidArgs');
    assert.equal(errorOf(await become(0)), 'method_return');
    assert.equal(inLine((await monitor.next()) as Got), `NameLost ${monitor.name}`);
    assert.equal((await a.call('NameHasOwner', [string(monitor.name)])).args[0]?.value, false);
    await a.sendMessage({ type: 'method_call', ...PEER, destination: 'org.example.Nobody' });
    assert.equal((await monitor.next())?.destination, 'org.example.Nobody');
    await monitor.sendMessage(message({}));
    await assert.rejects(monitor.until(() => false));
  },
  'an owner that leaves: its names go one by one, the last one first': async (join) => {
    const [owner, next] = [await join(), await join()];
    const watcher = await join();
    const own = (client: RawClient, name: string) => client.call('RequestName', [string(name), uint32(0)]);
    for (const letter of 'MZAQ') await own(owner, `a.${letter}`);
    assert.equal((await own(next, 'a.Z')).args[0]?.value, 2);
    await watcher.call('AddMatch', [string("member='NameOwnerChanged'")]);
    owner.close();
    const heard: string[] = [];
    while (heard.length < 5)
      heard.push(inLine(await watcher.until(({ args }) => args[1]?.value === owner.name)));
    assert.deepEqual(
      heard,
      [
        ['a.Q', ''],
        ['a.A', ''],
        ['a.Z', next.name],
        ['a.M', ''],
        [owner.name, ''],
      ].map(([name, to]) => `NameOwnerChanged ${name} ${owner.name} ${to}`),
    );
    const acquired = await next.until(
      ({ member, args }) => member === 'NameAcquired' && args[0]?.value === 'a.Z',
    );
    assert.equal(acquired.sender, DRIVER);
  },
  'a monitor without descriptors: what has none': async (join, bus) => {
    const [a, b] = [await join(), await join()];
    using deaf = new RawClient(UnixStream.connect(bus.path));
    await deaf.stream.write(Buffer.from('\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n'));
    await deaf.line();
    await deaf.line();
    await deaf.call('Hello');
    await deaf.sendMessage(becomeMonitor("member='M'"));
    await deaf.until(({ member }) => member === 'NameLost');
    const fd = openSync('/dev/null', 'r');
    const args: Arg[] = [{ type: 'h', value: 0 }];
    await a.send(bytesOf({ ...PEER, destination: b.name, unixFds: 1, args }), [{ fd }]);
    closeSync(fd);
    await a.sendMessage({ ...SIGNAL, args: [string('without')] });
    assert.equal(inLine((await deaf.next()) as Got), 'M without');
  },
  'a monitor that reads late: it hears everything, and the sender does not wait': async (join) => {
    const [a, monitor] = [await join(), await join()];
    await monitor.sendMessage(becomeMonitor("member='M'"));
    await monitor.until(({ member }) => member === 'NameLost');
    for (let n = 0; n < 300; n++) await a.sendMessage({ ...SIGNAL, args: [uint32(n)] });
    assert.equal(errorOf(await a.call('GetId')), 'method_return');
    for (let n = 0; n < 300; n++) assert.equal(inLine((await monitor.next()) as Got), `M ${n}`);
  },
  'a bus that stops for a while: nothing is lost, and a newcomer waits': async (join, bus) => {
    const [a, b] = [await join(), await join()];
    await b.call('AddMatch', [string("member='M'")]);
    process.kill(bus.pid, 'SIGSTOP');
    let joining: Promise<RawClient>;
    try {
      for (let n = 0; n < 40; n++) await a.sendMessage({ ...SIGNAL, args: [uint32(n)] });
      joining = join();
    } finally {
      process.kill(bus.pid, 'SIGCONT');
    }
    for (let n = 0; n < 40; n++) assert.equal(inLine((await b.next()) as Got), `M ${n}`);
    assert.equal(errorOf(await (await joining).call('GetId')), 'method_return');
  },
  'an eavesdropper hears what is for others': async (join) => {
    const [a, b] = [await join(), await join()];
    const ear = await join();
    await ear.call('AddMatch', [string("eavesdrop='true',member='M'")]);
    await a.sendMessage({ type: 'method_call', ...PEER, destination: b.name });
    assert.equal((await ear.until(({ member }) => member === 'M')).destination, b.name);
  },
  'one order for all': async (join) => {
    const [a, b] = [await join(), await join()];
    const c = await join();
    const d = await join();
    for (const client of [c, d]) await client.call('AddMatch', [string("member='M'")]);
    const sends = [a, b].map(async (client) => {
      for (let n = 0; n < 50; n++) await client.sendMessage({ ...SIGNAL, args: [uint32(n)] });
    });
    await Promise.all(sends);
    const read = async (client: RawClient) => {
      const heard: string[] = [];
      while (heard.length < 100) {
        const got = (await client.next()) as Got;
        if (got.member === 'M') heard.push(`${got.sender} ${got.args[0]?.value}`);
      }
      return heard;
    };
    assert.deepEqual(await read(c), await read(d));
  },
  'a reader that has stopped holds nobody up': async (join) => {
    const [a, stuck] = [await join(), await join()];
    const reader = await join();
    for (const client of [stuck, reader]) await client.call('AddMatch', [string("member='M'")]);
    const blob: Arg = { type: 'ay', value: Buffer.alloc(8192) };
    for (let n = 0; n < 300; n++) await a.sendMessage({ ...SIGNAL, args: [uint32(n), blob] });
    assert.equal((await reader.until(({ args }) => args[0]?.value === 299)).sender, a.name);
    assert.equal(errorOf(await a.call('GetId')), 'method_return');
    assert.equal((await stuck.until(({ args }) => args[0]?.value === 299)).sender, a.name);
  },
};

playOnEachBus('the behaviour', CASES);
