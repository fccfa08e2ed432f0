// SPDX-License-Identifier: MIT
// Batches in columns say of each message what reading it by itself says, whatever bytes a sender makes up.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Columns } from '../../native/lib/columns.ts';
import { type BusClient, type Message, multicastAddress } from '../../native/lib/index.ts';
import { envelopeOf } from '../../runner/agent/delivery.ts';
import { encode } from '../../runner/common/envelope.ts';
import { Bus, leaksNothing } from './bus.ts';

const NONCE = 0xfedc_ba98;
const PASS = { passSequence: true, passCredentials: true };
const ALL = multicastAddress(1);
const body = (length: number) => Buffer.from(Array.from({ length }, (_, i) => i * 7 + length));
const message = (number: number, length = 20) => encode('message', NONCE, number, body(length));

/** One sender, and two receivers of the same messages. */
async function pair(options = PASS) {
  const bus = await Bus.open();
  const sender = await bus.join(2, options);
  const [one, other] = await bus.joinMany(2, 1, options);
  assert.ok(one && other);
  return { bus, sender: sender.client, one: one.client, other: other.client };
}

const marked = (client: BusClient, options = {}) => client.tryReceive({ nonce: NONCE, max: 256, ...options });

function columnsOf(batch: Message[] | Columns): Columns {
  assert.ok('count' in batch, 'a batch in columns');
  return batch;
}

function messagesOf(batch: Message[] | Columns): Message[] {
  assert.ok(!('count' in batch), 'a batch of messages');
  return batch;
}

/** Resolves after turns of the event loop, when it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

function rowsOfColumns({ count, number, sequence, length, kind, kinds }: Columns) {
  return Array.from({ length: count }, (_, i) => ({
    number: number[i],
    sequence: sequence[i],
    length: length[i],
    ...kinds[kind[i] ?? -1],
  }));
}

const rowsOfMessages = (messages: readonly Message[]) =>
  messages.map((each) => {
    const envelope = envelopeOf(each, NONCE);
    return {
      number: envelope?.number,
      sequence: each.sequence,
      length: each.data.length,
      fence: envelope?.kind === 'fence',
      from: each.from,
      credentials: each.credentials,
    };
  });

/** Sends the datagrams to both, and compares what they read. */
async function same(datagrams: readonly Buffer[]): Promise<Columns> {
  const { bus, sender, one, other } = await pair();
  await using _ = bus;
  for (const datagram of datagrams) await sender.send(datagram, { to: ALL });
  const columns = columnsOf(marked(one));
  assert.equal(columns.count, datagrams.length);
  assert.deepEqual(rowsOfColumns(columns), rowsOfMessages(other.tryReceive(256)));
  return columns;
}

/** A batch with this datagram comes as messages. */
async function noColumns(datagram: Buffer): Promise<void> {
  const { bus, sender, one } = await pair();
  await using _ = bus;
  await sender.send(datagram, { to: ALL });
  const [only] = messagesOf(marked(one));
  assert.deepEqual(only?.data, datagram);
}

describe('columns', () => {
  it('have the number, sequence, length, sender and credentials of each message, and the last fence', async () => {
    const fence = (number: number) => encode('fence', NONCE, number, Buffer.alloc(0));
    const columns = await same([message(0), fence(4), message(1), fence(0xffff_ffff), message(2, 0)]);
    assert.equal(columns.kinds.length, 2);
    assert.equal(columns.lastFence, 0xffff_ffff);
    assert.equal((await same([message(7)])).lastFence, -1);
  });

  it('have a message of any length, and none with a byte that is not as it was sent', async () => {
    for (let first = 0; first < 80; first += 8) {
      const datagrams = Array.from({ length: 8 }, (_, i) => message(i, first + i));
      await same(datagrams);
    }
    const sent = message(3, 19);
    for (let at = 4; at < sent.length; at += 8) {
      // The identity must stay: without it the message is none of this run.
      const places = Array.from({ length: 8 }, (_, i) => at + i).filter(
        (place) => place < sent.length && (place >= 12 || place === 6 || place === 7),
      );
      if (places.length === 0) continue;
      for (const place of places) {
        const copy = Buffer.from(sent);
        copy[place] = (copy[place] as number) ^ 0x10;
        // The number is not covered by the checksum: another number is another message.
        if (place >= 12 && place < 16) await same([copy]);
        else await noColumns(copy);
      }
    }
  });

  it('have no message that lacks its end', async () => {
    const sent = message(5, 30);
    for (const length of [16, 17, 31, 32, 61]) await noColumns(sent.subarray(0, length));
  });

  it('have as many kinds as there are, and a large message', async () => {
    const { bus, one } = await pair();
    await using _ = bus;
    const senders = await bus.joinMany(8, 2);
    for (const { client } of senders) await client.send(message(1, 4096), { to: ALL });
    const columns = columnsOf(marked(one));
    assert.equal(columns.kinds.length, 8);
    assert.deepEqual(
      rowsOfColumns(columns).map(({ from }) => from),
      senders.map(({ client }) => client.address),
    );
  });

  it('stay as they are when the next batch is read', async () => {
    const { bus, sender, one } = await pair();
    await using _ = bus;
    for (const number of [1, 2]) await sender.send(message(number), { to: ALL });
    const first = columnsOf(marked(one, { max: 1 }));
    const second = columnsOf(marked(one, { max: 1 }));
    assert.deepEqual([[...first.number], [...second.number]], [[1], [2]]);
  });

  it('come from a read that waits, too', async () => {
    const { bus, sender, one } = await pair();
    await using _ = bus;
    const waiting = one.receive({ nonce: NONCE });
    await sender.send(message(1), { to: ALL });
    assert.deepEqual([...columnsOf(await waiting).number], [1]);
  });

  for (const [what, other] of Object.entries({
    'no envelope': Buffer.from('hello'),
    'no byte': Buffer.alloc(0),
    'a part of an identity': message(1).subarray(0, 15),
    'an envelope of another run': encode('message', NONCE + 1, 1, body(20)),
    'an unknown kind': Buffer.from(message(1)).fill(2, 5, 6),
    'an unknown version': Buffer.from(message(1)).fill(2, 4, 5),
  })) {
    it(`a batch that has a message with ${what} comes as messages`, async () => {
      const { bus, sender, one, other: second } = await pair();
      await using _ = bus;
      for (const datagram of [message(0), other, message(2)]) await sender.send(datagram, { to: ALL });
      const messages = messagesOf(marked(one));
      assert.deepEqual(rowsOfMessages(messages), rowsOfMessages(second.tryReceive()));
      assert.deepEqual(messages[1]?.data, other);
    });
  }

  it('a batch with descriptors, a cut message, or without a sequence or credentials comes as messages', async () => {
    const { bus, sender, one } = await pair();
    await using _ = bus;
    await sender.send(message(1), { to: ALL, fds: [0] });
    const [given] = messagesOf(marked(one));
    assert.equal(given?.fds.length, 1);
    given?.fds[0]?.close();
    await sender.send(message(2), { to: ALL });
    assert.equal(messagesOf(marked(one, { maxBytes: 40 }))[0]?.truncated, true);
    await sender.send(message(3), { to: ALL });
    assert.equal(messagesOf(marked(one, { maxControl: 0 }))[0]?.controlTruncated, true);
    for (const lacking of [{ passSequence: true }, { passCredentials: true }]) {
      const less = await bus.join(3, lacking);
      await sender.send(message(4), { to: less.accepted.peer });
      assert.equal(messagesOf(marked(less.client)).length, 1);
    }
  });

  it('that are equal are one object for all readers', async () => {
    const { bus, sender, one, other } = await pair();
    await using _ = bus;
    const send = async () => {
      for (const number of [1, 2]) await sender.send(message(number), { to: ALL });
    };
    await send();
    const first = columnsOf(marked(one));
    assert.equal(columnsOf(marked(other)), first);
    // The same messages, but for their places in the sequence.
    await send();
    const second = columnsOf(marked(one));
    assert.deepEqual(second.number, first.number);
    assert.notDeepEqual(second.sequence, first.sequence);
    // A batch of messages takes the place of the columns in the addon.
    await sender.send('hello', { to: one.address });
    messagesOf(marked(one));
    const third = columnsOf(marked(other));
    assert.deepEqual(third, second);
    assert.notEqual(third, second);
  });

  it('a reader that gives no nonce gets messages', async () => {
    const { bus, sender, one } = await pair();
    await using _ = bus;
    await sender.send(message(1), { to: ALL });
    assert.equal(one.tryReceive().length, 1);
  });

  it('go to a reader that asked for them, batch after batch, until one is none', async () => {
    const { bus, sender, one, other } = await pair();
    await using _ = bus;
    other.close();
    const taken: number[] = [];
    const onColumns = ({ number }: Columns) => void taken.push(...number);
    const reading = one.receive({ nonce: NONCE, max: 2, onColumns });
    const numbers = Array.from({ length: 25 }, (_, number) => number);
    for (const number of numbers) await sender.send(message(number), { to: ALL });
    await until(() => taken.length === numbers.length);
    await sender.send(Buffer.alloc(0), { to: ALL });
    assert.deepEqual(
      messagesOf(await reading).map(({ data }) => data.length),
      [0],
    );
    assert.deepEqual(taken, numbers);
    const rest = one.receive({ nonce: NONCE, onColumns });
    one.close();
    assert.deepEqual(await rest, []);
  });

  it('go to no reader after its signal: they stay in the queue', async () => {
    const { bus, sender, one } = await pair();
    await using _ = bus;
    const stop = new AbortController();
    const taken: number[] = [];
    const onColumns = ({ number }: Columns) => void taken.push(...number);
    const reading = one.receive({ nonce: NONCE, onColumns, signal: stop.signal });
    await sender.send(message(1), { to: ALL });
    await until(() => taken.length === 1);
    stop.abort(new Error('enough'));
    await sender.send(message(2), { to: ALL });
    await assert.rejects(reading, { message: 'enough' });
    assert.deepEqual(columnsOf(marked(one)).number, [2]);
    assert.deepEqual(taken, [1]);
  });

  it('may make their reader close another socket that is ready in the same turn', async () => {
    for (let round = 0; round < 20; round++) {
      const { bus, sender, one, other } = await pair();
      await using _ = bus;
      const sockets = [one, other];
      const ends = sockets.map((socket, i) =>
        socket.receive({ nonce: NONCE, onColumns: () => sockets[1 - i]?.close() }),
      );
      await sender.send(message(round), { to: ALL });
      assert.deepEqual(await Promise.race(ends), []);
      assert.deepEqual(sockets.map(({ closed }) => closed).sort(), [false, true]);
      for (const socket of sockets) socket.close();
      assert.deepEqual(await Promise.all(ends), [[], []]);
    }
  });

  it('keep no descriptor of a batch', () =>
    leaksNothing(async () => {
      const { bus, sender, one } = await pair();
      await using _ = bus;
      for (const number of [1, 2, 3]) await sender.send(message(number), { to: ALL });
      assert.equal(columnsOf(marked(one)).count, 3);
    }));
});
