// SPDX-License-Identifier: MIT
// `afbus-topo/dbus`: the client library, with this project's bus, unmodified programs, and clients that lie.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { type Bus, connect, DbusError, type Interfaces, type Received } from '../../dbus/index.ts';
import { type RunningBus, startOurs } from '../dbus/daemons.ts';
import { addressOf, NativeClient } from './native-client.ts';

const run = promisify(execFile);
const NAME = 'org.example.Player';
const PATH = '/org/example/Player';
const ERROR = 'org.freedesktop.DBus.Error.';

describe('afbus-topo/dbus', function () {
  this.timeout(120_000);
  let bus: RunningBus;
  let address = '';
  let clients: Bus[] = [];

  before(async () => {
    bus = await startOurs();
    address = `afbus:abstract=${bus.afbus?.slice(1)}`;
  });

  after(() => bus[Symbol.asyncDispose]());

  afterEach(() => {
    for (const client of clients) client.close();
    clients = [];
  });

  async function enter(): Promise<Bus> {
    const client = await connect(address);
    clients.push(client);
    return client;
  }

  const fails = (promise: Promise<unknown>, name: string) =>
    assert.rejects(promise, (error) => error instanceof DbusError && error.errorName === ERROR + name);

  it('has a unique name, and says what is wrong with an address', async () => {
    assert.match((await enter()).name, /^:0\.[0-9a-f]+$/);
    await assert.rejects(connect('unix:path=/tmp/x'), /no address of an AF_BUS/);
    await assert.rejects(connect('afbus:'), /names no socket/);
    await assert.rejects(connect('afbus:abstract=nobody-listens-here'), { code: 'ECONNREFUSED' });
  });

  describe('a service', () => {
    let service: Bus;
    let caller: Bus;
    let volume = 5;
    const heard: Received[] = [];

    const player: Interfaces = {
      [NAME]: {
        methods: {
          Play: {
            in: 'sa{sv}',
            out: 'bs',
            call: ([track, how], { sender }) => [
              track === 'a',
              `${(how as Map<string, unknown>).size} ${sender}`,
            ],
          },
          Wait: { call: () => new Promise(() => {}) },
          Refuse: {
            call: () => {
              throw new DbusError('org.example.Error.NoTrack', 'there is no track 9');
            },
          },
          Break: {
            call: () => {
              throw new Error('a string broke');
            },
          },
          Size: { in: 'h', out: 't', call: ([n], { fds }) => [fstatSync(fds[n as number]?.fd ?? -1).size] },
          Lie: { out: 'u', call: () => ['no number'] },
        },
        signals: { Changed: 'su' },
        properties: {
          Volume: {
            type: 'u',
            get: () => volume,
            set: (value) => {
              volume = value as number;
            },
          },
          Track: { type: 's', get: () => 'a' },
        },
      },
    };
    const play = { destination: NAME, path: PATH, interface: NAME, member: 'Play', signature: 'sa{sv}' };

    beforeEach(async () => {
      [service, caller] = [await enter(), await enter()];
      service.export(PATH, player);
      assert.equal(await service.requestName(NAME), 'owner');
      heard.length = 0;
      volume = 5;
    });

    it('is called by both names, and knows its caller', async () => {
      const args = ['a', { loud: { type: 'b', value: true } }];
      for (const destination of [NAME, service.name, NAME]) {
        const reply = await caller.call({ ...play, destination, args });
        assert.deepEqual(reply.args, [true, `1 ${caller.name}`]);
        assert.equal(reply.sender, service.name);
        assert.equal(reply.signature, 'bs');
      }
    });

    it('is called directly, past the bus, once its address is known', async () => {
      await caller.call({ ...play, args: ['a', {}] });
      // The reply may come before the bus has told the address; an answer of the bus itself comes after that.
      assert.equal(await caller.owner(NAME), service.name);
      process.kill(bus.pid, 'SIGSTOP');
      try {
        assert.equal((await caller.call({ ...play, args: ['a', {}] })).args[0], true);
      } finally {
        process.kill(bus.pid, 'SIGCONT');
      }
    });

    it('is found after its name has a new owner, and missed when it has none', async () => {
      await caller.call({ ...play, args: ['a', {}] });
      const other = await enter();
      other.export(PATH, player);
      assert.equal(await other.requestName(NAME), 'queued');
      assert.equal(await service.releaseName(NAME), 'released');
      assert.equal((await caller.call({ ...play, args: ['a', {}] })).sender, other.name);
      assert.equal(await caller.owner(NAME), other.name);
      assert.equal(await other.releaseName(NAME), 'released');
      assert.equal(await caller.owner(NAME), undefined);
      await fails(caller.call({ ...play, args: ['a', {}] }), 'ServiceUnknown');
      await fails(caller.call({ ...play, destination: ':0.ffff', args: ['a', {}] }), 'ServiceUnknown');
    });

    it('answers what cannot be called with the errors of the specification', async () => {
      await fails(caller.call({ ...play, member: 'Stop', signature: '' }), 'UnknownMethod');
      await fails(
        caller.call({ ...play, interface: 'org.example.Other', args: ['a', {}] }),
        'UnknownInterface',
      );
      await fails(caller.call({ ...play, path: '/org/example/Nothing', args: ['a', {}] }), 'UnknownObject');
      await fails(caller.call({ ...play, signature: 'i', args: [1] }), 'InvalidArgs');
      await fails(caller.call({ ...play, member: 'Lie', signature: '' }), 'Failed');
      await assert.rejects(caller.call({ ...play, member: 'Refuse', signature: '' }), {
        errorName: 'org.example.Error.NoTrack',
        message: 'there is no track 9',
      });
      await assert.rejects(caller.call({ ...play, member: 'Break', signature: '' }), {
        errorName: `${ERROR}Failed`,
        message: 'a string broke',
      });
    });

    it('gets no message whose values contradict its signature', async () => {
      await assert.rejects(caller.call({ ...play, signature: 'ss', args: ['a'] }), /"ss" has 2 types/);
      await assert.rejects(caller.call({ ...play, signature: 's', args: [1] }));
      await assert.rejects(caller.call({ ...play, signature: '(', args: [] }), /not a signature/);
    });

    it('that does not reply gives NoReply after the caller’s timeout', async () => {
      await fails(caller.call({ ...play, member: 'Wait', signature: '', timeout: 50 }), 'NoReply');
      const controller = new AbortController();
      const call = caller.call({ ...play, member: 'Wait', signature: '', signal: controller.signal });
      controller.abort(new Error('enough'));
      await assert.rejects(call, /enough/);
    });

    it('gets descriptors, which are closed when the call is done', async () => {
      const fd = openSync(process.execPath, 'r');
      try {
        const { args } = await caller.call({
          ...play,
          member: 'Size',
          signature: 'h',
          args: [0],
          fds: [{ fd }],
        });
        assert.equal(args[0], BigInt(fstatSync(fd).size));
      } finally {
        closeSync(fd);
      }
    });

    it('has properties, and tells when one is set', async () => {
      const properties = { destination: NAME, path: PATH, interface: 'org.freedesktop.DBus.Properties' };
      await caller.match(`member='PropertiesChanged',sender='${NAME}'`, (message) => heard.push(message));
      const set = { ...properties, member: 'Set', signature: 'ssv' };
      await caller.call({ ...set, args: [NAME, 'Volume', { type: 'u', value: 9 }] });
      const { args } = await caller.call({ ...properties, member: 'GetAll', signature: 's', args: [NAME] });
      assert.deepEqual(args, [
        new Map([
          ['Volume', { type: 'u', value: 9 }],
          ['Track', { type: 's', value: 'a' }],
        ]),
      ]);
      assert.deepEqual(
        heard.map(({ args: [iface, changed] }) => [iface?.value, changed?.value]),
        [[NAME, new Map([['Volume', { type: 'u', value: 9 }]])]],
      );
      await fails(
        caller.call({ ...set, args: [NAME, 'Track', { type: 's', value: 'b' }] }),
        'PropertyReadOnly',
      );
      await fails(caller.call({ ...set, args: [NAME, 'Volume', { type: 's', value: 'b' }] }), 'InvalidArgs');
      await fails(
        caller.call({ ...set, args: [NAME, 'Colour', { type: 's', value: 'b' }] }),
        'UnknownProperty',
      );
    });

    it('is seen, called and set by busctl', async () => {
      const busctl = async (...args: string[]) =>
        (await run('busctl', [`--address=unix:path=${bus.path}`, ...args])).stdout.trim();
      assert.equal(
        await busctl('call', NAME, PATH, NAME, 'Play', 'sa{sv}', 'a', '0').then((text) => text.slice(0, 9)),
        'bs true "',
      );
      await busctl('set-property', NAME, PATH, NAME, 'Volume', 'u', '7');
      assert.equal(await busctl('get-property', NAME, PATH, NAME, 'Volume'), 'u 7');
      const seen = await busctl('introspect', NAME, PATH);
      for (const line of [
        /\.Play +method +sa\{sv\} +bs/,
        /\.Changed +signal +su/,
        /\.Volume +property +u +7 .*writable/,
        /\.Ping +method/,
      ])
        assert.match(seen, line);
      assert.match(await busctl('tree', NAME), /\/org\/example\/Player/);
    });
  });

  describe('signals', () => {
    const signal = { path: PATH, interface: NAME, member: 'Changed', signature: 'su' };

    it('reach the rules that match them, in the order of the bus, until a rule is removed', async () => {
      const [sender, listener, other] = [await enter(), await enter(), await enter()];
      const heard: unknown[] = [];
      const of =
        (tag: string) =>
        ({ args: [text, n] }: Received) =>
          heard.push(`${tag} ${text?.value} ${n?.value}`);
      const all = await listener.match(`interface='${NAME}'`, of('all'));
      await listener.match(`interface='${NAME}',arg0='b'`, of('b'));
      await other.match("interface='org.example.Other'", of('other'));
      for (const [n, text] of ['a', 'b'].entries()) await sender.signal({ ...signal, args: [text, n] });
      await listener.owner(NAME);
      assert.deepEqual(heard, ['all a 0', 'all b 1', 'b b 1']);
      await all.remove();
      for (const [n, text] of ['a', 'b'].entries()) await sender.signal({ ...signal, args: [text, n] });
      await listener.owner(NAME);
      assert.deepEqual(heard.slice(3), ['b b 1']);
    });

    it('of a well-known sender are those of its owner at that time', async () => {
      const [one, two, listener] = [await enter(), await enter(), await enter()];
      const heard: unknown[] = [];
      await one.requestName(NAME);
      await listener.match(`sender='${NAME}',member='Changed'`, ({ args: [text] }) =>
        heard.push(text?.value),
      );
      await listener.match(`member='Changed'`, () => {});
      const both = async (text: string) => {
        for (const [n, client] of [one, two].entries())
          await client.signal({ ...signal, args: [`${text} ${n}`, n] });
      };
      await both('first');
      await two.requestName(NAME);
      await one.releaseName(NAME);
      await both('second');
      await two.releaseName(NAME);
      await both('third');
      await listener.owner(NAME);
      assert.deepEqual(heard, ['first 0', 'second 1']);
    });

    it('with an invalid rule are refused', async () => {
      const client = await enter();
      await fails(
        client.match("colour='blue'", () => {}),
        'MatchRuleInvalid',
      );
    });
  });

  it('reports names that come and go', async () => {
    const [one, two] = [await enter(), await enter()];
    const told: string[] = [];
    one.on('nameAcquired', (name) => told.push(`+${name}`));
    one.on('nameLost', (name) => told.push(`-${name}`));
    assert.equal(await one.requestName(NAME, { allowReplacement: true }), 'owner');
    assert.equal(await one.requestName(NAME, { allowReplacement: true }), 'already-owner');
    assert.equal(await two.requestName(NAME, { doNotQueue: true }), 'exists');
    assert.equal(await two.requestName(NAME, { replace: true }), 'owner');
    assert.equal(await one.releaseName('org.example.Nobody'), 'non-existent');
    await one.owner(NAME);
    assert.deepEqual(told, [`+${NAME}`, `-${NAME}`]);
    await assert.rejects(one.requestName('no name'), { errorName: `${ERROR}InvalidArgs` });
  });

  it('the end of a connection ends its calls', async () => {
    const [one, two] = [await enter(), await enter()];
    two.export('/', { [NAME]: { methods: { Wait: { call: () => new Promise(() => {}) } } } });
    const call = { destination: two.name, path: '/', interface: NAME, member: 'Wait' };
    const waiting = one.call(call);
    one.close();
    await fails(waiting, 'Disconnected');
    await fails(one.call(call), 'Disconnected');
  });

  it('ignores an answer that is not from the callee', async () => {
    const [caller, callee] = [await enter(), await enter()];
    using liar = await NativeClient.join(bus.afbus as string);
    const serials = Promise.withResolvers<number>();
    const free = Promise.withResolvers<undefined>();
    callee.export('/', {
      [NAME]: {
        methods: {
          Ask: {
            out: 's',
            call: async (_, { serial }) => {
              serials.resolve(serial);
              await free.promise;
              return ['true'];
            },
          },
        },
      },
    });
    const answer = caller.call({ destination: callee.name, path: '/', interface: NAME, member: 'Ask' });
    const lie = {
      type: 'method_return',
      replySerial: await serials.promise,
      destination: caller.name,
    } as const;
    await liar.sendMessage(
      { ...lie, sender: callee.name, args: [{ type: 's', value: 'a lie' }] },
      { to: addressOf(caller.name) },
    );
    await caller.owner(NAME);
    await nextTurn();
    free.resolve(undefined);
    const { args, sender } = await answer;
    assert.deepEqual([args, sender], [['true'], callee.name]);
  });

  it('is not harmed by invalid messages or by a wrong number of descriptors', async () => {
    const client = await enter();
    using liar = await NativeClient.join(bus.afbus as string);
    client.export('/', { [NAME]: { methods: { Ping: { out: 's', call: () => ['pong'] } } } });
    await liar.socket.send('no message', { to: addressOf(client.name) });
    await liar.sendMessage(
      {
        type: 'method_call',
        path: '/',
        member: 'Ping',
        interface: NAME,
        destination: client.name,
        unixFds: 3,
      },
      { to: addressOf(client.name) },
    );
    const call = { destination: client.name, path: '/', interface: NAME, member: 'Ping' };
    assert.deepEqual((await (await enter()).call(call)).args, ['pong']);
  });

  it('the program of docs/dbus.md prints what it says', async () => {
    const page = readFileSync(new URL('../../docs/dbus.md', import.meta.url), 'utf8');
    const [, program = '', output] = /```ts\n(.*?)```\n\n```text\n(.*?)```/s.exec(page) ?? [];
    const library = new URL('../../dbus/index.ts', import.meta.url).href;
    const folder = mkdtempSync(join(tmpdir(), 'afbus-spec-'));
    const file = join(folder, 'program.mts');
    writeFileSync(
      file,
      program
        .replace("'afbus-topo/dbus'", `'${library}'`)
        .replaceAll("'afbus:abstract=my-bus'", `'${address}'`),
    );
    try {
      assert.equal((await run(process.execPath, [file])).stdout, output);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
