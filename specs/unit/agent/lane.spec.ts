// SPDX-License-Identifier: MIT
// One reader a socket: positions, drains, fences, counted reads, and ends.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { envelopeOf } from '../../../runner/agent/delivery.ts';
import { Lane } from '../../../runner/agent/lane.ts';
import { linux } from '../../../runner/agent/linux.ts';
import type { AgentReport } from '../../../runner/agent/protocol.ts';
import type { Reports } from '../../../runner/agent/reports.ts';
import type {
  Batch,
  Columns,
  Message,
  ReceiveOptions,
  Socket,
  System,
} from '../../../runner/agent/system.ts';
import { type Envelope, type EnvelopeKind, encode } from '../../../runner/common/envelope.ts';

const NONCE = 5;

type Receive = Pick<ReceiveOptions, 'max' | 'onColumns'> & { readonly signal: AbortSignal };

interface Waiter {
  readonly max: number;
  readonly onColumns: ReceiveOptions['onColumns'] | undefined;
  readonly resolve: (batch: Batch) => void;
  readonly reject: (e: unknown) => void;
}

/** A queue that behaves as the binding's socket does. */
class Queue {
  atEnd = false;
  closed = false;
  tries = 0;
  /** Number of receives. */
  waits = 0;
  /** Whether it gives its batches in columns. */
  columns = false;
  readonly batches: number[] = [];
  readonly #messages: Message[] = [];
  readonly #ended = Promise.withResolvers<{ why: string; code?: string }>();
  #hungUp = false;
  #error: string | undefined;
  #waiter: Waiter | undefined;

  get ended() {
    return this.#ended.promise;
  }

  put(number: number, kind: EnvelopeKind = 'message', fds: Message['fds'] = []): void {
    const data = encode(kind, NONCE, number, Buffer.from('body'));
    const message = { data, length: data.length, from: '0000/000000000001', fds, truncated: false };
    this.#messages.push(message as unknown as Message);
    this.#wake();
  }

  hangUp(code?: string): void {
    this.#hungUp = true;
    this.#error = code;
    this.#ended.resolve(code === undefined ? { why: 'hangup' } : { why: 'error', code });
    this.#wake();
  }

  tryReceive({ max }: { max: number }): Batch {
    assert.equal(this.#waiter, undefined, 'a receive is waiting');
    this.tries++;
    return this.#take(max) ?? [];
  }

  receive({ max, signal, onColumns }: Receive): Promise<Batch> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject, max, onColumns };
      this.waits++;
      this.#waiter = waiter;
      signal.addEventListener('abort', () => {
        if (this.#waiter !== waiter) return;
        this.#waiter = undefined;
        reject(signal.reason);
      });
      this.#wake();
    });
  }

  #wake(): void {
    const waiter = this.#waiter;
    if (!waiter) return;
    try {
      let batch = this.#take(waiter.max);
      for (; batch && 'count' in batch && waiter.onColumns; batch = this.#take(waiter.max))
        waiter.onColumns(batch);
      if (!batch) return;
      this.#waiter = undefined;
      waiter.resolve(batch);
    } catch (error) {
      this.#waiter = undefined;
      waiter.reject(error);
    }
  }

  #take(max: number): Batch | undefined {
    const code = this.#error;
    this.#error = undefined;
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    if (this.#messages.length > 0) {
      const batch = this.#messages.splice(0, max);
      this.batches.push(batch.length);
      return this.columns ? columnsOf(batch) : batch;
    }
    if (!this.#hungUp) return undefined;
    this.atEnd = true;
    return [];
  }
}

/** The batch in columns, as far as a lane looks at them itself. */
function columnsOf(batch: readonly Message[]): Columns {
  const envelopes = batch.map((message) => envelopeOf(message, NONCE));
  const fences = envelopes.filter((envelope) => envelope?.kind === 'fence');
  return {
    count: batch.length,
    number: envelopes.map((envelope) => envelope?.number ?? -1),
    lastFence: fences.at(-1)?.number ?? -1,
  } as Partial<Columns> as Columns;
}

/** What the process was limited to, in order. */
const limits: (number | 'unlimited')[] = [];
const system: System = { ...linux, limitDescriptors: (more) => void limits.push(more) };

function lane() {
  limits.length = 0;
  const rows: { position: number; envelope: Pick<Envelope, 'number'> | null }[] = [];
  const said: AgentReport[] = [];
  const reports = {
    delivery: (_: string, position: number, __: number, ___: Message, envelope: Envelope | null) =>
      rows.push({ position, envelope }),
    columns: ({ number }: Columns, [, position]: readonly [string, number, number]) =>
      rows.push(...Array.from(number, (each, i) => ({ position: position + i, envelope: { number: each } }))),
    say: (r: AgentReport) => said.push(r),
  };
  const queue = new Queue();
  const made = new Lane('lidar', queue as unknown as Socket, NONCE, {
    system,
    reports: reports as unknown as Reports,
  });
  const ends = () => said.map((r) => (r.say === 'end' ? `${r.why}${r.errno ? ` ${r.errno}` : ''}` : r.say));
  return {
    lane: made,
    queue,
    rows,
    ends,
    batches: () => queue.batches,
    numbers: () => rows.map(({ position, envelope }) => [position, envelope?.number]),
  };
}

describe('Lane', () => {
  it('records what comes, in the order in which it came', async () => {
    const { lane: l, queue, numbers } = lane();
    l.start();
    queue.put(10);
    queue.put(11);
    await l.drain();
    queue.put(12);
    await l.drain();
    assert.deepEqual(numbers(), [
      [0, 10],
      [1, 11],
      [2, 12],
    ]);
  });

  it('takes columns as it takes messages: it counts them, knows their fences, and goes on after them', async () => {
    const { lane: l, queue, numbers } = lane();
    queue.columns = true;
    queue.put(10);
    queue.put(0, 'fence');
    queue.put(11);
    assert.equal(await l.read(3), 3);
    await l.fence(0);
    const next = l.fence(2);
    l.start();
    queue.put(2, 'fence');
    await next;
    queue.columns = false;
    queue.put(12);
    await l.drain();
    queue.hangUp();
    assert.equal(await l.ended(5000), true);
    assert.deepEqual(
      numbers(),
      [10, 0, 11, 2, 12].map((number, i) => [i, number]),
    );
  });

  it('takes all in columns by one receive, and as many as it was told by one for each batch', async () => {
    const { lane: l, queue, numbers } = lane();
    queue.columns = true;
    l.start();
    await l.drain();
    const { waits } = queue;
    for (const number of [1, 2, 3]) queue.put(number);
    assert.equal(queue.waits, waits);
    assert.deepEqual(
      numbers(),
      [1, 2, 3].map((number, i) => [i, number]),
    );
    await l.stop();
    queue.put(4);
    const counted = l.read(2);
    queue.put(5);
    queue.put(6);
    assert.equal(await counted, 2);
    assert.deepEqual(numbers().at(-1), [4, 5]);
    l.start();
    await l.drain();
    assert.deepEqual(numbers().at(-1), [5, 6]);
  });

  it('is drained only if its queue was found empty after the order to drain it', async () => {
    const { lane: l, queue, numbers } = lane();
    l.start();
    await l.drain();
    const { tries } = queue;
    queue.put(1);
    await l.drain();
    assert.ok(queue.tries > tries);
    assert.deepEqual(numbers(), [[0, 1]]);
  });

  it('skips a drain if its client does not read', async () => {
    const { lane: l, queue, rows } = lane();
    queue.put(1);
    await l.drain();
    assert.equal(rows.length, 0);
  });

  it('waits for a fence, and for no fence that will not come', async () => {
    const { lane: l, queue } = lane();
    l.start();
    const first = l.fence(1);
    queue.put(1, 'fence');
    await first;
    const second = l.fence(2);
    queue.hangUp();
    await second;
  });

  it('reads as many messages as it was told, and no more', async () => {
    const { lane: l, queue, numbers } = lane();
    const reading = l.read(2);
    queue.put(1);
    queue.put(2);
    queue.put(3);
    assert.equal(await reading, 2);
    assert.deepEqual(numbers(), [
      [0, 1],
      [1, 2],
    ]);
    l.start();
    await l.drain();
    assert.equal(numbers().length, 3);
  });

  it('stops reading', async () => {
    const { lane: l, queue, rows } = lane();
    l.start();
    await l.stop();
    queue.put(1);
    await l.drain();
    assert.equal(rows.length, 0);
  });

  it('obeys the latest order, and answers the caller of an earlier one', async () => {
    const { lane: l, queue, numbers } = lane();
    l.start();
    const stopped = l.stop();
    l.start();
    await stopped;
    const counted = l.read(3);
    queue.put(1);
    await l.drain();
    l.start();
    assert.equal(await counted, 1);
    queue.put(2);
    await l.drain();
    assert.deepEqual(numbers(), [
      [0, 1],
      [1, 2],
    ]);
  });

  it('reads the queue of an evicted client to the end, and reports the error once', async () => {
    const { lane: l, queue, ends, numbers } = lane();
    l.watch();
    queue.put(1);
    queue.hangUp('ENOBUFS');
    assert.equal(await l.ended(5000), true);
    l.start();
    await l.drain();
    assert.deepEqual(numbers(), [[0, 1]]);
    assert.deepEqual(ends(), ['error ENOBUFS', 'eof']);
  });

  it('takes a limit between two reads, and reads one message at a time then', async () => {
    const { lane: l, queue, batches } = lane();
    l.start();
    await l.drain();
    await l.limit(2);
    for (const number of [1, 2, 3]) queue.put(number);
    await l.drain();
    assert.deepEqual(batches(), [1, 1, 1]);
    await l.limit('unlimited');
    await l.stop();
    for (const number of [4, 5]) queue.put(number);
    await l.limit(0);
    await l.limit('unlimited');
    l.start();
    await l.drain();
    assert.deepEqual(batches(), [1, 1, 1, 2]);
    assert.deepEqual(limits, [2, 'unlimited', 0, 'unlimited']);
  });

  it('is not limited while a message is in hand', async () => {
    const { lane: l, queue } = lane();
    l.start();
    await l.drain();
    let open = 0;
    const fd = { fd: -1, close: () => void open-- };
    system.write = () => assert.deepEqual(limits, []);
    queue.put(1, 'message', [fd, fd]);
    open = 2;
    await l.limit(0);
    assert.deepEqual([open, limits], [0, [0]]);
    system.write = linux.write;
  });

  it('reports why a limit could not be set, and reads on', async () => {
    const { lane: l, queue, numbers } = lane();
    const { limitDescriptors } = system;
    system.limitDescriptors = () => {
      throw new Error('no limit today');
    };
    l.start();
    await assert.rejects(l.limit(1), /no limit today/);
    system.limitDescriptors = limitDescriptors;
    queue.put(1);
    await l.drain();
    assert.deepEqual(numbers(), [[0, 1]]);
  });

  it('does not end while it is connected', async () => {
    const { lane: l } = lane();
    assert.equal(await l.ended(5), false);
  });
});
