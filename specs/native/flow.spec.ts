// SPDX-License-Identifier: MIT
// Full queues: who waits, who goes on, and what wakes a sender that waits.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { multicastAddress } from '../../native/lib/index.ts';
import { Bus, busyWhileWaiting, fill, texts } from './bus.ts';

const FIRST = '0001/000000000001';
const SECOND = '0001/000000000002';

/** A sender and two receivers, the first of which is full. */
async function oneFull(bus: Bus) {
  const [full, other, sender] = await bus.joinMany(3);
  assert.ok(full && other && sender);
  const filled = await fill(sender.client, FIRST);
  return { full, other, sender: sender.client, filled };
}

describe('a full recipient', () => {
  it('makes a send wait until it reads; the order of sends stays', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const { full, sender, filled } = await oneFull(bus);
    assert.equal(filled, 4);
    const sends = ['a', 'b', 'c'].map((text) => sender.send(text, { to: FIRST }));
    assert.deepEqual([sender.pendingSends, sender.blocked], [3, true]);
    const received: string[] = [];
    while (received.length < filled + 3) received.push(...texts(await full.client.receive({ max: 1 })));
    await Promise.all(sends);
    assert.deepEqual(received.slice(filled), ['a', 'b', 'c']);
    assert.deepEqual([sender.pendingSends, sender.blocked], [0, false]);
  });

  it('costs a waiting sender no CPU', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const { full, sender } = await oneFull(bus);
    const sending = sender.send('late', { to: FIRST });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const busy = await busyWhileWaiting(500);
    assert.ok(busy < 0.6, `on a processor for ${busy} of the time of waiting`);
    assert.ok(sender.blocked);
    full.client.tryReceive();
    await sending;
  });

  it('makes a nonblocking send fail with EAGAIN', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const { sender } = await oneFull(bus);
    await assert.rejects(sender.send('now', { to: FIRST, nonblocking: true }), {
      code: 'EAGAIN',
      syscall: 'sendmsg',
      address: FIRST,
    });
    assert.deepEqual([sender.pendingSends, sender.blocked], [0, false]);
  });

  it('a nonblocking send never overtakes those that wait', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const { full, other, sender } = await oneFull(bus);
    const waiting = sender.send('first', { to: FIRST });
    await assert.rejects(sender.send('second', { to: SECOND, nonblocking: true }), { code: 'EAGAIN' });
    assert.deepEqual(other.client.tryReceive(), []);
    full.client.tryReceive();
    await waiting;
  });

  it('holds up no sender that does not address it', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const { other, sender } = await oneFull(bus);
    const waiting = sender.send('for the full one', { to: FIRST });
    const { client } = await bus.join(2);
    await client.send('free', { to: SECOND });
    assert.deepEqual(texts(other.client.tryReceive()), ['free']);
    assert.ok(sender.blocked);
    bus.master.close();
    await Promise.race([waiting, Promise.resolve()]);
    sender.close();
    await assert.rejects(waiting, { code: 'ECANCELED', syscall: 'sendmsg' });
  });

  it('keeps a multicast from everyone', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const { full, other, sender } = await oneFull(bus);
    const sending = sender.send('all', { to: multicastAddress(1) });
    assert.ok(sender.blocked);
    assert.deepEqual(other.client.tryReceive(), []);
    full.client.tryReceive(1);
    await sending;
    assert.deepEqual(texts(other.client.tryReceive()), ['all']);
  });

  it('that goes away lets the sender go on', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const { full, other, sender } = await oneFull(bus);
    const sending = sender.send('all', { to: multicastAddress(1) });
    full.client.close();
    await sending;
    assert.deepEqual(texts(other.client.tryReceive()), ['all']);
  });
});

describe('a send that waits', () => {
  it('is cancelled by an abort, and those after it go on', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const { full, other, sender } = await oneFull(bus);
    const controller = new AbortController();
    const aborted = sender.send('never', { to: FIRST, signal: controller.signal });
    const behind = sender.send('behind', { to: SECOND });
    controller.abort(new Error('enough'));
    await assert.rejects(aborted, { message: 'enough' });
    await behind;
    assert.deepEqual(texts(other.client.tryReceive()), ['behind']);
    assert.ok(!texts(full.client.tryReceive()).includes('never'));
    assert.deepEqual([sender.pendingSends, sender.blocked], [0, false]);
  });

  it('is seen by whenBlocked, as is its end', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const { full, sender } = await oneFull(bus);
    await sender.whenBlocked(false);
    const seen = sender.whenBlocked(true);
    const sending = sender.send('x', { to: FIRST });
    await seen;
    const free = sender.whenBlocked(false);
    full.client.tryReceive();
    await Promise.all([free, sending]);
    const controller = new AbortController();
    const never = sender.whenBlocked(true, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await assert.rejects(never, { message: 'enough' });
  });

  it('waits for its own queue too', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const [a, b] = await bus.joinMany(2);
    assert.ok(a && b);
    await fill(b.client, FIRST);
    const sending = a.client.send('from a full client', { to: SECOND });
    assert.ok(a.client.blocked);
    a.client.tryReceive();
    await sending;
    assert.deepEqual(texts(b.client.tryReceive()), ['from a full client']);
  });

  it('waits for its own send budget', async () => {
    await using bus = await Bus.open({ queueLength: 1000, sendBuffer: 20_000 });
    const { client, accepted } = await bus.connect();
    const sends = Array.from({ length: 50 }, (_, i) => client.send(Buffer.alloc(4096, i)));
    assert.ok(client.blocked);
    let got = 0;
    while (got < 50) {
      for (const { data } of await accepted.receive()) assert.equal(data[0], got++);
    }
    await Promise.all(sends);
  });
});

describe('overflow', () => {
  it('fail: the send fails with ENOBUFS and nobody gets it', async () => {
    await using bus = await Bus.open({ queueLength: 3, overflow: 'fail' });
    const [, other, sender] = await bus.joinMany(3);
    assert.ok(other && sender);
    for (let i = 0; i < 4; i++) await sender.client.send('x', { to: FIRST });
    await assert.rejects(sender.client.send('all', { to: multicastAddress(1) }), { code: 'ENOBUFS' });
    assert.deepEqual(other.client.tryReceive(), []);
  });

  it('evict: the others get it, the full one is expelled and both its ends know why', async () => {
    await using bus = await Bus.open({ queueLength: 3, overflow: 'evict' });
    const [full, other, sender] = await bus.joinMany(3);
    assert.ok(full && other && sender);
    const ended = full.accepted.ended;
    for (let i = 0; i < 4; i++) await sender.client.send(`${i}`, { to: FIRST });
    await sender.client.send('all', { to: multicastAddress(1) });
    assert.deepEqual(texts(other.client.tryReceive()), ['all']);
    await assert.rejects(full.client.receive(), { code: 'ENOBUFS', syscall: 'recvmsg' });
    const rest: string[] = [];
    for await (const { data } of full.client) rest.push(data.toString());
    assert.deepEqual(rest, ['0', '1', '2', '3']);
    assert.ok(full.client.atEnd);
    assert.deepEqual(await ended, { why: 'error', code: 'ENOBUFS' });
    await assert.rejects(full.accepted.receive(), { code: 'ENOBUFS' });
    assert.deepEqual(await full.accepted.receive(), []);
  });
});

describe('many messages', () => {
  it('four senders, three receivers, small queues: all arrive, each sender in order, all receivers alike', async () => {
    await using bus = await Bus.open({ queueLength: 4 });
    const receivers = await bus.joinMany(3, 1, { passSequence: true });
    const senders = await bus.joinMany(4, 2);
    const each = 150;
    const sending = senders.map(async ({ client }, s) => {
      for (let i = 0; i < each; i++) await client.send(`${s}:${i}`, { to: multicastAddress(1) });
    });
    const streams = await Promise.all(
      receivers.map(async ({ client }) => {
        const got: string[] = [];
        let last = -1;
        while (got.length < each * senders.length) {
          for (const { data, sequence = -1 } of await client.receive()) {
            assert.ok(sequence > last);
            last = sequence;
            got.push(data.toString());
          }
        }
        return got;
      }),
    );
    await Promise.all(sending);
    assert.deepEqual(streams[1], streams[0]);
    assert.deepEqual(streams[2], streams[0]);
    for (const s of senders.keys()) {
      const own = streams[0]?.filter((text) => text.startsWith(`${s}:`));
      assert.deepEqual(
        own,
        Array.from({ length: each }, (_, i) => `${s}:${i}`),
      );
    }
  });
});
