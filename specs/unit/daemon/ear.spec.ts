// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { setImmediate as immediate } from 'node:timers/promises';
import { beforeEach, describe, it } from 'mocha';
import type { Attachment } from '../../../daemon/bus/attachment.ts';
import { Ear } from '../../../daemon/bus/ear.ts';
import type { Peer } from '../../../daemon/driver/peer.ts';
import { BusError } from '../../../native/lib/index.ts';
import { type DbusMessage, DRIVER, parse } from '../../../runner/dbus/index.ts';
import { Scene, string, uint32 } from './scene.ts';

const MASTER = '0000/000000000000';
const SIGNAL = { type: 'signal', path: '/p', interface: 'a.B' } as const;

describe('the ear of the bus', () => {
  let scene: Scene;
  let ear: Ear;
  let done: string[];
  let hear: (batch: unknown[]) => void;
  let attach: () => Promise<Attachment>;
  /** What the kernel says to a change of its attachment: it has been evicted, … */
  let refusal: string | undefined;

  beforeEach(async () => {
    scene = new Scene();
    done = [];
    refusal = undefined;
    async function* batches() {
      for (;;) {
        const batch = await new Promise<unknown[]>((resolve) => (hear = resolve));
        if (batch.length === 0) return;
        yield batch;
      }
    }
    const close = () => done.push('close');
    const refuse = () => {
      if (refusal !== undefined) throw new BusError(1, refusal, 'refused', { syscall: 'setsockopt' });
    };
    const accepted = {
      close,
      join: () => {
        refuse();
        done.push('join');
      },
      addMatch: (rule: string) => done.push(`rule "${rule}"`),
      removeAllMatches: () => done.push('no rules'),
      setEavesdrop: (on: boolean) => {
        refuse();
        done.push(`eavesdrop ${on}`);
      },
    };
    const attachment = { client: { batches, close }, accepted } as unknown as Attachment;
    attach = async () => attachment;
    ear = new Ear({
      driver: scene.driver,
      log: (text) => done.push(`log ${text}`),
      attach: () => attach(),
      pause: async () => void done.push('pause'),
      lose: (peer) => {
        done.push(`lose ${peer.name}`);
        ear.delete(peer);
      },
      copy: (to, bytes) => {
        const { sender, member } = parse(Buffer.from(bytes));
        for (const peer of to) done.push(`${sender} ${member} > ${peer.name}`);
      },
    });
    await ear.join();
    assert.deepEqual(done.splice(0), ['join']);
  });

  /** What comes of a message that is on the bus. */
  async function heard(
    from: Peer | undefined,
    message: Partial<DbusMessage>,
    repeat = false,
  ): Promise<string[]> {
    const { bytes } = scene.incoming(message);
    const batch = [{ data: bytes, fds: [], from: from?.address ?? MASTER }];
    if (repeat)
      batch.push({ data: scene.again({ ...message, sender: from?.name ?? DRIVER }), fds: [], from: MASTER });
    done = [];
    hear(batch);
    await immediate();
    return done;
  }

  const monitor = (...rules: string[]): Peer => {
    const peer = scene.join({ tracked: false });
    scene.call(peer, 'BecomeMonitor', [{ type: 'as', value: rules }, uint32(0)], {
      interface: 'org.freedesktop.DBus.Monitoring',
    });
    ear.add(peer);
    return peer;
  };

  it('listens while it has a listener', () => {
    const [one, two] = [monitor(), monitor()];
    assert.deepEqual(done.splice(0), ['rule ""', 'eavesdrop true']);
    ear.delete(one);
    assert.deepEqual(done, []);
    ear.delete(two);
    ear.delete(two);
    assert.deepEqual(done.splice(0), ['eavesdrop false', 'no rules']);
    monitor();
    assert.deepEqual(done, ['rule ""', 'eavesdrop true']);
  });

  it('cuts off its listeners when it is evicted, and comes back', async () => {
    const from = scene.join();
    const lost = monitor();
    done = [];
    hear([]);
    await immediate();
    assert.deepEqual(done.splice(0), ['close', 'close', `lose ${lost.name}`, 'join']);
    const late = monitor();
    assert.deepEqual(await heard(from, { ...SIGNAL, member: 'One' }), [`${from.name} One > ${late.name}`]);
  });

  for (const [what, flags, fds] of [
    ['copies for it', { lost: 1 }, 0],
    ['descriptors of one', { controlTruncated: true }, 2],
  ] as const)
    it(`cuts off its listeners when ${what} were dropped, and goes on`, async () => {
      const from = scene.join();
      const lost = monitor();
      done = [];
      const { bytes: data } = scene.incoming({ ...SIGNAL, member: 'One', unixFds: fds });
      hear([{ data, fds: [], from: from.address, ...flags }]);
      await immediate();
      assert.deepEqual(done.splice(0), [`lose ${lost.name}`, 'eavesdrop false', 'no rules']);
      const late = monitor();
      assert.deepEqual(await heard(from, { ...SIGNAL, member: 'Two' }), [`${from.name} Two > ${late.name}`]);
    });

  it('that is evicted, and does not know yet, lets clients leave, and cuts off those that come', async () => {
    const early = monitor();
    refusal = 'ENOTCONN';
    done = [];
    ear.delete(early);
    const late = monitor();
    assert.deepEqual(done.splice(0), ['rule ""', `lose ${late.name}`]);
    refusal = undefined;
    hear([]);
    await immediate();
    assert.deepEqual(done, ['close', 'close', 'join']);
  });

  it('comes back when there is a descriptor for it, and says once that there is none', async () => {
    const attachment = await attach();
    let left = 2;
    attach = async () => {
      if (left-- > 0) throw new BusError(24, 'EMFILE', 'too many open files', { syscall: 'socket' });
      return attachment;
    };
    hear([]);
    await immediate();
    const log =
      'log cannot hear what clients send one another, and tries again: EMFILE: too many open files, socket';
    assert.deepEqual(done, ['close', 'close', log, 'pause', 'pause', 'join']);
  });

  it('closes the attachment with which it could not join the bus', async () => {
    refusal = 'ENOMEM';
    await assert.rejects(ear.join(), { code: 'ENOMEM' });
    assert.deepEqual(done, ['close', 'close']);
  });

  it('does not come back to a bus that is closed', async () => {
    const attachment = await attach();
    const attaching = Promise.withResolvers<Attachment>();
    attach = () => attaching.promise;
    hear([]);
    await immediate();
    ear.close();
    done = [];
    attaching.resolve(attachment);
    await immediate();
    assert.deepEqual(done, ['close', 'close']);
  });

  it('does not try again when the bus is closed', async () => {
    attach = async () => {
      ear.close();
      throw new BusError(111, 'ECONNREFUSED', 'connection refused', { syscall: 'connect' });
    };
    hear([]);
    await immediate();
    assert.deepEqual(done, ['close', 'close']);
  });

  it('lets clients leave whatever the kernel says, and tells why it cannot listen', () => {
    const early = monitor();
    refusal = 'ENOMEM';
    ear.delete(early);
    assert.throws(() => monitor(), { code: 'ENOMEM' });
  });

  it('tells each monitor what its rules select, in the name of the true sender', async () => {
    const [from, to] = [scene.join(), scene.join()];
    const [all, some] = [monitor(), monitor("member='Two'")];
    const one = { ...SIGNAL, member: 'One', destination: to.name, sender: to.name };
    assert.deepEqual(await heard(from, one), [`${from.name} One > ${all.name}`]);
    assert.deepEqual(await heard(from, { ...SIGNAL, member: 'Two' }), [
      `${from.name} Two > ${all.name}`,
      `${from.name} Two > ${some.name}`,
    ]);
    assert.deepEqual(await heard(from, { ...SIGNAL, member: 'Two', destination: some.name }), [
      `${from.name} Two > ${all.name}`,
    ]);
  });

  it('copies no message twice, whether the bus has passed it on or it has sent the copy itself', async () => {
    const [from, to] = [scene.join(), scene.join()];
    const all = monitor();
    const message = { ...SIGNAL, member: 'Once', destination: to.name };
    assert.deepEqual(await heard(from, message, true), [`${from.name} Once > ${all.name}`]);
    assert.deepEqual(await heard(undefined, message, true), [`${DRIVER} Once > ${all.name}`]);
  });

  it('tells a client that eavesdrops what is neither for it nor for many', async () => {
    const from = scene.join();
    const nosy = scene.join({ tracked: false });
    scene.call(nosy, 'RequestName', [string('a.Name'), uint32(0)]);
    scene.call(nosy, 'AddMatch', [string("member='One',eavesdrop='true'")]);
    scene.call(nosy, 'AddMatch', [string("member='Two'")]);
    ear.add(nosy);
    const told = [`${from.name} One > ${nosy.name}`];
    assert.deepEqual(await heard(from, { ...SIGNAL, member: 'One', destination: from.name }), told);
    for (const destination of [undefined, nosy.name, 'a.Name'])
      assert.deepEqual(
        await heard(from, { ...SIGNAL, member: 'One', ...(destination && { destination }) }),
        [],
      );
    assert.deepEqual(await heard(from, { ...SIGNAL, member: 'Two', destination: from.name }), []);
  });
});
