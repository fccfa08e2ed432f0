// SPDX-License-Identifier: MIT
// Limits of one client: what is beyond them is refused, and costs nobody else anything.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { UnixStream } from '../../native/lib/index.ts';
import type { Arg } from '../../runner/dbus/index.ts';
import { startOurs } from '../dbus/daemons.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { bytesOf, errorOf, onEachBus, string, uint32 } from './talk.ts';

const SMALL = `
  <limit name="max_match_rules_per_connection">2</limit>
  <limit name="max_names_per_connection">2</limit>
  <limit name="max_completed_connections">3</limit>
  <limit name="max_message_size">4096</limit>
  <limit name="max_replies_per_connection">1</limit>`;

onEachBus(
  'limits',
  (bus) => {
    it('of rules and names: LimitsExceeded', async () => {
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
    assert.match(bus.log(), new RegExp(`${stuck.name} .*does not read`));
    let last = -1;
    await assert.rejects(
      stuck.until(({ args }) => {
        last = args[0]?.value as number;
        return false;
      }),
    );
    assert.ok(last < COUNT - 1, `it was sent ${last}`);
  });
});
