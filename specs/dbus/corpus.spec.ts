// SPDX-License-Identifier: MIT
// dbus-daemon and dbus-broker read the corpus as it says that they do.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { type MatchCase, type MessageCase, type RuleCase, readCorpus, verdictOf } from '../helpers/corpus.ts';
import { type RunningBus, startBroker, startDaemon } from './daemons.ts';
import { RawClient } from './raw-client.ts';

const { rules, messages } = readCorpus();
const text = (value: string) => [{ type: 's', value }];
const ENDIANS = ['little', 'big'] as const;

for (const start of [startDaemon, startBroker]) {
  const name = start === startDaemon ? 'dbus-daemon' : 'dbus-broker';

  describe(`${name} and the corpus`, () => {
    let bus: RunningBus;
    let client: RawClient;

    before(async () => {
      bus = await start();
      client = await RawClient.join(bus.path);
    });

    after(async () => {
      client.close();
      await bus[Symbol.asyncDispose]();
    });

    for (const rule of rules) {
      it(`line ${rule.number}: ${rule.sign} ${rule.rule.slice(0, 80)}`, async () => {
        assert.equal(await judge(client, rule), verdictOf(rule, name, rule.sign));
      });
    }
    for (const message of messages) {
      for (const endian of ENDIANS) {
        it(`line ${message.number}: ${message.title} (${endian})`, async () => {
          assert.equal(
            await lives(bus, message.bytes(endian)),
            verdictOf(message, name, message.verdict) === 'valid',
          );
        });
      }
      if (!message.broadcast || verdictOf(message, name, message.verdict) !== 'valid') continue;
      for (const match of message.matches) {
        it(`line ${match.number}: ${match.yes ? 'yes' : 'no'} ${match.rule.slice(0, 80)}`, async () => {
          for (const endian of ENDIANS)
            assert.equal(
              await reaches(bus, message, match, endian),
              verdictOf(match, name, match.yes ? 'yes' : 'no'),
            );
        });
      }
    }
  });
}

/** The sign that the corpus has for what a bus does. */
async function judge(client: RawClient, { sign, rule, base }: RuleCase): Promise<string> {
  if ((await client.call('AddMatch', text(rule))).type === 'error') return '-';
  const removed = await client.call('RemoveMatch', text(rule));
  assert.equal(removed.type, 'method_return');
  if (base === undefined) return sign === '-' ? '+' : sign;
  // A rule that says the same can take the other away.
  if ((await client.call('AddMatch', text(base))).type === 'error') return sign;
  const same = (await client.call('RemoveMatch', text(rule))).type === 'method_return';
  if (!same) await client.call('RemoveMatch', text(base));
  return same ? '=' : '!';
}

/** Whether the bus keeps the connection of a client that sends this. */
async function lives(bus: RunningBus, bytes: Buffer): Promise<boolean> {
  using client = await RawClient.join(bus.path);
  try {
    await client.send(bytes);
    await client.call('GetId');
    return true;
  } catch {
    return false;
  }
}

async function reaches(
  bus: RunningBus,
  message: MessageCase,
  match: MatchCase,
  endian: 'little' | 'big',
): Promise<string> {
  using sender = await RawClient.join(bus.path);
  using receiver = await RawClient.join(bus.path);
  await receiver.call('AddMatch', text(match.rule.replaceAll('$SENDER', sender.name)));
  await receiver.call('AddMatch', text("member='Fence'"));
  await sender.send(message.bytes(endian));
  await sender.sendMessage({ type: 'signal', path: '/', interface: 'spec.Fence', member: 'Fence' });
  const { member } = await receiver.until(({ sender: from }) => from === sender.name);
  return member === 'Fence' ? 'no' : 'yes';
}
