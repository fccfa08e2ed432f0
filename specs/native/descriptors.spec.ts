// SPDX-License-Identifier: MIT
// Descriptors in messages: every receiver has its own, nobody loses one.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { describe, it } from 'mocha';
import { limitDescriptors } from '../../native/lib/descriptors.ts';
import { AcceptedClient, BusClient, multicastAddress, OwnedFd } from '../../native/lib/index.ts';
import { loadedAddon } from '../../native/lib/load.ts';
import { Bus, collectUntil, leaksNothing } from './bus.ts';

/** A pipe's two ends, which Node has no call for: of a FIFO without a name. */
function pipe(): { read: number; write: number } {
  const path = `/tmp/afbus-fifo-${process.pid}-${process.hrtime.bigint()}`;
  execFileSync('mkfifo', [path]);
  // Read-write, so that neither open waits for the other.
  const both = openSync(path, 'r+');
  const read = openSync(path, 'r');
  const write = openSync(path, 'w');
  closeSync(both);
  execFileSync('rm', [path]);
  return { read, write };
}

function readAll(fd: number): string {
  const buffer = Buffer.alloc(4096);
  let text = '';
  for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) text += buffer.toString('utf8', 0, n);
  return text;
}

describe('descriptors', () => {
  it('every member of a group gets its own, and each can be used', async () => {
    await using bus = await Bus.open();
    const members = await bus.joinMany(4);
    const { client } = await bus.join(2);
    const { read, write } = pipe();
    await client.send('take it', { to: multicastAddress(1), fds: [write] });
    closeSync(write);
    for (const [i, member] of members.entries()) {
      const [message] = await member.client.receive();
      const [fd] = message?.fds ?? [];
      assert.ok(fd instanceof OwnedFd && fd.fd >= 0);
      writeSync(fd.fd, `${i}`);
      fd.close();
    }
    assert.equal(readAll(read), '0123', 'and the end: nobody kept one');
    closeSync(read);
  });

  it('several come in order, up to 253, close-on-exec', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    const files = ['/proc/self/stat', '/proc/self/maps', '/proc/self/io'].map((path) => openSync(path, 'r'));
    await client.send('three', { fds: files });
    const [message] = accepted.tryReceive();
    assert.equal(message?.fds.length, 3);
    for (const [i, fd] of (message?.fds ?? []).entries()) {
      assert.match(readFileSync(`/proc/self/fdinfo/${fd.fd}`, 'utf8'), /flags:\s*02\d*/, 'O_CLOEXEC');
      assert.equal(targetOf(fd.fd), targetOf(files[i] as number));
      fd.close();
    }
    await client.send('many', { fds: Array.from({ length: 253 }, () => files[0] as number) });
    const [many] = accepted.tryReceive();
    assert.equal(many?.fds.length, 253);
    for (const fd of many?.fds ?? []) fd.close();
    await assert.rejects(client.send('x', { fds: Array.from({ length: 254 }, () => 0) }), { code: 'EINVAL' });
    await assert.rejects(client.send('x', { fds: [999_999] }), { code: 'EBADF' });
    for (const file of files) closeSync(file);
  });

  it('those of one batch go to the right messages', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    for (const n of [0, 2, 0, 1, 3]) await client.send(`${n}`, { fds: Array.from({ length: n }, () => 0) });
    for (const { data, fds } of accepted.tryReceive()) {
      assert.equal(fds.length, Number(data.toString()));
      for (const fd of fds) fd.close();
    }
  });

  it('can be taken or closed, once', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await client.send('two', { fds: [0, 0] });
    const [kept, closed] = accepted.tryReceive()[0]?.fds ?? [];
    assert.ok(kept && closed);
    const fd = kept.take();
    assert.equal(kept.fd, -1);
    assert.throws(() => kept.take(), /taken or closed/);
    kept.close();
    {
      using scoped = closed;
      assert.ok(scoped.fd >= 0);
    }
    closed.close();
    assert.equal(loadedAddon().ownedFds(), 0);
    closeSync(fd);
  });

  it('an OwnedFd can be passed on as it is', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await client.send('relay', { fds: [0] });
    const [first] = accepted.tryReceive()[0]?.fds ?? [];
    assert.ok(first);
    await accepted.send('back', { fds: [first] });
    const [back] = client.tryReceive()[0]?.fds ?? [];
    assert.ok(back && back.fd !== first.fd);
    first.close();
    back.close();
  });

  it('a bus socket that was passed works for the process that adopts it', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    const second = await bus.connect();
    await client.send('mine', { fds: [second.client, second.accepted] });
    const [c, a] = accepted.tryReceive()[0]?.fds ?? [];
    assert.ok(c && a);
    using adopted = BusClient.adopt(c);
    using side = AcceptedClient.adopt(a);
    assert.equal(c.fd, -1);
    second.client.close();
    assert.equal(adopted.address, side.peer);
    side.join();
    await adopted.send('through the copy');
    assert.equal((await side.receive())[0]?.data.toString(), 'through the copy');
  });

  it('only a bus socket is adopted; any other stays with the caller', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await client.send('no socket', { fds: [0] });
    const [file] = accepted.tryReceive()[0]?.fds ?? [];
    assert.ok(file);
    assert.throws(() => BusClient.adopt(file), { code: 'ENOTSOCK' });
    assert.ok(file.fd >= 0);
    file.close();
  });
});

describe('no descriptor is lost', () => {
  it('when ancillary data is cut: the surplus is closed, and reported', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await leaksNothing(async () => {
      await client.send('five', { fds: [0, 0, 0, 0, 0] });
      const [message] = accepted.tryReceive({ maxControl: 24 });
      assert.ok(message?.controlTruncated);
      assert.equal(message.fds.length, 2);
      for (const fd of message.fds) fd.close();
    });
  });

  it('when the process has no room for more', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await leaksNothing(async () => {
      await client.send('five', { fds: [0, 0, 0, 0, 0] });
      const message = withFreeDescriptors(2, () => accepted.tryReceive()[0]);
      assert.ok(message?.controlTruncated);
      assert.equal(message.fds.length, 2);
      for (const fd of message.fds) fd.close();
    });
  });

  it('when there is none left to wait with: the wait fails, and works later', async () => {
    await leaksNothing(async () => {
      await using bus = await Bus.open();
      const { client, accepted } = await bus.connect();
      const failed = withFreeDescriptors(0, () => accepted.receive());
      await assert.rejects(failed, { code: 'EMFILE' });
      const later = accepted.receive();
      await client.send('later');
      assert.equal((await later)[0]?.data.toString(), 'later');
    });
  });

  it('when a message is only looked at, or never read', async () => {
    await leaksNothing(async () => {
      await using bus = await Bus.open();
      const { client, accepted } = await bus.connect();
      await client.send('a', { fds: [0, 0] });
      await client.send('b', { fds: [0, 0] });
      for (const fd of accepted.tryReceive({ peek: true })[0]?.fds ?? []) fd.close();
    });
  });

  it('over whole lives of buses, with everything pending at the end', async () => {
    await leaksNothing(async () => {
      for (let i = 0; i < 20; i++) {
        const bus = await Bus.open({ queueLength: 2 });
        const { client, accepted } = await bus.join();
        const waits: Promise<unknown>[] = [
          client.receive(),
          accepted.receive(),
          bus.master.accept(),
          client.ended,
        ];
        for (let n = 0; n < 5; n++) waits.push(client.send('x', { to: '0001/000000000001', fds: [0] }));
        await bus[Symbol.asyncDispose]();
        await Promise.allSettled(waits);
      }
    });
  });

  it('when connecting fails', async () => {
    await leaksNothing(async () => {
      await assert.rejects(BusClient.connect('/nonexistent'));
      await assert.rejects(Bus.open({ queueLength: -1 }));
      await assert.rejects(Bus.open({ path: '/nonexistent/bus' }));
    });
  });

  it('when its owner is forgotten', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await client.send('forgotten', { fds: [0, 0, 0] });
    accepted.tryReceive();
    assert.equal(loadedAddon().ownedFds(), 3);
    await collectUntil(() => loadedAddon().ownedFds() === 0);
  });
});

describe('a limit of descriptors', () => {
  it('counts those that can be opened, holes between the open ones included', () => {
    const open = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
    closeSync(open[1] as number);
    for (const more of [0, 1, 5]) {
      const fds = withFreeDescriptors(more, openUntilFull);
      for (const fd of fds) closeSync(fd);
      assert.equal(fds.length, more);
    }
    closeSync(open[0] as number);
    closeSync(open[2] as number);
  });

  it('can be removed again', () => {
    withFreeDescriptors(0, () => assert.throws(() => openSync('/dev/null', 'r'), { code: 'EMFILE' }));
    closeSync(openSync('/dev/null', 'r'));
  });
});

/** Calls where the process may open `free` descriptors more. */
function withFreeDescriptors<T>(free: number, call: () => T): T {
  limitDescriptors(free);
  try {
    return call();
  } finally {
    limitDescriptors('unlimited');
  }
}

function openUntilFull(): number[] {
  const fds: number[] = [];
  for (;;) {
    try {
      fds.push(openSync('/dev/null', 'r'));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EMFILE');
      return fds;
    }
  }
}

const targetOf = (fd: number): string =>
  readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').match(/ino:\s*\d+/)?.[0] ?? '';
