// SPDX-License-Identifier: MIT
// Clients that want messages for others, while clients on AF_BUS itself talk without the bus.
import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'mocha';
import { type Arg, DRIVER, marshal } from '../../runner/dbus/index.ts';
import type { Got } from '../dbus/client.ts';
import { type RunningBus, startOurs } from '../dbus/daemons.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { addressOf, NativeClient } from './native-client.ts';
import { string, uint32 } from './talk.ts';

type Client = RawClient | NativeClient;

const NAME = 'org.example.Player';
const PEER = { path: '/p', interface: 'a.B' } as const;
const CALL = { type: 'method_call', ...PEER } as const;
const SIGNAL = { type: 'signal', ...PEER } as const;

describe('clients that want messages for others', function () {
  this.timeout(60_000);
  let bus: RunningBus;
  const clients: Client[] = [];

  before(async () => {
    bus = await startOurs();
  });

  after(() => bus[Symbol.asyncDispose]());

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  async function native(): Promise<NativeClient> {
    const client = await NativeClient.join(bus.afbus as string);
    clients.push(client);
    return client;
  }

  async function legacy(): Promise<RawClient> {
    const client = await RawClient.join(bus.path);
    clients.push(client);
    return client;
  }

  /** Sends a message to a client, whose address is known. */
  const send = (from: NativeClient, to: NativeClient, member: string) =>
    from.sendMessage({ ...SIGNAL, member, destination: to.name }, { to: addressOf(to.name) });

  /** The members of what it hears, up to this one; an answer is `return`. */
  async function membersUntil(client: Client, last: string): Promise<string[]> {
    const members: string[] = [];
    while (members.at(-1) !== last) {
      const { member, type } = (await client.next()) as Got;
      members.push(member ?? (type === 'method_return' ? 'return' : type));
    }
    return members;
  }

  it('hear nothing before the reply that makes them monitors, whatever else is answered then', async () => {
    const client = await legacy();
    await client.call('AddMatch', [string("member='NameOwnerChanged'")]);
    const driver = {
      type: 'method_call',
      endian: 'little',
      destination: DRIVER,
      path: '/org/freedesktop/DBus',
    } as const;
    const early = marshal({ ...driver, interface: DRIVER, member: 'GetId', args: [] }, 101);
    const args: Arg[] = [{ type: 'as', value: [] }, uint32(0)];
    const monitoring = { ...driver, interface: `${DRIVER}.Monitoring`, member: 'BecomeMonitor', args };
    await client.send(Buffer.concat([early, marshal(monitoring, 102)]));
    assert.deepEqual(await membersUntil(client, 'NameLost'), ['return', 'return', 'NameLost']);
  });

  for (const [kind, join] of [
    ['native', native],
    ['legacy', legacy],
  ] as const) {
    async function monitor(...rules: string[]): Promise<Client> {
      const client = await join();
      const args: Arg[] = [{ type: 'as', value: rules }, uint32(0)];
      await client.call('BecomeMonitor', args, { interface: 'org.freedesktop.DBus.Monitoring' });
      return client;
    }

    describe(`a ${kind} monitor`, () => {
      it('hears what is sent as soon as it has its reply, after the loss of its own name', async () => {
        const [from, to] = [await native(), await native()];
        const all = await monitor();
        await send(from, to, 'First');
        await from.sendMessage({ ...SIGNAL, member: 'Second' });
        assert.deepEqual(await membersUntil(all, 'Second'), ['NameLost', 'First', 'Second']);
      });

      it('hears a message in the name of its sender, whatever that claims', async () => {
        const [from, to] = [await native(), await native()];
        const all = await monitor();
        const lie = { ...SIGNAL, member: 'Lie', destination: to.name, sender: to.name };
        await from.sendMessage(lie, { to: addressOf(to.name) });
        const { sender, destination } = await all.until(({ member }) => member === 'Lie');
        assert.deepEqual([sender, destination], [from.name, to.name]);
      });

      it('hears a call and its answer once each, though the bus has passed on the call', async () => {
        const [caller, callee] = [await native(), await native()];
        await callee.call('RequestName', [string(NAME), uint32(0)]);
        const all = await monitor();
        const serial = await caller.sendMessage({ ...CALL, member: 'M', destination: NAME });
        await callee.until(({ member }) => member === 'M');
        const answer = { type: 'method_return', destination: caller.name, replySerial: serial } as const;
        await callee.sendMessage(answer, { to: addressOf(caller.name) });
        await callee.sendMessage({ ...SIGNAL, member: 'End' });
        const heard = await membersUntil(all, 'End');
        assert.deepEqual(
          heard.filter((each) => each !== 'Forwarded'),
          ['NameLost', 'M', 'return', 'End'],
        );
      });

      it('hears what its rules select', async () => {
        const [from, to] = [await native(), await native()];
        const some = await monitor("member='Two'", `destination='${from.name}'`);
        for (const member of ['One', 'Two', 'Three']) await send(from, to, member);
        await from.sendMessage({ ...SIGNAL, member: 'Four' });
        await send(to, from, 'Five');
        assert.deepEqual(await membersUntil(some, 'Five'), ['NameLost', 'Two', 'Five']);
      });

      it('gets descriptors of its own', async () => {
        const [from, to] = [await native(), await native()];
        const [one, two] = [await monitor(), await monitor()];
        const fd = openSync('/dev/null', 'r');
        const message = { ...SIGNAL, member: 'F', destination: to.name, unixFds: 1 };
        await from.sendMessage(message, { to: addressOf(to.name), fds: [{ fd }] });
        for (const each of [one, two]) {
          const { fds } = await each.until(({ member }) => member === 'F');
          assert.equal(fstatSync(fds[0]?.fd as number).rdev, fstatSync(fd).rdev);
        }
        closeSync(fd);
      });
    });

    describe(`a ${kind} client with rules that eavesdrop`, () => {
      it('gets what they select, and nothing twice', async () => {
        const [from, to] = [await native(), await native()];
        const nosy = await join();
        const rule = (member: string) => [string(`interface='a.B',member='${member}',eavesdrop='true'`)];
        await nosy.call('AddMatch', [string("member='One'")]);
        await nosy.call('AddMatch', rule('Two'));
        for (const member of ['One', 'Two']) await send(from, to, member);
        for (const member of ['One', 'Two', 'Three']) await from.sendMessage({ ...SIGNAL, member });
        for (const member of ['Two', 'Three'])
          await from.sendMessage({ ...SIGNAL, member, destination: nosy.name }, { to: addressOf(nosy.name) });
        await send(from, to, 'Two');
        // What is for it, or for many, may overtake what the bus tells it.
        const heard: string[] = [];
        const told = () => heard.filter((each) => each === `Two ${to.name}`).length;
        while (told() < 2 || !heard.includes(`Three ${nosy.name}`)) {
          const { member, destination = 'all' } = (await nosy.next()) as Got;
          heard.push(`${member} ${destination}`);
        }
        assert.deepEqual(
          heard.toSorted(),
          [
            ...['One all', 'Two all'],
            ...[`Two ${to.name}`, `Two ${to.name}`],
            ...[`Two ${nosy.name}`, `Three ${nosy.name}`],
          ].toSorted(),
        );
        await nosy.call('RemoveMatch', rule('Two'));
        await nosy.call('AddMatch', rule('Four'));
        for (const member of ['Two', 'Four']) await send(from, to, member);
        assert.deepEqual(await membersUntil(nosy, 'Four'), ['Four']);
      });
    });
  }
});
