// SPDX-License-Identifier: MIT
// A client of the library, and a bus that is a list of messages.
import assert from 'node:assert/strict';
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { Bus } from '../../../dbus/bus.ts';
import { Connection, type Draft, type Received } from '../../../dbus/connection.ts';
import { DRIVER } from '../../../runner/dbus/index.ts';

const NAME = 'org.example.Player';
const SERIAL = 77;
const open = Connection.open;

const CALL = { type: 'method_call', sender: ':0.2', path: '/o', interface: 'a.B', member: 'Play' } as const;
const SIGNAL = { ...CALL, type: 'signal' } as const;
const ANSWER = { type: 'method_return', sender: ':0.2', replySerial: SERIAL } as const;
const told = (member: string, destination: string): Partial<Received> => ({
  ...{
    type: 'signal',
    sender: DRIVER,
    path: '/org/freedesktop/DBus',
    interface: DRIVER,
    member,
    destination,
  },
  args: [{ type: 's', value: NAME }],
});

describe('a client that eavesdrops', () => {
  let bus: Bus;
  let sent: string[];
  let tell: (message: Partial<Received>) => Promise<void>;
  let done: string[];

  beforeEach(async () => {
    const queue: Received[] = [];
    let wake = () => {};
    const put = (message: Partial<Received>) => {
      queue.push({ endian: 'little', flags: 0, serial: 9, args: [], fds: [], ...message } as Received);
      wake();
    };
    tell = async (message) => {
      put(message);
      await immediate();
    };
    sent = [];
    const connection = {
      newSerial: () => SERIAL,
      close() {},
      async send({ type, destination, member }: Draft) {
        sent.push(`${type} > ${destination}`);
        if (member === 'Hello' || member === 'AddMatch')
          put({ ...ANSWER, sender: DRIVER, destination: ':0.5', args: [{ type: 's', value: ':0.5' }] });
      },
      async *messages() {
        for (;;) {
          while (queue.length > 0) yield queue.shift();
          await new Promise<void>((resolve) => (wake = resolve));
        }
      },
    };
    Connection.open = async () => connection as unknown as Connection;
    bus = await Bus.connect('afbus:abstract=none');
    done = [];
    bus.export('/o', { 'a.B': { methods: { Play: { call: () => void done.push('played') } } } });
    bus.on('nameAcquired', (name) => done.push(`acquired ${name}`));
    bus.on('nameLost', (name) => done.push(`lost ${name}`));
    await bus.match("interface='a.B'", ({ type }) => done.push(`handled ${type}`));
    await bus.match("eavesdrop='true'", ({ type }) => done.push(`heard ${type}`));
    sent = [];
  });

  afterEach(() => {
    Connection.open = open;
    bus.close();
  });

  it('only hears calls, signals and names of others', async () => {
    await tell({ ...CALL, destination: ':0.3' });
    await tell({ ...CALL, destination: NAME });
    await tell({ ...SIGNAL, destination: ':0.3' });
    await tell(told('NameAcquired', ':0.3'));
    await tell({ ...CALL, destination: NAME });
    assert.deepEqual(sent, []);
    const heard = ['method_call', 'method_call', 'signal', 'signal', 'method_call'];
    assert.deepEqual(
      done,
      heard.map((type) => `heard ${type}`),
    );
  });

  it('takes no answer to another for its own', async () => {
    let answered = false;
    const call = bus.call({ destination: ':0.2', path: '/o', interface: 'a.B', member: 'Stop' });
    void call.then(() => (answered = true));
    await tell({ ...ANSWER, destination: ':0.3' });
    assert.equal(answered, false);
    await tell({ ...ANSWER, destination: ':0.5' });
    await call;
  });

  it('answers calls to its unique name and to the names that it owns', async () => {
    const calls = async (message: Partial<Received> = {}) => {
      for (const destination of [':0.5', NAME]) await tell({ ...CALL, ...message, destination });
      return done.splice(0).filter((each) => each === 'played').length;
    };
    assert.equal(await calls(), 1);
    await tell(told('NameAcquired', ':0.5'));
    assert.deepEqual(done.splice(0), [`acquired ${NAME}`, 'heard signal']);
    assert.equal(await calls(), 2);
    await tell(told('NameLost', ':0.5'));
    assert.deepEqual(done.splice(0), [`lost ${NAME}`, 'heard signal']);
    assert.equal(await calls(), 1);
    // What comes from the sender itself may be here before the master says that the name is.
    assert.equal(await calls({ direct: true }), 2);
    assert.equal(sent.length, 6);
  });

  it('handles signals for itself and for everyone by each rule', async () => {
    for (const to of [{}, { destination: ':0.5' }]) {
      await tell({ ...SIGNAL, ...to });
      assert.deepEqual(done.splice(0), ['handled signal', 'heard signal']);
    }
  });
});
