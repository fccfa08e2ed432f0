// SPDX-License-Identifier: MIT
// How connections end, and who is told.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Bus, fill, texts } from './bus.ts';

const FIRST = '0001/000000000001';

describe('a client that closes', () => {
  it('leaves what it has queued to its accepted socket, followed by the end', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    const ended = accepted.ended;
    await client.send('last words');
    client.close();
    assert.deepEqual(texts(await accepted.receive()), ['last words']);
    assert.ok(!accepted.atEnd);
    assert.deepEqual(await accepted.receive(), []);
    assert.ok(accepted.atEnd);
    assert.deepEqual(await accepted.receive(), [], 'the end stays');
    assert.match((await ended).why, /^(hangup|eof)$/);
  });

  it('wakes a reader that waits', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    const reading = accepted.receive();
    client.close();
    assert.deepEqual(await reading, []);
    assert.deepEqual(await accepted.ended, { why: 'eof' });
  });

  it('is noticed without reading', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await client.send('unread');
    const before = accepted.ended;
    client.close();
    assert.deepEqual(await before, { why: 'hangup' });
    assert.deepEqual(texts(accepted.tryReceive()), ['unread']);
  });

  it('is noticed by a later call', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    client.close();
    assert.deepEqual(await accepted.ended, { why: 'hangup' });
  });

  it('messages that come do not count as the end', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    let over = false;
    void accepted.ended.then(() => {
      over = true;
    });
    for (let i = 0; i < 5; i++) {
      await client.send(`${i}`);
      await new Promise(setImmediate);
    }
    assert.equal(accepted.tryReceive().length, 5);
    assert.ok(!over);
  });
});

describe('an expelled client', () => {
  it('reads what it has, then the end; its sends give EPIPE', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.join();
    await accepted.send('goodbye');
    const ended = client.ended;
    accepted.expel();
    assert.deepEqual(await ended, { why: 'hangup' });
    await assert.rejects(client.send('x'), { code: 'EPIPE' });
    assert.deepEqual(texts(await client.receive()), ['goodbye']);
    assert.deepEqual(await client.receive(), []);
  });

  it('no longer waits for room', async () => {
    await using bus = await Bus.open({ queueLength: 2 });
    await bus.join(1);
    const sender = await bus.join(2);
    await fill(sender.client, FIRST);
    const sending = sender.client.send('x', { to: FIRST });
    assert.ok(sender.client.blocked);
    sender.accepted.expel();
    await assert.rejects(sending, { code: 'EPIPE' });
  });
});

describe('a master that leaves', () => {
  it('a joined client goes on with the others, but not with it', async () => {
    await using bus = await Bus.open();
    const [a, b] = await bus.joinMany(2);
    assert.ok(a && b);
    b.accepted.close();
    await b.client.send('still here', { to: FIRST });
    assert.deepEqual(texts(a.client.tryReceive()), ['still here']);
    await assert.rejects(b.client.send('master?'), { code: 'ECONNREFUSED' });
    await assert.rejects(b.client.send('x', { to: '0009/000000000009' }), { code: 'ECONNREFUSED' });
  });

  it('a client that has not joined is disconnected', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    accepted.close();
    assert.deepEqual(await client.ended, { why: 'hangup' });
    assert.deepEqual(await client.receive(), []);
  });
});

describe('closing', () => {
  it('answers waiting calls: receives with nothing, sends with ECANCELED', async () => {
    await using bus = await Bus.open({ queueLength: 2 });
    const { client } = await bus.connect();
    await fill(client);
    const read = client.receive();
    const sends = [client.send('1'), client.send('2')].map((send) =>
      assert.rejects(send, { code: 'ECANCELED' }),
    );
    const ended = client.ended;
    client.close();
    client.close();
    assert.deepEqual(await read, []);
    await Promise.all(sends);
    assert.deepEqual(await ended, { why: 'closed' });
    assert.deepEqual([client.fd, client.closed, client.pendingSends, client.blocked], [-1, true, 0, false]);
  });

  it('makes later calls fail with EBADF', async () => {
    await using bus = await Bus.open();
    const { client } = await bus.connect();
    client.close();
    await assert.rejects(client.send('x'), { code: 'EBADF', syscall: 'sendmsg' });
    await assert.rejects(client.receive(), { code: 'EBADF', syscall: 'recvmsg' });
    assert.throws(() => client.tryReceive(), { code: 'EBADF' });
    assert.throws(() => client.passSequence, { code: 'EBADF' });
    assert.throws(() => client.shutdown('both'), { code: 'EBADF' });
    assert.throws(() => client.credentials, { code: 'EBADF' });
  });

  it('using closes', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    {
      await using one = client;
      using other = accepted;
      assert.ok(one.fd >= 0 && other.fd >= 0);
    }
    assert.ok(client.closed && accepted.closed);
  });

  it('one direction can be shut', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    client.shutdown('write');
    await assert.rejects(client.send('x'), { code: 'EPIPE' });
    await accepted.send('still read');
    assert.deepEqual(texts(client.tryReceive()), ['still read']);
  });
});
