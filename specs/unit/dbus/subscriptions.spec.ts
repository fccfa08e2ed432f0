// SPDX-License-Identifier: MIT
// Rules of a client whose sender is a well-known name, and a bus that answers when the spec says so.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Received } from '../../../dbus/connection.ts';
import { Subscriptions } from '../../../dbus/subscriptions.ts';

const NAME = 'org.example.Player';
const RULE = `sender='${NAME}'`;

const signal: Received = {
  ...{ type: 'signal', endian: 'little', flags: 0, serial: 1, sender: ':0.1' },
  ...{ path: '/', interface: NAME, member: 'Changed', args: [], fds: [] },
};

describe('subscriptions', () => {
  it('of the same sender are all made once its owner is known', async () => {
    const owner = Promise.withResolvers<string>();
    const bus = { addMatch: async () => {}, removeMatch: async () => {}, ownerOf: () => owner.promise };
    const subscriptions = new Subscriptions(bus);
    const heard: string[] = [];
    const made: string[] = [];
    const adds = ['a', 'b'].map(async (tag) => {
      await subscriptions.add(RULE, () => heard.push(tag));
      made.push(tag);
    });
    await new Promise(setImmediate);
    assert.deepEqual(made, []);
    owner.resolve(':0.1');
    await Promise.all(adds);
    subscriptions.dispatch(signal);
    assert.deepEqual(heard, ['a', 'b']);
  });

  it('are made after the bus has refused the rule that follows their sender', async () => {
    let room = false;
    const bus = {
      addMatch: async () => {
        if (!room) throw new Error('too many rules');
      },
      removeMatch: () => Promise.reject(new Error('no such rule')),
      ownerOf: async () => ':0.1',
    };
    const subscriptions = new Subscriptions(bus);
    const heard: Received[] = [];
    const add = () => subscriptions.add(RULE, (message) => heard.push(message));
    await assert.rejects(add(), /too many rules/);
    room = true;
    await add();
    subscriptions.dispatch(signal);
    assert.equal(heard.length, 1);
  });

  it('that come and go leave no rule at the bus', async () => {
    const rules: string[] = [];
    const bus = {
      addMatch: async (rule: string) => void rules.push(rule),
      removeMatch: async (rule: string) => void rules.splice(rules.indexOf(rule), 1),
      ownerOf: async () => ':0.1',
    };
    const subscriptions = new Subscriptions(bus);
    const made = await Promise.all([RULE, RULE].map((rule) => subscriptions.add(rule, () => {})));
    assert.equal(rules.length, 3);
    for (const each of [...made, ...made]) await each.remove();
    assert.deepEqual(rules, []);
  });
});
