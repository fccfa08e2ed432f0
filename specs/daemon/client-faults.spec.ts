// SPDX-License-Identifier: MIT
// `afbus-topo/dbus` in the hands of careless programs, and among clients that lie.
import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'mocha';
import { type Bus, connect, DbusError, type Method, type Value } from '../../dbus/index.ts';
import { type DbusMessage, DRIVER, marshal } from '../../runner/dbus/index.ts';
import { type RunningBus, startOurs } from '../dbus/daemons.ts';
import { addressOf, type Heard, NativeClient } from './native-client.ts';

const NAME = 'org.example.Player';
const PATH = '/org/example/Player';
const ERROR = 'org.freedesktop.DBus.Error.';
const PEER = 'org.freedesktop.DBus.Peer';
const SIGNAL = { path: PATH, interface: NAME, member: 'Changed' };

const LOOP: Value[] = [];
LOOP.push(LOOP);

describe('afbus-topo/dbus, misused', function () {
  this.timeout(60_000);
  let bus: RunningBus;
  let clients: { close(): void }[] = [];

  before(async () => {
    bus = await startOurs();
  });

  after(() => bus[Symbol.asyncDispose]());

  afterEach(() => {
    for (const client of clients) client.close();
    clients = [];
  });

  async function enter(): Promise<Bus> {
    const client = await connect(`afbus:abstract=${bus.afbus?.slice(1)}`);
    clients.push(client);
    return client;
  }

  async function stranger(): Promise<NativeClient> {
    const client = await NativeClient.join(bus.afbus as string);
    clients.push(client);
    return client;
  }

  /** A service with one method, its caller, and the call. */
  async function scene(method: Method = { call: () => undefined }) {
    const [service, caller] = [await enter(), await enter()];
    const object = service.export(PATH, { [NAME]: { methods: { Act: method }, signals: { Changed: '' } } });
    const call = { destination: service.name, path: PATH, interface: NAME, member: 'Act' };
    return { service, caller, call, object };
  }

  const fails = (promise: Promise<unknown>, name: string, text?: RegExp) =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof DbusError, String(error));
      assert.equal(error.errorName, ERROR + name);
      if (text) assert.match(error.message, text);
      return true;
    });

  describe('a call', () => {
    it('with an invalid name or path is refused, and its sender stays on the bus', async () => {
      const { caller, call } = await scene();
      const wrong: readonly object[] = [
        { destination: 'nobody' },
        { path: 'nowhere' },
        { path: '/org/freedesktop/DBus/Local' },
        { path: undefined },
        { interface: 'none' },
        { interface: 'org.freedesktop.DBus.Local' },
        { member: 'a b' },
        { member: undefined },
      ];
      for (const change of wrong)
        for (const destination of [call.destination, DRIVER, NAME])
          await assert.rejects(caller.call({ ...call, destination, ...change }), TypeError);
      await assert.rejects(caller.signal({ ...SIGNAL, interface: 'none' }), TypeError);
      await caller.call(call);
    });

    it('that was aborted before is not sent', async () => {
      let calls = 0;
      const { service, caller, call } = await scene({ call: () => void calls++ });
      const signal = AbortSignal.abort(new Error('too late'));
      await assert.rejects(caller.call({ ...call, signal }), /too late/);
      await caller.call(call);
      assert.equal(calls, 1);
      assert.equal(await service.owner(NAME), undefined);
    });

    it('that is aborted while it waits for room is never sent', async () => {
      const [caller, callee] = [await enter(), await stranger()];
      const controller = new AbortController();
      const call = { destination: callee.name, path: PATH, interface: NAME, signal: controller.signal };
      const heard: Heard[] = [];
      const last = callee.until((message) => heard.push(message) > 0 && message.type === 'signal');
      // More than one turn of the event loop sends.
      const calls = Array.from({ length: 300 }, () => caller.call({ ...call, member: 'Act' }));
      controller.abort(new Error('enough'));
      for (const each of calls) await assert.rejects(each, /enough/);
      await caller.owner(NAME);
      await caller.signal({ ...SIGNAL, destination: callee.name });
      await last;
      assert.ok(heard.length < calls.length, `${heard.length} messages came`);
    });

    it('has the timeout that it asks for, or none if that is too long for a timer', async () => {
      // Not for calls that have come by then: on a busy machine the first one may come later.
      const { promise: answered, resolve: answer } = Promise.withResolvers<undefined>();
      const { caller, call } = await scene({ call: () => answered });
      const { promise: warned, resolve: warn } = Promise.withResolvers<Error>();
      process.once('warning', warn);
      const waiting = caller.call({ ...call, timeout: 2 ** 31 });
      await fails(caller.call({ ...call, timeout: 20 }), 'NoReply');
      answer(undefined);
      await waiting;
      process.off('warning', warn);
      warn(new Error('none'));
      assert.equal((await warned).message, 'none');
      for (const timeout of [-1, Number.NaN])
        await assert.rejects(caller.call({ ...call, timeout }), RangeError);
    });

    it('is answered once, by a return or an error, and the descriptors of the rest are closed', async () => {
      const [caller, callee] = [await enter(), await stranger()];
      const fd = openSync('/dev/null', 'r');
      const open = () => readdirSync('/proc/self/fd').length;
      const before = open();
      const answer = caller.call({ destination: callee.name, path: PATH, member: 'Act' });
      const { serial } = await callee.until(({ member }) => member === 'Act');
      const draft = {
        ...{ type: 'method_return', endian: 'little', unixFds: 1 },
        ...{ replySerial: serial, destination: caller.name },
      } as const satisfies Omit<DbusMessage, 'args'>;
      const [ofLater, ...replies] = ['later', 'first', 'second'].map((value, n) =>
        marshal({ ...draft, args: [{ type: 's', value }] }, n + 1),
      ) as [Buffer, Buffer, Buffer];
      // A type of message that a later version of D-Bus may have.
      ofLater[1] = 5;
      for (const bytes of [ofLater, ...replies])
        await callee.socket.send(bytes, { to: addressOf(caller.name), fds: [{ fd }] });
      const { args, fds } = await answer;
      assert.deepEqual(args, ['first']);
      await caller.owner(NAME);
      assert.equal(open() - before, 1);
      for (const each of fds) each.close();
      closeSync(fd);
    });

    it('that fails without a text has the name of its error as one', async () => {
      const [caller, callee] = [await enter(), await stranger()];
      const answer = caller.call({ destination: callee.name, path: PATH, member: 'Act' });
      const { serial } = await callee.until(({ member }) => member === 'Act');
      const error = { errorName: `${ERROR}Failed`, replySerial: serial, destination: caller.name };
      await callee.sendMessage({ type: 'error', ...error }, { to: addressOf(caller.name) });
      await fails(answer, 'Failed', /Error\.Failed$/);
    });

    it('of a client that takes nothing any more gets no reply', async () => {
      const [caller, deaf] = [await enter(), await stranger()];
      deaf.socket.shutdown('read');
      const call = { destination: deaf.name, path: PATH, interface: NAME, member: 'Act' };
      await caller.notify(call);
      await caller.signal({ ...SIGNAL, destination: deaf.name });
      await fails(caller.call({ ...call, timeout: 20 }), 'NoReply');
      assert.equal(await caller.owner(deaf.name), deaf.name);
    });

    it('of the unique name that would be the multicast address reaches nobody', async () => {
      const { caller, service, call } = await scene();
      await service.match('', () => {});
      await fails(caller.call({ ...call, destination: ':0.ffffffffffff' }), 'ServiceUnknown');
    });
  });

  describe('a method', () => {
    const thrown: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
      'throws undefined': [() => Promise.reject(), /undefined/],
      'throws null': [() => Promise.reject(null), /null/],
      'throws a string': [() => Promise.reject('no track'), /no track/],
      'throws an error with a name that is none': [
        () => Promise.reject(new DbusError('no', '')),
        /errorName/,
      ],
      'returns null for a variant': [() => [null], /for a variant, got null/],
      'returns a value that holds itself': [() => [LOOP], /circular/],
    };
    for (const [does, [call, text]] of Object.entries(thrown))
      it(`that ${does} answers with an error`, async () => {
        const out = does.includes('variant') ? 'v' : 's';
        const { caller, call: act } = await scene({ out, call: call as Method['call'] });
        await fails(caller.call({ ...act, timeout: 20_000 }), 'Failed', text);
      });

    it('keeps its `this` if its object is of a class', async () => {
      class Counter implements Method {
        readonly out = 'u';
        #count = 0;
        call(): [number] {
          return [++this.#count];
        }
      }
      const { caller, call } = await scene(new Counter());
      assert.deepEqual((await caller.call(call)).args, [1]);
    });

    it('of Peer answers at any path', async () => {
      const { caller, service } = await scene();
      for (const path of ['/', '/org/example/Nothing'])
        await caller.call({ destination: service.name, path, interface: PEER, member: 'Ping' });
    });
  });

  describe('an object', () => {
    it('that is removed twice takes no other with it', async () => {
      const { service, caller, call, object } = await scene();
      object.remove();
      service.export(PATH, { [NAME]: { methods: { Act: { call: () => undefined } } } });
      object.remove();
      await caller.call(call);
    });

    it('rejects a signal that it does not have', async () => {
      const { object } = await scene();
      const emitted = object.emit(NAME, 'Nothing');
      await assert.rejects(emitted, /no signal/);
    });
  });

  describe('a handler', () => {
    it('that adds a rule is not told its message again', async () => {
      const [sender, listener] = [await enter(), await enter()];
      const added: Promise<unknown>[] = [];
      const handler = (): void => {
        if (added.length < 9) added.push(listener.match(`interface='${NAME}'`, handler));
      };
      await listener.match(`interface='${NAME}'`, handler);
      await sender.signal(SIGNAL);
      await listener.owner(NAME);
      await Promise.all(added);
      assert.equal(added.length, 1);
    });

    it('that closes the bus hears nothing any more', async () => {
      const [sender, listener] = [await enter(), await enter()];
      let heard = 0;
      await listener.match(`interface='${NAME}'`, () => {
        heard++;
        listener.close();
      });
      const closed = new Promise((resolve) => listener.on('close', resolve));
      for (let n = 0; n < 20; n++) await sender.signal(SIGNAL);
      await closed;
      await sender.owner(NAME);
      assert.equal(heard, 1);
    });

    it('of an event that throws ends no connection', async () => {
      const client = await enter();
      const uncaught: unknown[] = [];
      const listeners = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.on('uncaughtException', (error) => uncaught.push(error));
      try {
        client.on('nameAcquired', () => {
          throw new Error('a listener broke');
        });
        await client.requestName(NAME);
        assert.equal(await client.owner(NAME), client.name);
        assert.deepEqual(uncaught.map(String), ['Error: a listener broke']);
      } finally {
        process.removeAllListeners('uncaughtException');
        for (const listener of listeners) process.on('uncaughtException', listener);
      }
    });

    it('of nameAcquired is not told the unique name', async () => {
      const told: string[] = [];
      for (let n = 0; n < 10; n++) {
        const client = await enter();
        client.on('nameAcquired', (name) => told.push(name));
        await client.owner(NAME);
      }
      assert.deepEqual(told, []);
    });
  });

  it('a client that was closed says so to every call, and removes its rules', async () => {
    const { caller, call, object, service } = await scene();
    const subscription = await caller.match(`sender='${NAME}'`, () => {});
    caller.close();
    caller.close();
    service.close();
    await fails(caller.call(call), 'Disconnected');
    await fails(caller.notify(call), 'Disconnected');
    await fails(caller.signal(SIGNAL), 'Disconnected');
    await fails(object.emit(NAME, 'Changed'), 'Disconnected');
    await fails(
      caller.match(`sender='${NAME}'`, () => {}),
      'Disconnected',
    );
    await subscription.remove();
  });
});
