// SPDX-License-Identifier: MIT
// A forked bus owes its senders what the bus itself does.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as model from '../../../runner/model/index.ts';

describe('a forked bus', () => {
  it('charges a message once for all its copies, that of its sender included', () => {
    const bus = model.listen();
    const pairs = Array.from({ length: 3 }, () => {
      const made = model.attach(bus);
      assert.ok('client' in made);
      model.join(made.accepted);
      return made.client;
    });
    const [sender] = pairs as [model.Endpoint, ...model.Endpoint[]];
    model.send(sender, { to: model.EVERYONE, length: 1 });
    for (const first of pairs) {
      const { of } = model.fork(bus, [first, ...pairs]);
      assert.equal(of(sender).charged, 769);
      for (const each of pairs) assert.ok(model.receive(of(each)));
      assert.equal(of(sender).charged, 0);
    }
    assert.equal(sender.charged, 769);
  });
});
