// SPDX-License-Identifier: MIT
// What a master sets: who is on the bus, under which addresses, and how much a queue holds.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { constants, multicastAddress } from '../../native/lib/index.ts';
import { Bus, fill, texts } from './bus.ts';

describe('joining', () => {
  it('a client reaches the others only when it has joined', async () => {
    await using bus = await Bus.open();
    const member = await bus.join(1);
    const { client, accepted } = await bus.connect();
    await assert.rejects(client.send('x', { to: '0001/000000000001' }), { code: 'EHOSTUNREACH' });
    accepted.join();
    await client.send('x', { to: '0001/000000000001' });
    assert.deepEqual(texts(member.client.tryReceive()), ['x']);
    assert.throws(() => accepted.join(), { code: 'EINVAL', syscall: 'setsockopt BUS_JOIN_BUS' });
  });

  it('a client that is gone cannot join', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    client.close();
    assert.throws(() => accepted.join(), { code: 'ENOTCONN' });
  });
});

describe('addresses', () => {
  it('are given and taken', async () => {
    await using bus = await Bus.open();
    const sender = await bus.join(9);
    const { client, accepted } = await bus.join(1);
    accepted.addAddress('0002/f00ddeadbeef');
    await sender.client.send('there', { to: '0002/f00ddeadbeef' });
    accepted.deleteAddress(0x0002_f00d_dead_beefn);
    await sender.client.send('gone', { to: '0002/f00ddeadbeef' });
    assert.deepEqual(texts(client.tryReceive()), ['there']);
    assert.deepEqual(texts(sender.accepted.tryReceive()), ['gone']);
  });

  it('errors name the option and the address', async () => {
    await using bus = await Bus.open();
    const { accepted } = await bus.join(1);
    const other = await bus.join(1);
    assert.throws(() => accepted.addAddress('0001/000000000002'), {
      message: 'EADDRINUSE: address already in use, setsockopt BUS_ADD_ADDR 0001/000000000002',
      address: '0001/000000000002',
    });
    assert.throws(() => accepted.addAddress('0000/000000000009'), { code: 'EINVAL' });
    assert.throws(() => accepted.addAddress(multicastAddress(1)), { code: 'EINVAL' });
    assert.throws(() => accepted.deleteAddress('0001/000000000002'), { code: 'EADDRNOTAVAIL' });
    assert.throws(() => accepted.addAddress('1/2'), TypeError);
    other.client.close();
    accepted.addAddress('0001/000000000002');
  });
});

describe('whether a client has joined', () => {
  it('both halves of its pair can ask', async () => {
    await using bus = await Bus.open();
    const stranger = await bus.connect();
    const { client, accepted } = await bus.join(1);
    assert.deepEqual([stranger.client.joined, stranger.accepted.joined], [false, false]);
    assert.deepEqual([client.joined, accepted.joined], [true, true]);
    accepted.expel();
    assert.deepEqual([client.joined, accepted.joined], [false, false]);
  });
});

describe('eavesdroppers', () => {
  it('get a copy of everything, until they stop being eavesdroppers', async () => {
    await using bus = await Bus.open();
    const ear = await bus.join(1);
    const { client } = await bus.join(1);
    ear.accepted.setEavesdrop(true);
    ear.accepted.setEavesdrop(true);
    await client.send('to the master');
    ear.accepted.setEavesdrop(false);
    await client.send('in private');
    assert.deepEqual(texts(ear.client.tryReceive()), ['to the master']);
  });

  it('that are full are told how much they missed', async () => {
    await using bus = await Bus.open({ queueLength: 2 });
    const ear = await bus.join(1);
    const { client, accepted } = await bus.join(1);
    ear.accepted.setEavesdrop(true);
    for (let i = 0; i < 8; i++) {
      await client.send(`${i}`);
      accepted.tryReceive();
    }
    assert.ok(ear.accepted.queueFull);
    const kept = ear.client.tryReceive();
    await client.send('next');
    const [next] = ear.client.tryReceive();
    assert.ok(kept.every(({ lost }) => lost === undefined));
    assert.equal(next?.lost, 8 - kept.length);
  });
});

describe('the listening socket', () => {
  it('options are set at listen and read back', async () => {
    await using bus = await Bus.open({ queueLength: 7, sendBuffer: 40_000, overflow: 'fail', backlog: 3 });
    const { master } = bus;
    assert.deepEqual([master.queueLength, master.sendBuffer, master.overflow], [7, 40_000, 'fail']);
    master.queueLength = 9;
    master.sendBuffer = 50_000;
    master.overflow = 'evict';
    assert.deepEqual([master.queueLength, master.sendBuffer, master.overflow], [9, 50_000, 'evict']);
    master.overflow = 'block';
    assert.equal(master.overflow, 'block');
    assert.equal(master.protocol, 'none');
    assert.throws(
      () => {
        master.sendBuffer = -1;
      },
      { code: 'EINVAL', syscall: 'setsockopt BUS_SET_SENDBUF' },
    );
  });

  it('the backlog is the queue length, if none is given', async () => {
    await using bus = await Bus.open({ backlog: 4 });
    assert.equal(bus.master.queueLength, 4);
  });

  it('limits hold for clients that connect afterwards', async () => {
    await using bus = await Bus.open({ queueLength: 3 });
    const early = await bus.join(1);
    bus.master.queueLength = 6;
    const late = await bus.join(1);
    const sender = await bus.join(2);
    assert.equal(await fill(sender.client, '0001/000000000001'), 4);
    assert.equal(await fill(sender.client, '0001/000000000002'), 7);
    assert.ok(early.accepted.queueFull && late.accepted.queueFull);
  });
});

describe('options on the wrong socket', () => {
  it("a client's socket sets no policy", async () => {
    await using bus = await Bus.open();
    const { client } = await bus.join(1);
    const c = constants();
    for (const name of [
      'BUS_JOIN_BUS',
      'BUS_SET_EAVESDROP',
      'BUS_UNSET_EAVESDROP',
      'BUS_SET_MAXQLEN',
      'BUS_SET_OVERFLOW',
    ] as const) {
      assert.throws(() => client.setOption(c.SOL_BUS, c[name], 1), { code: 'EINVAL' }, name);
    }
    assert.throws(() => client.getOption(c.SOL_BUS, c.BUS_GET_QLENFULL), { code: 'EINVAL' });
    assert.throws(() => client.getOption(c.SOL_BUS, 99), {
      code: 'ENOPROTOOPT',
      syscall: `getsockopt ${c.SOL_BUS}/99`,
    });
    assert.throws(() => client.setOption(c.SOL_BUS, 99, 1), { code: 'ENOPROTOOPT' });
  });

  it('BUS_PASSSEQ is for connected sockets', async () => {
    await using bus = await Bus.open();
    const { client } = await bus.connect({ passSequence: true });
    assert.ok(client.passSequence);
    assert.throws(() => bus.master.passSequence, { code: /ENOTCONN|EINVAL/ });
  });
});
