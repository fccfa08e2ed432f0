// SPDX-License-Identifier: MIT
// Limits of one client: what is beyond them is refused, and costs nobody else anything.
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { type BusError, UnixStream } from '../../native/lib/index.ts';
import type { Arg } from '../../runner/dbus/index.ts';
import type { Got } from '../dbus/client.ts';
import { startDaemon, startOurs } from '../dbus/daemons.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { NativeClient } from './native-client.ts';
import { bytesOf, errorOf, onEachBus, string, uint32 } from './talk.ts';

const CALL = { type: 'method_call', path: '/', interface: 'a.B', member: 'M' } as const;

const SMALL = `
  <limit name="max_match_rules_per_connection">2</limit>
  <limit name="max_names_per_connection">2</limit>
  <limit name="max_completed_connections">3</limit>
  <limit name="max_message_size">4096</limit>
  <limit name="max_replies_per_connection">1</limit>`;

onEachBus(
  'limits',
  (bus) => {
    it('of rules and names: the call gets LimitsExceeded', async () => {
      using client = await RawClient.join(bus().path);
      const results = async (member: string, args: (n: number) => Arg[]) => {
        const errors: string[] = [];
        for (let n = 0; n < 3; n++) errors.push(errorOf(await client.call(member, args(n))));
        return errors;
      };
      assert.deepEqual(await results('AddMatch', () => [string("member='X'")]), [
        'method_return',
        'method_return',
        'LimitsExceeded',
      ]);
      assert.deepEqual(await results('RequestName', (n) => [string(`a.N${n}`), uint32(0)]), [
        'method_return',
        'LimitsExceeded',
        'LimitsExceeded',
      ]);
    });

    it('of connections: Hello is refused', async () => {
      const clients = [];
      for (let n = 0; n < 3; n++) clients.push(await RawClient.join(bus().path));
      using one = new RawClient(UnixStream.connect(bus().path));
      await one.authenticate();
      assert.equal(errorOf(await one.call('Hello')), 'LimitsExceeded');
      for (const client of clients) client.close();
    });

    it('of a message: the connection ends', async () => {
      using client = await RawClient.join(bus().path);
      await client.send(bytesOf({ args: [{ type: 'ay', value: Buffer.alloc(5000) }] }));
      assert.equal(await client.next(), undefined);
    });

    it('of calls without a reply: the next one is refused', async () => {
      using a = await RawClient.join(bus().path);
      using b = await RawClient.join(bus().path);
      const call = () =>
        a.sendMessage({ type: 'method_call', path: '/', interface: 'a.B', member: 'M', destination: b.name });
      await call();
      const serial = await call();
      assert.equal(errorOf(await a.until(({ replySerial }) => replySerial === serial)), 'LimitsExceeded');
    });
  },
  SMALL,
);

onEachBus(
  'timeouts',
  (bus) => {
    it('of a reply: NoReply, but not if the reply has come', async () => {
      using a = await RawClient.join(bus().path);
      using b = await RawClient.join(bus().path);
      const answered = await a.sendMessage({ ...CALL, destination: b.name });
      const { serial } = await b.until(({ member }) => member === 'M');
      await b.sendMessage({ type: 'method_return', replySerial: serial, destination: a.name });
      assert.equal((await a.next())?.replySerial, answered);
      const silent = await a.sendMessage({ ...CALL, destination: b.name });
      const got = await a.next();
      assert.deepEqual([got?.replySerial, got && errorOf(got)], [silent, 'NoReply']);
    });

    it('of descriptors without their message: the connection ends', async () => {
      using client = await RawClient.join(bus().path);
      const fd = openSync('/dev/null', 'r');
      await client.send(bytesOf({ unixFds: 1, args: [{ type: 'h', value: 0 }] }).subarray(0, 20), [{ fd }]);
      closeSync(fd);
      assert.equal(await client.next(), undefined);
    });
  },
  '<limit name="reply_timeout">2000</limit><limit name="pending_fd_timeout">300</limit>',
);

onEachBus(
  'limits',
  (bus) => {
    it('of connections before Hello: the next one waits', async () => {
      const strangers = [UnixStream.connect(bus().path), UnixStream.connect(bus().path)];
      const joining = RawClient.join(bus().path);
      const order: string[] = [];
      void joining.then(() => order.push('joined'));
      await pause(300);
      order.push('left');
      for (const stranger of strangers) stranger.close();
      (await joining).close();
      assert.deepEqual(order, ['left', 'joined']);
    });

    it("of a user's connections: Hello is refused", async () => {
      using one = await RawClient.join(bus().path);
      using two = await RawClient.join(bus().path);
      using three = new RawClient(UnixStream.connect(bus().path));
      await three.authenticate();
      assert.equal(errorOf(await three.call('Hello')), 'LimitsExceeded');
      assert.notEqual(one.name, two.name);
    });

    it('of descriptors of a message: the connection ends', async () => {
      using client = await RawClient.join(bus().path);
      const fd = openSync('/dev/null', 'r');
      await client.send(bytesOf({ unixFds: 3 }), [{ fd }, { fd }, { fd }]);
      closeSync(fd);
      await assert.rejects(client.until(() => false));
    });
  },
  `<limit name="max_incomplete_connections">2</limit>
  <limit name="max_connections_per_user">2</limit>
  <limit name="max_message_unix_fds">2</limit>`,
);

describe('limits of the kernel', function () {
  this.timeout(60_000);
  const PARAMETERS = '/sys/module/nfdbus/parameters';

  it('are those of the bus, whatever its configuration says', async () => {
    writeFileSync(`${PARAMETERS}/max_rules`, '2');
    writeFileSync(`${PARAMETERS}/max_names`, '2');
    try {
      await using bus = await startOurs('<limit name="max_match_rules_per_connection">50000</limit>');
      using client = await RawClient.join(bus.path);
      const answers = async (call: (n: number) => Promise<Got>) =>
        [errorOf(await call(0)), errorOf(await call(1)), errorOf(await call(2))].join();
      const wanted = 'method_return,method_return,LimitsExceeded';
      assert.equal(await answers((n) => client.call('AddMatch', [string(`member='M${n}'`)])), wanted);
      assert.equal(await answers((n) => client.call('RequestName', [string(`a.N${n}`), uint32(0)])), wanted);
    } finally {
      for (const name of ['max_rules', 'max_names']) writeFileSync(`${PARAMETERS}/${name}`, '512');
    }
  });
});

describe('services that start', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dbus-services-'));
    for (const name of ['a.Slow', 'a.Other'])
      writeFileSync(join(folder, `${name}.service`), `[D-BUS Service]\nName=${name}\nExec=/bin/sleep 20\n`);
  });

  after(() => rmSync(folder, { recursive: true }));

  for (const [title, start] of Object.entries({ 'dbus-daemon': startDaemon, 'this bus': startOurs }))
    it(`have a limit of what waits for them at ${title}`, async function () {
      this.timeout(120_000);
      const limits = '<limit name="max_pending_service_starts">2</limit>';
      await using bus = await start(`<servicedir>${folder}</servicedir>${limits}`);
      using client = await RawClient.join(bus.path);
      for (const destination of ['a.Slow', 'a.Slow']) await client.sendMessage({ ...CALL, destination });
      const serial = await client.sendMessage({ ...CALL, destination: 'a.Other' });
      const got = await client.until(({ type }) => type === 'error');
      assert.deepEqual([got.replySerial, errorOf(got)], [serial, 'LimitsExceeded']);
    });
});

describe('a client that does not read', function () {
  this.timeout(180_000);
  const COUNT = 200;
  const BLOB: Arg = { type: 'ay', value: Buffer.alloc(32 * 1024) };

  it('is cut off after its quota, while the others lose nothing and wait for nothing', async () => {
    await using bus = await startOurs('<limit name="max_outgoing_bytes">1000000</limit>');
    using sender = await RawClient.join(bus.path);
    using reader = await RawClient.join(bus.path);
    using stuck = await RawClient.join(bus.path);
    for (const client of [reader, stuck]) await client.call('AddMatch', [string("member='M'")]);
    await reader.call('AddMatch', [string("member='NameOwnerChanged'")]);
    const gone: unknown[] = [];
    for (let n = 0; n < COUNT; n++) {
      await sender.sendMessage({
        ...{ type: 'signal', path: '/', interface: 'a.B', member: 'M' },
        args: [uint32(n), BLOB],
      });
      // In order, and none is held up by the client that does not read.
      const got = await reader.until(({ member, args }) => {
        if (member === 'NameOwnerChanged') gone.push(args[0]?.value);
        return member === 'M';
      });
      assert.equal(got.args[0]?.value, n);
    }
    assert.equal(errorOf(await sender.call('GetId')), 'method_return');
    assert.deepEqual(gone, [stuck.name]);
    await bus.log.says(new RegExp(`${stuck.name} .*does not read`));
    let last = -1;
    await assert.rejects(
      stuck.until(({ args }) => {
        last = args[0]?.value as number;
        return false;
      }),
    );
    assert.ok(last < COUNT - 1, `it was sent ${last}`);
  });

  it('is expelled by the message after the 128 that may wait for it, if it is native', async () => {
    await using bus = await startOurs();
    using sender = await NativeClient.join(bus.afbus as string);
    using full = await NativeClient.join(bus.afbus as string);
    using over = await NativeClient.join(bus.afbus as string);
    for (const [client, member] of [
      [full, 'Full'],
      [over, 'Over'],
    ] as const)
      await client.call('AddMatch', [string(`member='${member}'`)]);
    const send = async (member: string, count: number) => {
      for (let n = 0; n < count; n++)
        await sender.sendMessage({ type: 'signal', path: '/', interface: 'a.B', member });
    };
    await send('Full', 128);
    await send('Over', 129);
    for (let n = 0; n < 128; n++) assert.equal((await full.next())?.member, 'Full');
    assert.equal(errorOf(await full.call('GetId')), 'method_return');
    await assert.rejects(over.next(), ({ code }: BusError) => code === 'ENOBUFS');
    for (let n = 0; n < 128; n++) assert.equal((await over.next())?.member, 'Over');
    assert.equal(await over.next(), undefined);
  });

  it('is cut off with max_outgoing_unix_fds descriptors that it has not taken', async () => {
    await using bus = await startOurs('<limit name="max_outgoing_unix_fds">8</limit>');
    using sender = await RawClient.join(bus.path);
    using stuck = await RawClient.join(bus.path);
    const fd = openSync('/dev/null', 'r');
    const args: Arg[] = [{ type: 'h', value: 0 }, BLOB];
    const call = { ...CALL, destination: stuck.name, unixFds: 1, flags: 1, args };
    for (let n = 0; n < 60; n++) await sender.send(bytesOf(call), [{ fd }]);
    await sender.call('GetId');
    closeSync(fd);
    await bus.log.says(new RegExp(`${stuck.name} .*max_outgoing_unix_fds`));
    assert.equal((await sender.call('NameHasOwner', [string(stuck.name)])).args[0]?.value, false);
  });
});
