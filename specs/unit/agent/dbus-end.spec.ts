// SPDX-License-Identifier: MIT
// A client of a message bus: which errors are the end of its connection, and what comes of descriptors.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BusError } from '../../../native/lib/errors.ts';
import { DbusClient } from '../../../runner/agent/dbus-client.ts';
import type { Tools } from '../../../runner/agent/roles.ts';
import { wallClock } from '../../../runner/common/clock.ts';
import { NotDbus } from '../../../runner/dbus/index.ts';

const HELLO = {
  type: 'method_return',
  replySerial: 0x8000_0000,
  args: [{ type: 's', value: ':0.1' }],
  fds: [],
};
const END = new BusError(32, 'EPIPE', 'expelled', { syscall: 'recvmsg' });
const code = (name: string) => Object.assign(new Error(name), { code: name });

type Item = object | Error;

/** Reads these things, one reading of the connection after another. */
async function joined(readings: readonly (readonly Item[])[], write = (_: number) => {}) {
  const got: string[] = [];
  const left = [...readings];
  const connection = {
    send: async () => {},
    async *messages() {
      for (const item of left.shift() ?? []) {
        if (item instanceof Error) throw item;
        yield item;
      }
    },
  };
  const tools = {
    system: { clock: wallClock, now: () => 0, write, joinDbus: async () => connection },
    reports: { dbus: ({ member }: { member?: string }) => got.push(member ?? '') },
  };
  const client = new DbusClient(tools as unknown as Tools);
  await client
    .handle({ do: 'join-dbus', client: 'slow', path: '/bus', connect: 'native', answers: {} })
    .catch(() => {});
  return { got, end: () => client.handle({ do: 'await-end', within: 1000 }) };
}

const tick = (member: string, fds: readonly object[] = []) => ({
  ...{ type: 'signal', sender: ':0.2', serial: 7, args: [], member, fds },
});

describe('the connection of a client of a message bus', () => {
  it('that is expelled reads what came before the error', async () => {
    const { got, end } = await joined([[HELLO, END], [tick('Tick')]]);
    assert.deepEqual(await end(), { ended: true });
    assert.deepEqual(got, ['Tick']);
  });

  it('is not cut off because something else fails', async () => {
    for (const failure of [new NotDbus('no message', 0), code('EBADF'), new TypeError('a mistake')])
      for (const readings of [[[HELLO, failure]], [[HELLO, END], [failure]]]) {
        const { end } = await joined(readings);
        await assert.rejects(end, failure);
      }
  });

  it('goes on after a descriptor that does not work, and closes all that came', async () => {
    const [closed, written]: [number[], number[]] = [[], []];
    const fds = [3, 4].map((fd) => ({ fd, close: () => closed.push(fd) }));
    const { got, end } = await joined([[HELLO, tick('Tick', fds), tick('Tock')]], (fd) => {
      if (fd === 3) throw code('EBADF');
      written.push(fd);
    });
    assert.deepEqual(await end(), { ended: true });
    assert.deepEqual([got, closed, written], [['Tick', 'Tock'], [3, 4], [4]]);
  });

  it('closes the descriptors of a message that it cannot take', async () => {
    const closed: number[] = [];
    const fds = [{ fd: 3, close: () => closed.push(3) }];
    const { end } = await joined([[HELLO, { ...tick('Tick', fds), args: undefined }]]);
    await assert.rejects(end, TypeError);
    assert.deepEqual(closed, [3]);
  });
});
