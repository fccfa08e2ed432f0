// SPDX-License-Identifier: MIT
// What the contract guarantees holds in every story that can be told of a small bus with short queues.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as model from '../../../runner/model/index.ts';
import fc from '../../helpers/drawn.ts';
import { LENGTH, type Op, operations, play, type Story } from './story.ts';

const RUNS = { numRuns: 300 };
/** A send buffer of some messages. */
const SMALL = 5000;

const always = (
  what: string,
  check: (story: Story, ops: readonly Op[]) => void,
  options?: model.BusOptions,
) =>
  it(what, () =>
    fc.assert(
      fc.property(operations, (ops) => check(play(ops, options), ops)),
      RUNS,
    ),
  );

const isSent = (outcome: model.Outcome): outcome is model.Delivered => 'sent' in outcome;
const place = (copy: model.Copy) => copy.sent.seq;

describe('model, guarantees', function () {
  this.timeout(30_000);

  always('reliable: who was given a copy reads it, unless it closed', ({ sends, got }) => {
    for (const { outcome } of sends) {
      if (!isSent(outcome)) continue;
      for (const to of outcome.copies) {
        const read = got.get(to)?.filter((copy) => place(copy) === outcome.sent).length;
        assert.ok(read === 1 || (to.closed && read === 0));
      }
    }
  });

  always('nothing is invented: who reads a copy was given it', ({ sends, got }) => {
    const given = new Map(sends.map(({ outcome }) => [isSent(outcome) ? outcome.sent : -1, outcome]));
    for (const [who, copies] of got) {
      for (const copy of copies) {
        const outcome = given.get(place(copy));
        assert.ok(outcome && isSent(outcome) && outcome.copies.includes(who));
      }
    }
  });

  always(
    'atomic: a send that fails or waits changes no queue; one that succeeds fills all its own',
    ({ sends }) => {
      for (const { outcome, before, after } of sends) {
        const gain = new Map([...after].map(([who, n]) => [who, n - (before.get(who) ?? 0)]));
        for (const [who, n] of gain) {
          assert.equal(n, isSent(outcome) && outcome.copies.includes(who) ? 1 : 0);
        }
      }
    },
  );

  always('never more in a queue than its length and one', ({ sends }) => {
    for (const { after } of sends) for (const [who, n] of after) assert.ok(n <= who.queueLength + 1);
  });

  always('strictly ordered: everyone reads a subsequence of one sequence', ({ sends, got }) => {
    const sequence = sends.flatMap(({ outcome }) => (isSent(outcome) ? [outcome.sent] : []));
    assert.deepEqual(
      sequence,
      [...new Set(sequence)].toSorted((x, y) => x - y),
    );
    for (const copies of got.values()) {
      const seen = copies.map(place);
      assert.deepEqual(
        seen,
        seen.toSorted((x, y) => x - y),
      );
    }
  });

  always('a wait is for somebody who is full, or for oneself', ({ sends }) => {
    for (const { outcome, from, before } of sends) {
      if (!('wait' in outcome)) continue;
      assert.ok(outcome.wait.length > 0);
      for (const who of outcome.wait) {
        if (outcome.for === 'send-buffer') assert.equal(who, from);
        else assert.ok((before.get(who) ?? 0) > who.queueLength);
        if (outcome.for === 'own-queue') assert.equal(who, from);
      }
    }
  });

  always('an address is never held twice, and a prefix-0 address never given again', ({ scene }) => {
    const clients = [...scene.parties.values()].map(({ client }) => client);
    const held = clients.flatMap(({ addresses }) => [...addresses]);
    assert.equal(new Set(held).size, held.length);
    assert.equal(scene.bus.holders.size, held.length);
    for (const [address, who] of scene.bus.holders) assert.ok(who.addresses.has(address) && !who.out);
    const last = model.attach(scene.bus);
    if ('client' in last) assert.ok(clients.every(({ address }) => address !== last.client.address));
  });

  always('groups are those who hold an address in them', ({ scene }) => {
    for (const { client } of scene.parties.values()) {
      const prefixes = new Set([...client.addresses].map(model.prefixOf));
      for (const prefix of ['0001', '0002'])
        assert.equal(scene.bus.groups.get(prefix)?.has(client) ?? false, prefixes.has(prefix));
    }
  });

  always('who has not joined reaches its master alone, and is reached by it alone', ({ sends }) => {
    for (const { from, to, outcome, joined } of sends) {
      if (!isSent(outcome)) continue;
      const stranger = from.side === 'client' && !joined.has(from);
      if (stranger) assert.ok(to === undefined || to === model.MASTER);
      for (const each of outcome.copies) {
        if (each.side === 'client')
          assert.ok(joined.has(each) || (from.side === 'accepted' && (to ?? model.MASTER) === model.MASTER));
        else assert.ok(from === each || each.address === from.address);
      }
    }
  });

  always('budgets come back: when all is read, nobody is charged', ({ scene }) => {
    for (const { charged, unread, queued } of scene.endpoints())
      assert.deepEqual([charged, unread, queued], [0, 0, 0]);
  });

  always(
    'a queue weighs less than half a send buffer and a message, a sender is charged with less than one and a message',
    ({ sends }) => {
      const weight = model.weightOf(LENGTH);
      for (const { heaviest, charged } of sends) {
        assert.ok(heaviest < SMALL / 2 + weight);
        assert.ok(charged < SMALL + weight);
      }
    },
    { sendBuffer: SMALL, queueLength: 100 },
  );

  always('a client that is out is at its end', ({ scene }) => {
    for (const { client } of scene.parties.values()) {
      if (!client.out) continue;
      assert.ok(model.atEnd(client) && !client.joined && client.addresses.size === 0);
      assert.ok('error' in model.send(client, { length: 1 }));
    }
  });

  it('eavesdroppers change nothing: without them every other outcome is the same', () => {
    // `d` only watches: it is in no group, nobody addresses it, and it never reads.
    const others = operations.map((ops) =>
      ops.filter((op) => !('who' in op && op.who.endsWith('d')) && !(op.do === 'send' && isAbout(op, 'd'))),
    );
    const watch: Op[] = [
      { do: 'join', who: 'd' },
      { do: 'eavesdrop', who: 'd', on: true },
    ];
    fc.assert(
      fc.property(others, (ops) => {
        const told = (story: Story) =>
          story.sends.map(({ outcome }) =>
            isSent(outcome)
              ? story.scene.names(outcome.copies.filter((x) => x !== story.scene.client('d')))
              : Object.keys(outcome).join(),
          );
        assert.deepEqual(told(play([...watch, ...ops])), told(play(ops)));
      }),
      RUNS,
    );
  });

  always(
    'a bus that fails never waits for a recipient',
    ({ sends }) => {
      for (const { outcome } of sends) assert.ok(!('wait' in outcome) || outcome.for !== 'queue');
    },
    { overflow: 'fail' },
  );

  always(
    'a bus that evicts waits for the master at most, and expels none but the full',
    ({ sends }) => {
      for (const { outcome, before } of sends) {
        if ('wait' in outcome && outcome.for === 'queue')
          assert.ok(outcome.wait.every(({ side }) => side === 'accepted'));
        if (!isSent(outcome)) continue;
        for (const who of outcome.evicted) assert.ok((before.get(who) ?? 0) > who.queueLength && who.out);
      }
    },
    { overflow: 'evict' },
  );

  it('is deterministic, and a fork behaves as the original would have', () => {
    fc.assert(
      fc.property(operations, operations, (first, second) => {
        const one = play(first).scene;
        const other = play(first).scene;
        const { bus, of } = model.fork(one.bus, one.endpoints());
        for (const [name, { client, accepted }] of other.parties) {
          const twin = one.parties.get(name);
          assert.ok(twin);
          assert.deepEqual(stateOf(of(twin.client)), stateOf(client));
          assert.deepEqual(stateOf(of(twin.accepted)), stateOf(accepted));
        }
        assert.equal(bus.seq, other.bus.seq);
        const told = stateOf(one.client('a'));
        for (const name of ['a', 'b'])
          model.send(of(one.client(name)), { to: model.EVERYONE, length: second.length });
        assert.deepEqual(stateOf(one.client('a')), told, 'what happens to the fork leaves the bus alone');
      }),
      RUNS,
    );
  });
});

/** It is to everyone, to the master, or to the client itself. */
const isAbout = (op: Extract<Op, { do: 'send' }>, who: string): boolean =>
  op.from.endsWith(who) || op.to === model.EVERYONE || op.to === model.clientAddress(4);

const stateOf = ({ bus: _, peer, queue, addresses, ...rest }: model.Endpoint) => ({
  ...rest,
  peer: peer?.address,
  addresses: [...addresses],
  queue: [...queue].map((copy) => [copy.sent.seq, copy.length, copy.lost]),
});
