// SPDX-License-Identifier: MIT
// Deliveries are reported alike, whether they came as messages or in columns.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Batches } from '../../../runner/agent/batches.ts';
import { Deliveries, envelopeOf } from '../../../runner/agent/delivery.ts';
import {
  type AgentReport,
  FLAG_FENCE,
  FLAG_INTACT,
  type NodeReport,
  type PackedBatch,
} from '../../../runner/agent/protocol.ts';
import { Reports } from '../../../runner/agent/reports.ts';
import type { Columns, Message } from '../../../runner/agent/system.ts';
import { wallClock } from '../../../runner/common/clock.ts';
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

/** Of each delivery, what its report says, wherever the report keeps its kind. */
const told = ({ message, sequence, length, kind, kinds }: Omit<PackedBatch, 'takers'>) =>
  message.map((number, i) => [number, sequence[i], length[i], kinds[kind[i] as number]]);

function batches() {
  const said: (NodeReport | AgentReport)[] = [];
  const made = new Batches(wallClock, (report) => said.push(JSON.parse(JSON.stringify(report))));
  const lists = () => said.flatMap((report) => (report.say === 'batches' ? [report.list] : []));
  return { batches: made, said, lists };
}

describe('Deliveries', () => {
  it('are the same from columns as from messages', () => {
    const byMessages = new Deliveries('c', 3);
    for (const each of MESSAGES) byMessages.add(10, each, envelopeOf(each, NONCE));
    const { batches: byColumns, lists } = batches();
    byColumns.add(COLUMNS, ['c', 3, 10]);
    byColumns.flush();
    const [[batch] = []] = lists();
    assert.ok(batch);
    assert.deepEqual(told(batch), told(byMessages));
    assert.deepEqual(batch.takers, [['c', 3, 10]]);
    assert.deepEqual(byMessages.taken, [[10, 4]]);
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

describe('Batches', () => {
  it('tell equal columns once, and each taker with its own position and time', () => {
    const { batches: made, lists } = batches();
    const other = { ...COLUMNS, sequence: [201, 202, 203, 204] };
    made.add(COLUMNS, ['one', 0, 10]);
    made.add(COLUMNS, ['two', 7, 11]);
    made.add(other, ['one', 4, 12]);
    made.flush();
    made.flush();
    const kinds = [
      [FLAG_INTACT, OTHER.from, [7, 8, 9], 0, 0],
      [FLAG_INTACT, ONE.from, [7, 8, 9], 0, 0],
      [FLAG_INTACT | FLAG_FENCE, ONE.from, [7, 8, 9], 0, 0],
    ];
    const columns = { message: [1, 2, 3, 4], length: [33, 34, 35, 36], kind: [1, 0, 1, 2], kinds };
    const first = [
      ['one', 0, 10],
      ['two', 7, 11],
    ];
    assert.deepEqual(lists(), [
      [
        { takers: first, sequence: COLUMNS.sequence, ...columns },
        { takers: [['one', 4, 12]], sequence: other.sequence, ...columns },
      ],
    ]);
  });

  it('are told when they are many, of all lanes together', () => {
    const { batches: made, lists } = batches();
    for (let i = 0; lists().length === 0; i++) made.add(COLUMNS, [`c-${i}`, 0, 10]);
    const [[batch] = []] = lists();
    assert.equal(batch?.takers.length, 1020);
    made.add(COLUMNS, ['last', 0, 10]);
    made.flush();
    assert.deepEqual(lists()[1]?.[0]?.takers, [['last', 0, 10]]);
  });

  it('come before what an agent says later, and after the messages that it took before', () => {
    const { batches: made, said } = batches();
    const reports = new Reports(wallClock, (report) => said.push(report), made);
    const [one] = MESSAGES as [Message];
    reports.delivery('c', 0, 10, one, envelopeOf(one, NONCE));
    reports.columns(COLUMNS, ['c', 1, 11]);
    reports.delivery('c', 5, 12, one, envelopeOf(one, NONCE));
    reports.say({ say: 'done', id: 1, began: 1, t: 2 });
    assert.deepEqual(
      said.map(({ say }) => say),
      ['deliveries', 'batches', 'deliveries', 'done'],
    );
  });
});
