// SPDX-License-Identifier: MIT
// Deliveries are reported alike, whether they came as messages or in columns.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Deliveries, envelopeOf } from '../../../runner/agent/delivery.ts';
import { FLAG_FENCE, FLAG_INTACT } from '../../../runner/agent/protocol.ts';
import type { Columns, Message } from '../../../runner/agent/system.ts';
import { checksumOf, type EnvelopeKind, encode } from '../../../runner/common/envelope.ts';

const NONCE = 5;
const ONE = { from: '0000/000000000001', credentials: { pid: 7, uid: 8, gid: 9 } } as const;
const OTHER = { from: '0000/000000000002', credentials: { pid: 7, uid: 8, gid: 9 } } as const;

function message(number: number, sender: typeof ONE | typeof OTHER, kind: EnvelopeKind = 'message'): Message {
  const data = encode(kind, NONCE, number, Buffer.alloc(number));
  return { ...sender, data, truncated: false, controlTruncated: false, fds: [], sequence: 100 + number };
}

const MESSAGES = [message(1, ONE), message(2, OTHER), message(3, ONE), message(4, ONE, 'fence')];

const COLUMNS: Columns = {
  count: 4,
  number: [1, 2, 3, 4],
  sequence: [101, 102, 103, 104],
  length: [33, 34, 35, 36],
  kind: [1, 0, 1, 2],
  kinds: [
    { fence: false, ...OTHER },
    { fence: false, ...ONE },
    { fence: true, ...ONE },
  ],
  lastFence: 4,
};

const addMessages = (deliveries: Deliveries, t: number) => {
  for (const each of MESSAGES) deliveries.add(t, each, envelopeOf(each, NONCE));
};

/** Of each delivery, what its report says, wherever the report keeps its kind. */
function told({ message, sequence, length, kind, kinds, taken }: Deliveries) {
  const rows = message.map((number, i) => [number, sequence[i], length[i], kinds[kind[i] as number]]);
  return { taken, rows };
}

describe('Deliveries', () => {
  it('are the same from columns as from messages, also when both follow each other', () => {
    const [byMessages, mixed] = [new Deliveries('c', 3), new Deliveries('c', 3)];
    for (const t of [10, 10, 20]) addMessages(byMessages, t);
    mixed.addColumns(10, COLUMNS);
    addMessages(mixed, 10);
    mixed.addColumns(20, COLUMNS);
    assert.deepEqual(told(mixed), told(byMessages));
    assert.deepEqual(mixed.taken, [
      [10, 8],
      [20, 4],
    ]);
    assert.equal(mixed.kinds.length, 3);
  });

  it('have columns of plain numbers, which a report can carry', () => {
    const deliveries = new Deliveries('c', 0);
    deliveries.addColumns(10, COLUMNS);
    assert.deepEqual(JSON.parse(JSON.stringify(deliveries)), {
      lane: 'c',
      position: 0,
      taken: [[10, 4]],
      message: [1, 2, 3, 4],
      sequence: [101, 102, 103, 104],
      length: [33, 34, 35, 36],
      kind: [1, 0, 1, 2],
      kinds: [
        [FLAG_INTACT, OTHER.from, [7, 8, 9], 0, 0],
        [FLAG_INTACT, ONE.from, [7, 8, 9], 0, 0],
        [FLAG_INTACT | FLAG_FENCE, ONE.from, [7, 8, 9], 0, 0],
      ],
      checksums: [],
    });
  });

  it('have the checksum of each message that is not whole, whichever run it is of', () => {
    const deliveries = new Deliveries('c', 0);
    const other = encode('message', NONCE + 1, 3, Buffer.alloc(3));
    MESSAGES.forEach((each, i) => {
      const shortened = i % 2 === 0 ? each : { ...each, data: each.data.subarray(0, 20) };
      deliveries.add(10, shortened, envelopeOf(shortened, NONCE));
    });
    const [, , third] = MESSAGES;
    const cut = { ...(third as Message), data: (third as Message).data.subarray(0, 34) };
    deliveries.add(10, cut, envelopeOf(cut, NONCE));
    // The last of MESSAGES is a fence, which no plan has.
    assert.deepEqual(deliveries.checksums, [
      [1, checksumOf((MESSAGES[1] as Message).data.subarray(0, 20))],
      [4, checksumOf(other.subarray(0, 34))],
    ]);
  });
});
