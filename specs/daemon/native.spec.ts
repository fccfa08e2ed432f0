// SPDX-License-Identifier: MIT
// Clients on AF_BUS itself beside clients on AF_UNIX: one bus, one space of names, one order.
import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { addressFromBigInt, MASTER_ADDRESS } from '../../native/lib/index.ts';
import { type Arg, DRIVER } from '../../runner/dbus/index.ts';
import type { Got } from '../dbus/client.ts';
import { type RunningBus, startOurs } from '../dbus/daemons.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { addressOf, NativeClient } from './native-client.ts';
import { bytesOf, errorOf, inLine, string, uint32 } from './talk.ts';

type Client = RawClient | NativeClient;
type Kind = 'native' | 'legacy';

const PEER = { path: '/p', interface: 'a.B', member: 'M' } as const;
const CALL = { type: 'method_call', ...PEER } as const;
const SIGNAL = { type: 'signal', ...PEER } as const;
const BUS = { type: 'method_call', path: '/org/freedesktop/DBus', destination: DRIVER } as const;
const KINDS: readonly Kind[] = ['native', 'legacy'];
const PAIRS = KINDS.flatMap((one) => KINDS.map((other) => [one, other] as const));

/** Calls the bus, and says in one line what the client hears up to the reply. */
async function ask(client: Client, member: string, name?: string, flags?: number): Promise<string> {
  const args = [
    ...(name === undefined ? [] : [string(name)]),
    ...(flags === undefined ? [] : [uint32(flags)]),
  ];
  const serial = await client.sendMessage({ ...BUS, member, args });
  const heard: string[] = [];
  for (;;) {
    const got = (await client.next()) as Got;
    const isReply = got.replySerial === serial;
    if (!isReply) heard.push(inLine(got));
    else heard.push(member === 'GetId' ? 'reply' : `reply ${got.args[0]?.value}`);
    if (isReply) return heard.join('; ');
  }
}

/** What the client hears next, a line for each message. */
async function hears(client: Client, messages: number): Promise<string[]> {
  const heard: string[] = [];
  while (heard.length < messages) heard.push(inLine((await client.next()) as Got));
  return heard;
}

describe('native clients', function () {
  this.timeout(60_000);
  let bus: RunningBus;
  let clients: Client[];
  let names = 0;

  before(async () => {
    bus = await startOurs();
  });

  after(() => bus[Symbol.asyncDispose]());

  beforeEach(() => {
    clients = [];
  });

  afterEach(() => {
    for (const client of clients) client.close();
  });

  function kept<C extends Client>(client: C): C {
    clients.push(client);
    return client;
  }

  const native = async (): Promise<NativeClient> => kept(await NativeClient.join(bus.afbus as string));
  const join = async (kind: Kind): Promise<Client> =>
    kind === 'native' ? native() : kept(await RawClient.join(bus.path));
  const freshName = (): string => `org.example.N${names++}`;

  it('have the name that their address says', async () => {
    const client = await native();
    assert.equal(addressOf(client.name), client.socket.address);
    assert.deepEqual((await client.call('GetNameOwner', [string(client.name)])).args[0]?.value, client.name);
    assert.equal(errorOf(await client.call('Hello')), 'Failed');
  });

  it('are heard even if they have left before the bus reads what they have said', async () => {
    const [watcher, brief] = [await native(), kept(await NativeClient.connect(bus.afbus as string))];
    await watcher.call('AddMatch', [string("member='Farewell'")]);
    await brief.authenticate();
    process.kill(bus.pid, 'SIGSTOP');
    try {
      await brief.sendMessage({ ...BUS, member: 'Hello' });
      await brief.sendMessage({ ...SIGNAL, member: 'Farewell' }, {});
      brief.close();
    } finally {
      process.kill(bus.pid, 'SIGCONT');
    }
    assert.equal((await watcher.until(({ member }) => member === 'Farewell')).from, MASTER_ADDRESS);
  });

  for (const [one, other] of PAIRS) {
    it(`call: ${one} to ${other}, by both names, and the answer comes`, async () => {
      const [caller, callee] = [await join(one), await join(other)];
      const name = freshName();
      await callee.call('RequestName', [string(name), uint32(0)]);
      for (const destination of [callee.name, name]) {
        const serial = await caller.sendMessage({ ...CALL, destination, args: [string('x')] });
        const got = await callee.until(({ member }) => member === 'M');
        assert.deepEqual([got.sender, got.args[0]?.value], [caller.name, 'x']);
        await callee.sendMessage({
          ...{ type: 'method_return', replySerial: got.serial, destination: caller.name },
          args: [uint32(7)],
        });
        const reply = await caller.until(({ replySerial }) => replySerial === serial);
        assert.deepEqual([reply.sender, reply.args[0]?.value], [callee.name, 7]);
      }
    });

    it(`pass descriptors: ${one} to ${other}`, async () => {
      const [from, to] = [await join(one), await join(other)];
      const fd = openSync('/dev/null', 'r');
      const message = { ...CALL, destination: to.name, unixFds: 1, args: [{ type: 'h', value: 0 }] as Arg[] };
      if (from instanceof NativeClient) await from.sendMessage(message, { fds: [{ fd }] });
      else await from.send(bytesOf(message), [{ fd }]);
      const { fds } = await to.until(({ member }) => member === 'M');
      assert.deepEqual(
        fds.map((each) => fstatSync(each.fd).rdev),
        [fstatSync(fd).rdev],
      );
      for (const each of fds) each.close();
      closeSync(fd);
    });

    it(`a name goes from ${one} to ${other}: each hears of it in order, and rules follow`, async () => {
      const [owner, next] = [await join(one), await join(other)];
      const watchers = [await join('native'), await join('legacy')];
      const name = freshName();
      for (const watcher of watchers)
        for (const rule of [`member='NameOwnerChanged',arg0='${name}'`, `sender='${name}',member='M'`])
          await watcher.call('AddMatch', [string(rule)]);
      const announce = async (n: number): Promise<void> => {
        for (const client of [owner, next]) await client.sendMessage({ ...SIGNAL, args: [uint32(n)] });
        // What it has sent is on the bus before the next one does anything.
        for (const client of [owner, next]) await client.call('GetId');
      };

      await announce(0);
      assert.equal(await ask(owner, 'RequestName', name, 1), `NameAcquired ${name}; reply 1`);
      await announce(1);
      assert.equal(await ask(next, 'RequestName', name, 4), 'reply 3');
      assert.equal(await ask(next, 'RequestName', name, 0), 'reply 2');
      await announce(2);
      assert.equal(await ask(next, 'RequestName', name, 2), `NameAcquired ${name}; reply 1`);
      assert.equal(await ask(owner, 'GetId'), `NameLost ${name}; reply`);
      await announce(3);
      assert.equal(await ask(next, 'ReleaseName', name), `NameLost ${name}; reply 1`);
      assert.equal(await ask(owner, 'ReleaseName', name), `NameAcquired ${name}; NameLost ${name}; reply 1`);
      await announce(4);

      const wanted = [
        `NameOwnerChanged ${name}  ${owner.name}`,
        `M 1 ${owner.name}`,
        `M 2 ${owner.name}`,
        `NameOwnerChanged ${name} ${owner.name} ${next.name}`,
        `M 3 ${next.name}`,
        `NameOwnerChanged ${name} ${next.name} ${owner.name}`,
        `NameOwnerChanged ${name} ${owner.name} `,
      ];
      for (const watcher of watchers) {
        const heard: string[] = [];
        while (heard.length < wanted.length) {
          const got = (await watcher.next()) as Got;
          heard.push(inLine(got) + (got.member === 'M' ? ` ${got.sender}` : ''));
        }
        assert.deepEqual(heard, wanted);
        assert.equal(await ask(watcher, 'GetId'), 'reply');
      }
    });

    it(`an owner that dies: ${one}, with ${other} in the queue`, async () => {
      const [owner, next, caller] = [await join(one), await join(other), await join('legacy')];
      const watchers = [await join('native'), await join('legacy')];
      const name = freshName();
      for (const client of [owner, next]) await client.call('RequestName', [string(name), uint32(0)]);
      for (const watcher of watchers) {
        await watcher.call('AddMatch', [string(`member='NameOwnerChanged'`)]);
        await watcher.call('AddMatch', [string(`sender='${name}',member='M'`)]);
      }
      const serial = await caller.sendMessage({ ...CALL, destination: name });
      await owner.until(({ member }) => member === 'M');
      owner.close();
      assert.equal(inLine(await next.until(({ type }) => type === 'signal')), `NameAcquired ${name}`);
      // By its next answer the bus has told everyone of the death. A native client could send before that.
      await next.call('GetId');
      await next.sendMessage({ ...SIGNAL, args: [uint32(1)] });
      for (const watcher of watchers)
        assert.deepEqual(await hears(watcher, 3), [
          `NameOwnerChanged ${name} ${owner.name} ${next.name}`,
          `NameOwnerChanged ${owner.name} ${owner.name} `,
          'M 1',
        ]);
      assert.equal(errorOf(await caller.until(({ replySerial }) => replySerial === serial)), 'NoReply');
    });
  }

  it('learn the address of a name, which stays when its owner changes, and is not used again without one', async () => {
    const [caller, owner, next] = [await native(), await join('legacy'), await native()];
    const name = freshName();
    await owner.call('RequestName', [string(name), uint32(1)]);
    await caller.sendMessage({ ...CALL, destination: name });
    const { args, interface: of } = await caller.until(({ member }) => member === 'Forwarded');
    assert.deepEqual([of, args[0]?.value], [`${DRIVER}.AF_BUS`, name]);
    const to = addressFromBigInt(args[1]?.value as bigint);
    assert.match(to, /^0001\//);
    await owner.until(({ member }) => member === 'M');
    await next.call('RequestName', [string(name), uint32(2)]);
    await caller.sendMessage({ ...CALL, destination: name, member: 'Direct' }, { to });
    assert.equal((await next.until(({ type }) => type === 'method_call')).from, caller.socket.address);
    for (const client of [next, owner]) await client.call('ReleaseName', [string(name)]);
    const serial = await caller.sendMessage({ ...CALL, destination: name }, { to });
    assert.equal(errorOf(await caller.until(({ replySerial }) => replySerial === serial)), 'ServiceUnknown');
    await owner.call('RequestName', [string(name), uint32(0)]);
    await caller.sendMessage({ ...CALL, destination: name }, { to });
    const { args: again } = await caller.until(({ member }) => member === 'Forwarded');
    assert.match(addressFromBigInt(again[1]?.value as bigint), /^0001\//);
    assert.notEqual(again[1]?.value, args[1]?.value);
  });

  it('cost nobody else the connection if they take nothing any more', async () => {
    const [deaf, one] = [await native(), kept(await RawClient.join(bus.path))];
    deaf.socket.shutdown('read');
    for (const type of ['method_call', 'signal'] as const)
      await one.sendMessage({ ...PEER, type, destination: deaf.name, args: [string('x')] });
    await one.sendMessage({ type: 'method_return', replySerial: 7, destination: deaf.name, args: [] });
    assert.equal(await ask(one, 'GetId'), 'reply');
  });

  it('share one order with the others', async () => {
    const senders = [await native(), await native(), await join('legacy'), await join('legacy')];
    const readers = [await native(), await native(), await join('legacy'), await join('legacy')];
    for (const reader of readers) await reader.call('AddMatch', [string("interface='a.B'")]);
    const each = 20;
    const sends = senders.map(async (sender) => {
      for (let n = 0; n < each; n++) await sender.sendMessage({ ...SIGNAL, args: [uint32(n)] });
    });
    const read = async (reader: Client) => {
      const heard: string[] = [];
      while (heard.length < each * senders.length) {
        const { sender, args } = (await reader.next()) as Got;
        heard.push(`${sender} ${args[0]?.value}`);
      }
      return heard;
    };
    const [first, ...others] = await Promise.all(readers.map(read));
    await Promise.all(sends);
    for (const other of others) assert.deepEqual(other, first);
    for (const { name } of senders)
      assert.deepEqual(
        first?.filter((line) => line.startsWith(`${name} `)),
        Array.from({ length: each }, (_, n) => `${name} ${n}`),
      );
  });
});
