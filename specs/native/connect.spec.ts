// SPDX-License-Identifier: MIT
// From nothing to a connection: listening, connecting, accepting, and what they are called.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import {
  AcceptedClient,
  BusClient,
  BusError,
  BusMaster,
  isSupported,
  MASTER_ADDRESS,
} from '../../native/lib/index.ts';
import { Bus, busyWhileWaiting, freshName } from './bus.ts';

describe('connecting', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'afbus-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('this kernel speaks AF_BUS', () => {
    const support = isSupported();
    assert.ok(support.supported, JSON.stringify(support));
    assert.ok(support.family > 0);
  });

  it('a pathname: both sides agree on names and addresses', async () => {
    await using bus = await Bus.open({ path: join(folder, 'names') });
    const first = await bus.connect();
    const second = await bus.connect();
    assert.equal(first.client.address, '0000/000000000001');
    assert.equal(second.client.address, '0000/000000000002');
    assert.equal(first.accepted.peer, first.client.address);
    assert.equal(second.accepted.peer, second.client.address);
    for (const socket of [first.client, first.accepted]) assert.equal(socket.path, join(folder, 'names'));
    assert.ok(first.accepted instanceof AcceptedClient);
  });

  it('an abstract name is shown with @', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    assert.match(client.path, /^@afbus-spec-/);
    assert.equal(accepted.path, bus.master.path);
  });

  it('the credentials of the other side are known', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    const mine = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
    assert.deepEqual(accepted.credentials, mine);
    assert.deepEqual(client.credentials, mine);
  });

  it('names are known after close', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    client.close();
    accepted.close();
    assert.equal(client.address, '0000/000000000001');
    assert.equal(accepted.peer, '0000/000000000001');
    assert.equal(client.path, bus.master.path);
  });

  it('errors name the call and the path', async () => {
    const path = join(folder, 'absent');
    const error = (await BusClient.connect(path).catch((e: unknown) => e)) as BusError;
    assert.ok(error instanceof BusError && error instanceof Error);
    assert.equal(error.message, `ENOENT: no such file or directory, connect '${path}'`);
    assert.deepEqual({ ...error }, { name: 'BusError', code: 'ENOENT', errno: -2, syscall: 'connect', path });
  });

  it('without write permission on the inode there is no connection', async () => {
    await using bus = await Bus.open({ path: join(folder, 'private') });
    chmodSync(bus.master.path, 0o600);
    chmodSync(folder, 0o755);
    process.seteuid?.(65534);
    try {
      await assert.rejects(BusClient.connect(bus.master.path), { code: 'EACCES', syscall: 'connect' });
    } finally {
      process.seteuid?.(0);
    }
    await bus.connect();
  });

  it('a file that is no bus refuses', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    await assert.rejects(BusClient.connect(path), { code: 'ECONNREFUSED', syscall: 'connect' });
    await assert.rejects(BusMaster.listen(path), { code: 'EADDRINUSE', syscall: 'bind', path });
    await assert.rejects(BusMaster.listen(join(folder, 'none/bus')), { code: 'ENOENT', syscall: 'bind' });
  });

  it('a bus whose master closed refuses, and its abstract name is free', async () => {
    const path = freshName();
    const master = await BusMaster.listen(path);
    await assert.rejects(BusMaster.listen(path), { code: 'EADDRINUSE' });
    master.close();
    await assert.rejects(BusClient.connect(path), { code: 'ECONNREFUSED' });
    (await BusMaster.listen(path)).close();
  });

  it('arguments that make no sense are refused before any call', async () => {
    await assert.rejects(BusClient.connect(''), TypeError);
    await assert.rejects(BusClient.connect(`/${'a'.repeat(108)}`), {
      name: 'RangeError',
      message: /109 bytes/,
    });
    await assert.rejects(BusClient.connect('/x', { protocol: 'tcp' as 'none' }), {
      name: 'TypeError',
      message: /'tcp'/,
    });
    await assert.rejects(BusMaster.listen({ path: freshName(), overflow: 'drop' as 'block' }), TypeError);
    await assert.rejects(BusMaster.listen({ path: freshName(), queueLength: 0 }), {
      code: 'EINVAL',
      syscall: 'setsockopt BUS_SET_MAXQLEN',
    });
  });
});

describe('accepting', () => {
  it('waits for a client without keeping the event loop busy', async () => {
    await using bus = await Bus.open();
    const accepting = bus.master.accept();
    const busy = await busyWhileWaiting(300);
    assert.ok(busy < 0.6, `on a processor for ${busy} of the time of waiting`);
    const client = await BusClient.connect(bus.master.path);
    const accepted = await accepting;
    assert.equal(accepted.peer, client.address);
    client.close();
    accepted.close();
  });

  it('tryAccept never waits', async () => {
    await using bus = await Bus.open();
    assert.equal(bus.master.tryAccept(), undefined);
    const client = await BusClient.connect(bus.master.path);
    const accepted = bus.master.tryAccept();
    assert.equal(accepted?.peer, client.address);
    client.close();
    accepted?.close();
  });

  it('an abort ends the wait', async () => {
    await using bus = await Bus.open();
    const controller = new AbortController();
    const accepting = bus.master.accept({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await assert.rejects(accepting, { message: 'enough' });
    await bus.connect();
  });

  it('closing rejects a waiting accept, ends the iteration, and refuses what comes later', async () => {
    const bus = await Bus.open();
    const accepting = assert.rejects(bus.master.accept(), { code: 'ECANCELED', syscall: 'accept' });
    const seen: AcceptedClient[] = [];
    const iterating = (async () => {
      for await (const client of bus.master) seen.push(client);
    })();
    bus.master.close();
    bus.master.close();
    await Promise.all([accepting, iterating]);
    assert.deepEqual(seen, []);
    await assert.rejects(bus.master.accept(), { code: 'EBADF' });
    assert.throws(() => bus.master.queueLength, { code: 'EBADF' });
  });

  it('iterates over the clients as they come', async () => {
    await using bus = await Bus.open();
    const clients = await Promise.all([1, 2, 3].map(() => BusClient.connect(bus.master.path)));
    const peers: string[] = [];
    for await (const accepted of bus.master) {
      peers.push(accepted.peer);
      accepted.close();
      if (peers.length === 3) break;
    }
    assert.deepEqual(
      peers,
      clients.map(({ address }) => address),
    );
    for (const client of clients) client.close();
  });
});

describe('a full backlog', () => {
  /** A bus that takes no more connections, those that fill it, and one that waits. */
  async function fullBacklog() {
    const master = await BusMaster.listen({ path: freshName(), backlog: 1 });
    // As with AF_UNIX, one more than the number says.
    const clients = [await BusClient.connect(master.path), await BusClient.connect(master.path)];
    const controller = new AbortController();
    const connecting = BusClient.connect(master.path, { signal: controller.signal });
    return { master, clients, connecting, controller };
  }

  it('makes connect wait, with the event loop free, until a client is accepted', async () => {
    const { master, clients, connecting } = await fullBacklog();
    let connected = false;
    void connecting.then(() => (connected = true));
    // They would not come from a loop that a connect holds up.
    for (let tick = 0; tick < 5; tick++) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal(connected, false);
    const first = await master.accept();
    const client = await connecting;
    assert.equal(client.address, `0000/${(clients.length + 1).toString(16).padStart(12, '0')}`);
    for (const socket of [...clients, client, first, master]) socket.close();
  });

  it('an abort ends the wait, and nobody is left in the backlog', async () => {
    const { master, clients, connecting, controller } = await fullBacklog();
    controller.abort(new Error('enough'));
    await assert.rejects(connecting, { message: 'enough' });
    for (const _ of clients) (await master.accept()).close();
    assert.equal(master.tryAccept(), undefined);
    for (const client of clients) client.close();
    master.close();
  });

  it('a master that closes refuses the clients that wait', async () => {
    const { master, clients, connecting } = await fullBacklog();
    master.close();
    await assert.rejects(connecting, { code: 'ECONNREFUSED' });
    for (const client of clients) client.close();
  });
});

describe('a received message', () => {
  it('shows the master as address 0', async () => {
    await using bus = await Bus.open();
    const { client, accepted } = await bus.connect();
    await accepted.send('welcome');
    const [message] = await client.receive();
    assert.equal(message?.from, MASTER_ADDRESS);
  });
});
