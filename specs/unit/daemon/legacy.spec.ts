// SPDX-License-Identifier: MIT
// A client of the AF_UNIX listener, whose stream and attachment are lists here.
import assert from 'node:assert/strict';
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Bus } from '../../../daemon/bus/bus.ts';
import { Legacy } from '../../../daemon/bus/legacy.ts';
import type { Peer } from '../../../daemon/driver/peer.ts';
import { BusError, type UnixStream } from '../../../native/lib/index.ts';
import { type DbusMessage, DRIVER, lengthOf, parse } from '../../../runner/dbus/index.ts';
import { collectGarbage } from '../../helpers/garbage.ts';
import { inWords, Scene, string, uint32 } from './scene.ts';

const MASTER = '0000/000000000000';
const ADDRESS = '0000/0000000000ff';
const LOGIN = '\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n';
const SIGNAL = { type: 'signal', path: '/p', interface: 'a.B', member: 'S' } as const;
const SERIAL_AT = 8;
const NO_ROOM = 'disconnected: the bus has no room for the descriptors of a message for it';

/** Bytes of the heap that are in use after everything else has been freed. */
async function heapInUse(): Promise<number> {
  await collectGarbage();
  return process.memoryUsage().heapUsed;
}

describe('a client of the listener', () => {
  let scene: Scene;
  let legacy: Legacy;
  let ran: Promise<void>;
  let from: Peer;
  let said: string[];
  let logged: string[];
  let done: string[];
  let hear: (batch: unknown[]) => void;
  /** Its stream ends with this error. */
  let fail: (error: Error) => void;

  beforeEach(async () => {
    scene = new Scene();
    from = scene.join();
    said = [];
    logged = [];
    done = [];
    const chunks = [Buffer.from(LOGIN)];
    const more = Promise.withResolvers<Buffer>();
    fail = more.reject;
    const stream = {
      credentials: { pid: 7, uid: 1000, gid: 1000 },
      groups: [],
      pendingBytes: 0,
      receive: async () => ({ data: chunks.shift() ?? (await more.promise), fds: [] }),
      async write(pieces: Uint8Array | readonly Uint8Array[]) {
        const bytes = Buffer.concat(pieces instanceof Uint8Array ? [pieces] : pieces);
        if (lengthOf(bytes) === bytes.length) said.push(parse(bytes).member ?? parse(bytes).type);
      },
      close() {},
    };
    async function* batches() {
      for (;;) yield await new Promise<unknown[]>((resolve) => (hear = resolve));
    }
    const nothing = () => {};
    const accepted = { close: nothing, removeAllMatches: nothing, addMatch: nothing, setEavesdrop: nothing };
    const joined = Promise.withResolvers<void>();
    const bus = {
      ...{ driver: scene.driver, guid: '0'.repeat(32), mechanisms: ['EXTERNAL'] },
      newcomers: { add: nothing, delete: nothing },
      attach: async () => ({ client: { address: ADDRESS, batches, close: nothing }, accepted }),
      add({ peer }: Legacy) {
        scene.driver.connect(peer);
        joined.resolve();
      },
      remove: ({ peer }: Legacy) => scene.driver.leave(peer),
      log: (text: string) => logged.push(text),
      peerAt: (address: string) => (address === from.address ? from : undefined),
      perform: (effects: Parameters<Bus['perform']>[0]) => done.push(...inWords(effects)),
    };
    legacy = new Legacy(bus as unknown as Bus, stream as unknown as UnixStream);
    ran = legacy.run();
    await joined.promise;
    scene.call(legacy.peer, 'Hello');
  });

  function becomeMonitor() {
    scene.call(legacy.peer, 'BecomeMonitor', [{ type: 'as', value: [] }, uint32(0)], {
      interface: 'org.freedesktop.DBus.Monitoring',
    });
    legacy.becomeMonitor(102);
  }

  afterEach(() => legacy.close());

  /** What it gets when this comes for it. */
  async function gets(sender: Peer | undefined, message: Partial<DbusMessage>, lost?: number) {
    const { bytes } = scene.incoming({ ...(!sender && { sender: DRIVER }), ...message });
    hear([{ data: bytes, fds: [], from: sender?.address ?? MASTER, ...(lost !== undefined && { lost }) }]);
    await immediate();
    return said.splice(0);
  }

  const answer = (replySerial: number) =>
    gets(undefined, { type: 'method_return', destination: legacy.peer.name, replySerial });

  describe('that is a monitor', () => {
    beforeEach(becomeMonitor);

    it('hears nothing before the reply to that call, whatever else is answered', async () => {
      assert.deepEqual(await answer(101), ['method_return']);
      assert.deepEqual(await gets(from, { ...SIGNAL, member: 'Early' }), []);
      assert.deepEqual(await answer(102), ['method_return']);
      assert.deepEqual(await gets(from, { ...SIGNAL, member: 'Late' }), ['Late']);
    });

    it('is cut off when the kernel has dropped copies for it', async () => {
      await answer(102);
      assert.deepEqual(await gets(from, { ...SIGNAL, member: 'After' }, 3), []);
      assert.deepEqual(logged, ['disconnected: more messages for others came than the bus could copy to it']);
    });

    it('is cut off when the bus has no room for the descriptors of what it hears', async () => {
      await answer(102);
      await misses({ ...SIGNAL });
      assert.deepEqual(logged, [NO_ROOM]);
    });
  });

  /** A message came for it without its descriptors. */
  async function misses(message: Partial<DbusMessage>) {
    const descriptor = { closed: false, close: () => (descriptor.closed = true) };
    const { bytes } = scene.incoming({ unixFds: 2, ...message });
    hear([{ data: bytes, from: from.address, controlTruncated: true, fds: [descriptor] }]);
    await immediate();
    assert.ok(descriptor.closed);
    assert.deepEqual(said.splice(0), []);
    return done.splice(0);
  }

  const error = (to: Peer) => [
    `${to.name} < !LimitsExceeded "The bus has no room for the descriptors of the message"`,
  ];

  it('lets a caller know that the bus has no room for the descriptors of its call', async () => {
    const call = { destination: legacy.peer.name, path: '/p', interface: 'a.B', member: 'M' };
    assert.deepEqual(await misses(call), error(from));
    assert.deepEqual(await misses({ ...call, flags: 1 }), []);
    assert.deepEqual(logged, []);
  });

  it('gets an error if it waits for an answer and the bus has no room for its descriptors', async () => {
    const answer = { type: 'method_return', destination: legacy.peer.name, replySerial: 7 } as const;
    assert.deepEqual(await misses(answer), error(legacy.peer));
    from = scene.join({ tracked: false });
    assert.deepEqual(await misses(answer), []);
    scene.driver.replies.expect({ caller: legacy.peer, serial: 7, callee: from });
    assert.deepEqual(await misses(answer), error(legacy.peer));
    assert.deepEqual(logged, []);
  });

  describe('that eavesdrops', () => {
    const RULE = [string("eavesdrop='true'")];

    beforeEach(() => {
      scene.call(legacy.peer, 'AddMatch', RULE);
      legacy.eavesdrop(true);
    });

    it('gets a message once, though the bus repeats it', async () => {
      const message = { ...SIGNAL, destination: from.name };
      assert.deepEqual(await gets(from, message), ['S']);
      const data = scene.again({ ...message, sender: from.name });
      hear([{ data, fds: [], from: MASTER }]);
      await immediate();
      assert.deepEqual(said, []);
    });

    it('takes no memory for what it has heard, once it does not eavesdrop any more', async () => {
      const unused = await heapInUse();
      const data = scene.incoming({ ...SIGNAL, destination: from.name }).bytes as Buffer;
      const batch = Array.from({ length: 1 << 16 }, (_, n) => {
        const copy = Buffer.from(data);
        copy.writeUInt32LE(n + 1, SERIAL_AT);
        return { data: copy, fds: [], from: from.address };
      });
      hear(batch.splice(0));
      await immediate();
      assert.equal(said.splice(0).length, 1 << 16);
      scene.call(legacy.peer, 'RemoveMatch', RULE);
      legacy.eavesdrop(false);
      await immediate();
      const more = (await heapInUse()) - unused;
      assert.ok(more < 1 << 20, `${more} bytes`);
    });
  });

  it('is cut off alone when the bus fails to serve it', async () => {
    fail(new RangeError('a mistake of the bus'));
    await ran;
    assert.match(logged.join('\n'), /^disconnected: the bus has failed: RangeError: a mistake of the bus\n/);
  });

  it('does not get a message that the bus fails to handle, and gets the next one', async () => {
    const { mayReceive } = scene.driver.policy;
    scene.driver.policy.mayReceive = () => {
      throw new RangeError('a mistake of the bus');
    };
    assert.deepEqual(await gets(from, { ...SIGNAL }), []);
    scene.driver.policy.mayReceive = mayReceive;
    assert.deepEqual(await gets(from, { ...SIGNAL }), ['S']);
    assert.match(
      logged.join('\n'),
      /^dropped a message: the bus has failed: RangeError: a mistake of the bus\n/,
    );
  });

  it('is cut off when it would lose a signal without knowing it', async () => {
    await misses({ ...SIGNAL });
    assert.deepEqual(logged, [NO_ROOM]);
  });
});

describe('a message of a client of the listener that the kernel does not take', () => {
  const refusal = (code: string) => new BusError(1, code, 'text', { syscall: 'sendmsg' });

  /** What it says is sent to, what comes of that, and whether the client is still connected. */
  async function outcome(refuse: (to: string | undefined) => BusError | undefined) {
    const scene = new Scene();
    const other = scene.join();
    const [sentTo, done]: [(string | undefined)[], string[]] = [[], []];
    const chunks = [Buffer.from(LOGIN)];
    const told = Promise.withResolvers<Buffer>();
    const idle = Promise.withResolvers<void>();
    const nothing = () => {};
    const stream = {
      credentials: { pid: 7, uid: 1000, gid: 1000 },
      ...{ groups: [], pendingBytes: 0, write: async () => {} },
      async receive() {
        const data = chunks.shift();
        if (data === undefined) idle.resolve();
        return { data: data ?? (await told.promise), fds: [] };
      },
      close: () => idle.resolve(),
    };
    const client = {
      ...{ address: ADDRESS, close: nothing },
      batches: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
      async send(_: Buffer, { to }: { to?: string }) {
        sentTo.push(to);
        const error = refuse(to);
        if (error) throw error;
      },
    };
    let left = false;
    const bus = {
      ...{ driver: scene.driver, guid: '0'.repeat(32), mechanisms: ['EXTERNAL'], maxMessage: 1 << 20 },
      ...{ newcomers: { add: nothing, delete: nothing }, log: nothing, pump: nothing },
      attach: async () => ({ client, accepted: { close: nothing } }),
      add({ peer }: Legacy) {
        scene.driver.connect(peer);
        scene.call(peer, 'Hello');
        const call = { destination: other.name, path: '/p', interface: 'a.B', member: 'M' };
        chunks.push(Buffer.from(scene.incoming(call).bytes));
      },
      remove: () => {
        left = true;
      },
      addressOf: (_: string, { address }: Peer) => address,
      perform: (effects: Parameters<Bus['perform']>[0]) => done.push(...inWords(effects)),
    };
    const legacy = new Legacy(bus as unknown as Bus, stream as unknown as UnixStream);
    void legacy.run();
    await idle.promise;
    const result = { sentTo: sentTo.map((to) => (to === other.address ? 'other' : to)), done, left };
    legacy.close();
    told.resolve(Buffer.alloc(0));
    return result;
  }

  for (const code of ['EPIPE', 'EHOSTUNREACH'])
    it(`goes to the master, if its recipient is not there: ${code}`, async () => {
      assert.deepEqual(await outcome((to) => (to === undefined ? undefined : refusal(code))), {
        ...{ sentTo: ['other', undefined], done: [], left: false },
      });
    });

  it('ends the connection if the master is not there either', async () => {
    const { sentTo, left } = await outcome(() => refusal('EPIPE'));
    assert.deepEqual([sentTo, left], [['other', undefined], true]);
  });

  it('is sent once more if the kernel may lack memory, or have expelled the client', async () => {
    const { sentTo, done, left } = await outcome(() => refusal('ENOBUFS'));
    assert.deepEqual([sentTo, left], [['other', 'other'], false]);
    assert.deepEqual(done, [
      ':0.ff < !LimitsExceeded "The kernel does not take the message: ENOBUFS: text, sendmsg"',
    ]);
    let sends = 0;
    const expelled = await outcome(() => refusal(sends++ === 0 ? 'ENOBUFS' : 'EPIPE'));
    assert.ok(expelled.left);
  });

  for (const [code, name] of [
    ['ENOMEM', 'LimitsExceeded'],
    ['ETOOMANYREFS', 'LimitsExceeded'],
    ['EPERM', 'AccessDenied'],
  ] as const)
    it(`is answered with an error: ${code}`, async () => {
      const { sentTo, done, left } = await outcome(() => refusal(code));
      assert.deepEqual([sentTo, left], [['other'], false]);
      assert.deepEqual(done, [
        `:0.ff < !${name} "The kernel does not take the message: ${code}: text, sendmsg"`,
      ]);
    });
});
