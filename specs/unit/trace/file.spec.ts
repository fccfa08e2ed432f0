// SPDX-License-Identifier: MIT
// A trace comes back from its file as it was, and what is no trace is named by line.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import {
  FLAG_CONTROL_TRUNCATED,
  FLAG_FENCE,
  FLAG_INTACT,
  FLAG_TRUNCATED,
  type PackedBatch,
  type PackedDeliveries,
  type PackedKind,
} from '../../../runner/agent/protocol.ts';
import { replaceFile } from '../../../runner/common/folder.ts';
import { Collector } from '../../../runner/trace/collect.ts';
import { readTrace, writeTrace } from '../../../runner/trace/file.ts';
import type { DeliveryEvent, Trace } from '../../../runner/trace/trace.ts';

describe('trace file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'afbus-trace-'));
    file = join(folder, 'trace.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('comes back as it was', () => {
    const trace = collected().trace();
    writeTrace(file, trace);
    assert.deepEqual(plain(readTrace(file)), plain(trace));
  });

  it('takes no more deliveries than a run may have', () => {
    const collector = new Collector(2);
    const row = { t: 40, message: 0, sequence: 1, length: 0, kind: [FLAG_INTACT, '', null, 0, 0] } as const;
    collector.heard('lidar', { say: 'deliveries', list: [packed('lidar', 0, [row, row])] });
    const more = () => collector.heard('lidar', { say: 'deliveries', list: [packed('lidar', 2, [row])] });
    assert.throws(more, { message: 'there are more than 2 deliveries' });
    const { lane, position, taken, checksums, ...messages } = packed('', 0, [row]);
    const takers = Array.from({ length: 3 }, (_, i) => [`c-${i}`, 0, 40] as const);
    const many = () => new Collector(2).batches([{ takers, ...messages }]);
    assert.throws(many, { message: 'there are more than 2 deliveries' });
  });

  it('keeps the rare fields of deliveries', () => {
    const collector = new Collector();
    const rare = FLAG_TRUNCATED | FLAG_CONTROL_TRUNCATED;
    const row = { t: 40, message: null, sequence: null, length: 0, kind: [rare, '', null, 3, 7] } as const;
    collector.heard('lidar', {
      say: 'deliveries',
      list: [{ ...packed('lidar', 0, [row]), checksums: [[0, 77]] }],
    });
    writeTrace(file, collector.trace());
    const read = plain(readTrace(file));
    assert.deepEqual(read, plain(collector.trace()));
    const [only] = read.deliveries.lidar ?? [];
    assert.ok(only && !only.intact && only.truncated && only.controlTruncated);
    assert.deepEqual([only.message, only.fds, only.lost, only.checksum], [null, 3, 7, 77]);
  });

  it('keeps what clients of a message bus sent and got', () => {
    const collector = new Collector();
    collector.join({ client: 'panel', unique: ':0.2' });
    collector.log({ agent: 'session.master', text: 'ready' });
    const sent = { kind: 'sent', serial: 3, t: 5 } as const;
    collector.heard('panel', { say: 'dbus', list: [sent] });
    writeTrace(file, collector.trace());
    assert.deepEqual(plain(readTrace(file)), plain(collector.trace()));
    assert.deepEqual(readTrace(file).dbus, [{ client: 'panel', ...sent }]);
  });

  it('has its bound, and leaves nothing of a trace that has more', () => {
    const trace = collected().trace();
    writeTrace(file, trace);
    const { size } = statSync(file);
    replaceFile(file, (fresh) => writeTrace(fresh, trace, size));
    const other = join(folder, 'other.jsonl');
    const write = () => replaceFile(other, (fresh) => writeTrace(fresh, trace, size - 1));
    assert.throws(write, new RegExp(`the trace has more than ${size - 1} bytes`));
    assert.deepEqual(readdirSync(folder), ['trace.jsonl']);
  });

  it('keeps why the run was cut short', () => {
    const collector = collected();
    collector.cut = 'the host died';
    collector.cutAt = 7;
    writeTrace(file, collector.trace());
    const { cut, cutAt } = readTrace(file);
    assert.deepEqual({ cut, cutAt }, { cut: 'the host died', cutAt: 7 });
  });

  it('names the line that does not belong into a trace', () => {
    writeTrace(file, new Collector().trace());
    appendFileSync(file, '{"is":"sends","agent"');
    assert.throws(() => readTrace(file), /trace\.jsonl:2: not a line of an afbus-topo trace/);
  });
});

describe('Collector', () => {
  it('spells out packed columns and follows the clock', () => {
    const collector = collected();
    const { deliveries, sends } = plain(collector.trace());
    assert.deepEqual(deliveries.lidar, [
      {
        lane: 'lidar',
        position: 0,
        t: 40,
        message: 3,
        fence: false,
        sequence: 9,
        from: '0000/000000000001',
        length: 64,
        intact: true,
        truncated: false,
        controlTruncated: false,
        credentials: { pid: 5, uid: 1000, gid: 1001 },
        fds: 2,
        lost: 0,
      },
      {
        lane: 'lidar',
        position: 1,
        t: 45,
        message: 1,
        fence: true,
        from: '0000/000000000000',
        length: 32,
        intact: true,
        truncated: false,
        controlTruncated: false,
        fds: 0,
        lost: 4,
      },
    ]);
    assert.deepEqual(sends, [{ agent: 'camera', message: 3, t0: 10, t1: 20 }]);
    assert.equal(collector.now, 45);
  });

  it('keeps every delivery of a long lane in its order, whichever kinds come in turn', () => {
    const collector = new Collector();
    const row = (i: number): Row => ({
      t: i * 10,
      message: i % 13 === 0 ? null : i,
      sequence: i % 7 === 0 ? null : i,
      length: i % 11,
      kind: [i % 16, `${i % 4}`, i % 5 === 0 ? null : [i % 3, 0, 0], i % 2, 0],
    });
    const rows = Array.from({ length: 2000 }, (_, i) => row(i));
    // Reports of several lengths, so that some end within a block of the trace and some beyond.
    for (const [first, end] of [
      [0, 100],
      [100, 1700],
      [1700, 2000],
    ] as const) {
      const list = [packed('lidar', first, rows.slice(first, end))];
      collector.heard('lidar', { say: 'deliveries', list });
    }
    const log = collector.trace().deliveries.get('lidar');
    assert.equal(log?.length, 2000);
    for (const [i, d] of [...(log ?? [])].entries()) {
      assert.deepEqual([d.position, rowOf(d)], [i, rows[i]]);
      assert.deepEqual(rowOf(log?.at(i) as DeliveryEvent), rows[i]);
    }
    assert.deepEqual([log?.at(2000), log?.at(-1)?.position], [undefined, 1999]);
  });

  it('has of a batch what each of its takers would have reported', () => {
    const [alone, together] = [new Collector(), new Collector()];
    const kind = [FLAG_INTACT, '0000/000000000001', [5, 6, 7], 0, 0] as const;
    const row = (message: number, t: number) => ({ t, message, sequence: 7 + message, length: 64, kind });
    const rows = (t: number) => [row(0, t), row(1, t)];
    const takers = [['lidar', 3, 40] as const, ['radar', 0, 41] as const];
    for (const [lane, position, t] of takers)
      alone.heard(lane, { say: 'deliveries', list: [packed(lane, position, rows(t))] });
    const { lane, position, taken, checksums, ...messages } = packed('', 0, rows(0));
    together.batches([{ takers, ...messages }]);
    assert.deepEqual(plain(together.trace()), plain(alone.trace()));
    assert.deepEqual([together.now, together.movements], [41, 4]);
    // A node may say more than it should: it does not speak for other lanes.
    const more = new Collector();
    more.batches([{ takers, ...messages, lane: 'camera', taken: [], checksums: [[0, 1]] } as PackedBatch]);
    assert.deepEqual(plain(more.trace()), plain(alone.trace()));
    together.seal();
    together.batches([{ takers, ...messages }]);
    assert.equal(together.movements, 4);
  });

  it('replaces the beginning of a wait by its outcome', () => {
    const collector = new Collector();
    collector.heard('camera', { say: 'sends', list: [[0, 10, null, null]] });
    assert.deepEqual(collector.waiting(), [{ agent: 'camera', message: 0, t0: 10 }]);
    collector.heard('camera', { say: 'sends', list: [[0, 10, 90, 'EPIPE']] });
    assert.deepEqual(collector.trace().sends, [
      { agent: 'camera', message: 0, t0: 10, t1: 90, error: 'EPIPE' },
    ]);
  });
});

/** Whatever keeps the deliveries, as plain objects without the fields that a delivery does not have. */
function plain(trace: Trace): Omit<Trace, 'deliveries'> & { deliveries: Record<string, DeliveryEvent[]> } {
  const deliveries = Object.fromEntries(
    [...trace.deliveries].map(([lane, log]) => [lane, [...log].map(fieldsOf)]),
  );
  return JSON.parse(JSON.stringify({ ...trace, deliveries }));
}

function fieldsOf(d: DeliveryEvent): DeliveryEvent {
  const { lane, position, t, message, fence, sequence, from, length, intact, checksum } = d;
  const { truncated, controlTruncated, credentials, fds, lost } = d;
  return {
    ...{ lane, position, t, message, fence, sequence, from, length, intact, checksum },
    ...{ truncated, controlTruncated, credentials, fds, lost },
  };
}

/** A delivery as a report has it, with its kind spelled out. */
interface Row {
  readonly t: number;
  readonly message: number | null;
  readonly sequence: number | null;
  readonly length: number;
  readonly kind: PackedKind;
}

function rowOf(d: DeliveryEvent): Row {
  const flags =
    (d.fence ? FLAG_FENCE : 0) |
    (d.intact ? FLAG_INTACT : 0) |
    (d.truncated ? FLAG_TRUNCATED : 0) |
    (d.controlTruncated ? FLAG_CONTROL_TRUNCATED : 0);
  const credentials = d.credentials
    ? ([d.credentials.pid, d.credentials.uid, d.credentials.gid] as const)
    : null;
  const { t, message, sequence, from, length, fds, lost } = d;
  return { t, message, sequence: sequence ?? null, length, kind: [flags, from, credentials, fds, lost] };
}

/** Each row with a kind of its own: the trace finds those that are the same. */
function packed(lane: string, position: number, rows: readonly Row[]): PackedDeliveries {
  return {
    lane,
    position,
    taken: rows.map(({ t }) => [t, 1]),
    message: rows.map(({ message }) => message),
    sequence: rows.map(({ sequence }) => sequence),
    length: rows.map(({ length }) => length),
    kind: rows.map((_, i) => i),
    kinds: rows.map(({ kind }) => kind),
    checksums: [],
  };
}

function collected(): Collector {
  const collector = new Collector();
  collector.heard('camera', { say: 'ready', pid: 7, pidNamespace: 'pid:[1]' });
  collector.heard('camera', { say: 'sends', list: [[3, 10, 20, null]] });
  collector.heard('lidar', {
    say: 'deliveries',
    list: [
      packed('lidar', 0, [
        {
          ...{ t: 40, message: 3, sequence: 9, length: 64 },
          kind: [FLAG_INTACT, '0000/000000000001', [5, 1000, 1001], 2, 0],
        },
        {
          ...{ t: 45, message: 1, sequence: null, length: 32 },
          kind: [FLAG_INTACT | FLAG_FENCE, '0000/000000000000', null, 0, 4],
        },
      ]),
    ],
  });
  collector.heard('camera', { say: 'pipe', message: 3, index: 0, tokens: ['lidar'], eof: true });
  collector.heard('lidar', { say: 'end', lane: 'lidar', t: 44, why: 'error', errno: 'ENOBUFS' });
  collector.step({ step: '1', t0: 1, t1: 45 });
  collector.exit({ agent: 'lidar', code: 0, signal: null, wanted: true });
  collector.kernel({ level: 4, text: 'a warning' });
  collector.fence({ bus: 'cabin', number: 1, sender: 'cabin.master@camera', lanes: ['lidar'] });
  collector.socketsLeft = 0;
  return collector;
}
