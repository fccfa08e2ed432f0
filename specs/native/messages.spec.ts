// SPDX-License-Identifier: MIT
// What is sent is what is received: bytes, senders, ancillary values, and what readers may ask for.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { constants, filterReturn, multicastAddress } from '../../native/lib/index.ts';
import { Bus, texts } from './bus.ts';

describe('messages', () => {
  it('client to master and back need no address', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await client.send('up');
    await accepted.send(Buffer.from('down'));
    const [up] = await accepted.receive();
    assert.deepEqual([up?.data.toString(), up?.from, up?.length], ['up', client.address, 2]);
    assert.deepEqual(texts(await client.receive()), ['down']);
  });

  it('unicast, multicast and the default route', async () => {
    await using bus = await Bus.open();
    const [a, b, c] = await bus.joinMany(3, 2);
    assert.ok(a && b && c);
    await a.client.send('one', { to: '0002/000000000002' });
    await a.client.send('all', { to: multicastAddress(2) });
    await a.client.send('nobody', { to: 0x0009_0000_0000_0001n });
    await a.client.send('parts', { to: { prefix: 2, client: 3 } });
    assert.deepEqual(texts(b.client.tryReceive()), ['one', 'all']);
    assert.deepEqual(texts(c.client.tryReceive()), ['all', 'parts']);
    assert.deepEqual(texts(a.client.tryReceive()), ['all']);
    assert.deepEqual(texts(a.accepted.tryReceive()), ['nobody']);
  });

  it('errors name the destination', async () => {
    await using bus = await Bus.open();
    const { client } = await bus.connect();
    await assert.rejects(client.send('x', { to: '0002/f00ddeadbeef' }), {
      message: 'EHOSTUNREACH: no route to host, sendmsg 0002/f00ddeadbeef',
      code: 'EHOSTUNREACH',
      errno: -113,
      syscall: 'sendmsg',
      address: '0002/f00ddeadbeef',
    });
    await assert.rejects(client.send('x', { path: '@elsewhere' }), {
      code: 'EHOSTUNREACH',
      path: '@elsewhere',
    });
    await client.send('x', { path: bus.master.path });
  });

  it('arguments that make no sense are refused', async () => {
    await using bus = await Bus.open();
    const { client } = await bus.connect();
    await assert.rejects(client.send(5 as unknown as string), { name: 'TypeError', message: /data/ });
    await assert.rejects(client.send('x', { to: 'nowhere' }), { name: 'TypeError', message: /'nowhere'/ });
    await assert.rejects(client.send('x', { fds: [-1] }), { name: 'TypeError', message: /descriptor: -1/ });
    await assert.rejects(client.receive({ max: 0 }), { name: 'RangeError', message: /max 0/ });
    assert.throws(() => client.tryReceive(257), { name: 'RangeError', message: /max 257/ });
    await assert.rejects(client.send('x', { flags: constants().MSG_OOB }), { code: 'EOPNOTSUPP' });
  });

  it('empty messages are messages, wherever they are in a batch', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    for (const text of ['', 'a', '', '', 'b', '']) await client.send(text);
    const received = [];
    for (let batch = accepted.tryReceive(); batch.length > 0; batch = accepted.tryReceive())
      received.push(...batch);
    assert.deepEqual(texts(received), ['', 'a', '', '', 'b', '']);
    assert.ok(!accepted.atEnd);
    assert.ok(received.every(({ from }) => from === client.address));
  });

  it('a message of any size that the send buffer takes comes whole; one more byte is EMSGSIZE', async () => {
    await using bus = await Bus.open({ sendBuffer: 8 << 20 });
    const { client, accepted } = await bus.connect();
    const size = client.sendBufferSize - 32;
    assert.ok(size > 4 << 20, `send buffer ${size}`);
    const body = Buffer.alloc(size);
    for (let i = 0; i < size; i += 4096) body.writeUInt32LE(i, i);
    await client.send(body);
    const [message] = await accepted.receive();
    assert.ok(message?.data.equals(body));
    await assert.rejects(client.send(Buffer.alloc(size + 1)), { code: 'EMSGSIZE' });
  });

  it('small and large ones in one batch keep their bytes apart', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    const sizes = [1, 70_000, 0, 3, 20_000, 5];
    for (const [i, size] of sizes.entries()) await client.send(Buffer.alloc(size, i + 1));
    const batch = accepted.tryReceive();
    assert.deepEqual(
      batch.map(({ data }) => data.length),
      sizes,
    );
    for (const [i, { data }] of batch.entries()) assert.ok(data.every((byte) => byte === i + 1));
  });

  it('a batch takes what is there and no more than asked', async () => {
    await using bus = await Bus.open({ queueLength: 100 });
    const { client, accepted } = await bus.connect();
    for (let i = 0; i < 10; i++) await client.send(`${i}`);
    assert.deepEqual(texts(await accepted.receive({ max: 3 })), ['0', '1', '2']);
    assert.deepEqual(texts(accepted.tryReceive(4)), ['3', '4', '5', '6']);
    assert.deepEqual(texts(await accepted.receive()), ['7', '8', '9']);
    assert.deepEqual(accepted.tryReceive(), []);
  });

  it('data belongs to the receiver: later batches leave it alone', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await client.send('first');
    const [first] = accepted.tryReceive();
    await client.send('other');
    accepted.tryReceive();
    assert.equal(first?.data.toString(), 'first');
  });

  it('iteration gives one at a time and leaves the rest in the queue', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    for (const text of ['a', 'b', 'c']) await client.send(text);
    for await (const { data } of accepted) {
      assert.equal(data.toString(), 'a');
      break;
    }
    assert.equal(accepted.incomingBytes, 2);
    client.close();
    const rest: string[] = [];
    for await (const { data } of accepted) rest.push(data.toString());
    assert.deepEqual(rest, ['b', 'c']);
  });

  it('batches end with the connection', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    for (const text of ['a', 'b', 'c']) await client.send(text);
    client.close();
    const sizes: number[] = [];
    for await (const batch of accepted.batches({ max: 2 })) sizes.push(batch.length);
    assert.deepEqual(sizes, [2, 1]);
  });

  it('receives that wait are served in order, and an abort cancels only its own', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    const controller = new AbortController();
    const first = accepted.receive({ max: 1 });
    const aborted = accepted.receive({ max: 1, signal: controller.signal });
    const third = accepted.receive({ max: 1 });
    assert.throws(() => accepted.tryReceive(), /its turn comes first/);
    controller.abort(new Error('enough'));
    await assert.rejects(aborted, { message: 'enough' });
    await client.send('1');
    await client.send('3');
    assert.deepEqual([texts(await first), texts(await third)], [['1'], ['3']]);
  });
});

describe('what a reader may ask for', () => {
  it('peek leaves the message where it is', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await client.send('look');
    await client.send('next');
    assert.deepEqual(texts(await accepted.receive({ peek: true })), ['look']);
    assert.deepEqual(texts(accepted.tryReceive({ peek: true, max: 9 })), ['look']);
    accepted.peekOffset = 2;
    assert.equal(accepted.peekOffset, 2);
    assert.deepEqual(texts(accepted.tryReceive({ peek: true })), ['ok']);
    accepted.peekOffset = -1;
    assert.deepEqual(texts(accepted.tryReceive()), ['look', 'next']);
  });

  it('maxBytes cuts each message and says so', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    for (const text of ['abcdef', 'xy', '']) await client.send(text);
    const batch = accepted.tryReceive({ maxBytes: 2 });
    assert.deepEqual(
      batch.map(({ data, truncated, length }) => [data.toString(), truncated, length]),
      [
        ['ab', true, 6],
        ['xy', false, 2],
        ['', false, 0],
      ],
    );
  });

  it('a filter shortens and drops copies, without a flag', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    accepted.attachFilter([filterReturn(3)]);
    await client.send('abcdef');
    // Keep all of what begins with 'k', drop the rest.
    accepted.attachFilter([
      { code: 0x30, jt: 0, jf: 0, k: 0 },
      { code: 0x15, jt: 0, jf: 1, k: 'k'.charCodeAt(0) },
      filterReturn(0xffff_ffff),
      filterReturn(0),
    ]);
    await client.send('drop me');
    await client.send('keep me');
    accepted.detachFilter();
    await client.send('last');
    const batch = accepted.tryReceive();
    assert.deepEqual(texts(batch), ['abc', 'keep me', 'last']);
    assert.deepEqual([batch[0]?.truncated, batch[0]?.length], [false, 3]);
    assert.throws(() => accepted.detachFilter(), { code: 'ENOENT', syscall: 'setsockopt SO_DETACH_FILTER' });
    assert.throws(() => accepted.attachFilter([{ code: 0xffff, jt: 0, jf: 0, k: 0 }]), { code: 'EINVAL' });
  });

  it('credentials, sequence and time come when asked for, and not otherwise', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await client.send('plain');
    const [plain] = accepted.tryReceive();
    for (const field of ['credentials', 'sequence', 'timestamp', 'lost', 'security'])
      assert.ok(!(field in (plain ?? {})));

    accepted.passCredentials = accepted.passSequence = accepted.timestamps = true;
    assert.ok(accepted.passCredentials && accepted.passSequence && accepted.timestamps);
    const sent = Date.now() * 1000;
    await client.send('1');
    await client.send('2');
    const [one, two] = accepted.tryReceive();
    assert.deepEqual(one?.credentials, {
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    });
    assert.ok((one?.sequence ?? 0) < (two?.sequence ?? 0));
    assert.ok(Math.abs((one?.timestamp ?? 0) - sent) < 10e6);
  });

  it('credentials may be shown as they are; a process that may not cannot forge them', async () => {
    await using bus = await Bus.open();
    const { client } = await bus.connect({ passCredentials: true });
    const { accepted } = await bus.connect();
    accepted.passCredentials = true;
    const own = { pid: process.pid, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    await client.send('mine', { credentials: own });
    process.seteuid?.(65534);
    try {
      await assert.rejects(client.send('forged', { credentials: { ...own, pid: 1 } }), { code: 'EPERM' });
    } finally {
      process.seteuid?.(0);
    }
  });

  it('bytes in and out are counted', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    assert.deepEqual([accepted.incomingBytes, client.outgoingBytes], [0, 0]);
    await client.send('12345');
    await client.send('678');
    assert.equal(accepted.incomingBytes, 8);
    assert.ok(client.outgoingBytes >= 8);
    accepted.tryReceive();
    assert.deepEqual([accepted.incomingBytes, client.outgoingBytes], [0, 0]);
  });
});
