// SPDX-License-Identifier: MIT
// A client of a message bus, which is a list of messages here.
import assert from 'node:assert/strict';
import { setImmediate as immediate } from 'node:timers/promises';
import { beforeEach, describe, it } from 'mocha';
import { DbusClient } from '../../../runner/agent/dbus-client.ts';
import type { Tools } from '../../../runner/agent/roles.ts';
import type { DbusDraft, DbusGiven } from '../../../runner/agent/system.ts';
import { DRIVER, marshal } from '../../../runner/dbus/index.ts';

const NAME = 'org.example.Player';
const CALL = { type: 'method_call', sender: ':0.2', path: '/o', interface: 'a.B', member: 'Play' } as const;

describe('a client of a message bus', () => {
  let client: DbusClient;
  let sent: string[];
  let told: string[];
  let tell: (message: Partial<DbusGiven>) => Promise<void>;

  beforeEach(async () => {
    const queue: DbusGiven[] = [];
    let wake = () => {};
    const put = (message: Partial<DbusGiven>) => {
      queue.push({ endian: 'little', flags: 0, serial: 9, args: [], fds: [], ...message } as DbusGiven);
      wake();
    };
    tell = async (message) => {
      put(message);
      await immediate();
    };
    sent = [];
    told = [];
    const connection = {
      async send({ type, destination, member }: DbusDraft, serial: number) {
        sent.push(`${type} > ${destination}`);
        if (destination === DRIVER && member !== 'GetId')
          put({
            ...{ type: 'method_return', sender: DRIVER, destination: ':0.5', replySerial: serial },
            args: [{ type: 's', value: ':0.5' }],
          });
      },
      async *messages() {
        for (;;) {
          while (queue.length > 0) yield queue.shift();
          await new Promise<void>((resolve) => (wake = resolve));
        }
      },
    };
    client = new DbusClient({
      system: { joinDbus: async () => connection, now: () => 0, clock: { after: () => () => {} } },
      reports: { dbus: ({ kind, type }: { kind: string; type?: string }) => told.push(type ?? kind) },
      pipes: { makeForAnswer: async () => [], make: async () => [], sent() {} },
    } as unknown as Tools);
    await client.handle({ do: 'join-dbus', client: 'c', path: 'p', connect: 'native', answers: {} });
    sent = [];
  });

  const ask = (member: string, args: readonly string[]) =>
    client.handle({
      ...{
        do: 'send-dbus',
        serial: 1,
        count: 1,
        pipes: 0,
        answered: true,
        within: 1000,
        destination: DRIVER,
      },
      message: marshal(
        {
          ...{ type: 'method_call', endian: 'little', path: '/', interface: DRIVER, member },
          args: args.map((value) => ({ type: 's', value })),
        },
        1,
      ).toString('base64'),
    });

  it('answers calls to its unique name and to the names that it has asked for, and tells of all', async () => {
    for (const destination of [':0.5', ':0.3', NAME, DRIVER]) await tell({ ...CALL, destination });
    assert.deepEqual(sent.splice(0), ['method_return > :0.2']);
    assert.deepEqual(told.splice(0), Array(4).fill('method_call'));
    await ask('RequestName', [NAME]);
    sent = [];
    await tell({ ...CALL, destination: NAME });
    assert.deepEqual(sent, ['method_return > :0.2']);
  });

  it('takes no answer to another for its own', async () => {
    let settled = false;
    const settling = client.handle({ do: 'settle-dbus', gone: [], within: 1000 });
    void settling.then(() => (settled = true));
    const answer = { type: 'method_return', sender: DRIVER, replySerial: 0x8000_0001 } as const;
    await tell({ ...answer, destination: ':0.3' });
    assert.equal(settled, false);
    await tell({ ...answer, destination: ':0.5' });
    await settling;
  });

  it('waits for the errors that answer its signals, after it has sent all of them', async () => {
    const signal = { type: 'signal', endian: 'little', path: '/', interface: 'a.B', member: 'Wake' } as const;
    let done = false;
    const sending = client.handle({
      ...{ do: 'send-dbus', serial: 1, count: 2, pipes: 0, answered: true, within: 1000, destination: NAME },
      message: marshal({ ...signal, args: [] }, 1).toString('base64'),
    });
    void sending.then(() => (done = true));
    await immediate();
    assert.deepEqual(sent, [`signal > ${NAME}`, `signal > ${NAME}`]);
    const error = { type: 'error', sender: DRIVER, destination: ':0.5', errorName: 'a.Late' } as const;
    await tell({ ...error, replySerial: 1 });
    assert.equal(done, false);
    await tell({ ...error, replySerial: 2 });
    await sending;
  });
});
