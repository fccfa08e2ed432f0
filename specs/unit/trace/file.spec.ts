// SPDX-License-Identifier: MIT
// A trace comes back from its file as it was, and what is no trace is named by line.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import {
  FLAG_CONTROL_TRUNCATED,
  FLAG_FENCE,
  FLAG_INTACT,
  FLAG_TRUNCATED,
} from '../../../runner/agent/protocol.ts';
import { Collector } from '../../../runner/trace/collect.ts';
import { readTrace, writeTrace } from '../../../runner/trace/file.ts';

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
    assert.deepEqual(readTrace(file), trace);
  });

  it('keeps what few deliveries have', () => {
    const collector = new Collector();
    const row = [
      'lidar',
      0,
      40,
      null,
      FLAG_TRUNCATED | FLAG_CONTROL_TRUNCATED,
      null,
      '',
      0,
      null,
      3,
      7,
    ] as const;
    collector.heard('lidar', { say: 'deliveries', list: [row] });
    writeTrace(file, collector.trace());
    const { deliveries } = readTrace(file);
    assert.deepEqual(deliveries, collector.trace().deliveries);
    const [only] = deliveries.get('lidar') ?? [];
    assert.ok(only && !only.intact && only.truncated && only.controlTruncated);
  });

  it('keeps why the run was cut short', () => {
    const collector = collected();
    collector.cut = 'the host died';
    writeTrace(file, collector.trace());
    assert.equal(readTrace(file).cut, 'the host died');
  });

  it('names the line that is none of a trace', () => {
    writeTrace(file, new Collector().trace());
    appendFileSync(file, '{"is":"sends","agent"');
    assert.throws(() => readTrace(file), /trace\.jsonl:2: not a line of an afbus-topo trace/);
  });
});

describe('Collector', () => {
  it('spells out packed rows and follows the clock', () => {
    const collector = collected();
    const { deliveries, sends } = collector.trace();
    assert.deepEqual(deliveries.get('lidar'), [
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

function collected(): Collector {
  const collector = new Collector();
  collector.heard('camera', { say: 'ready', pid: 7, pidNamespace: 'pid:[1]' });
  collector.heard('camera', { say: 'sends', list: [[3, 10, 20, null]] });
  collector.heard('lidar', {
    say: 'deliveries',
    list: [
      ['lidar', 0, 40, 3, FLAG_INTACT, 9, '0000/000000000001', 64, [5, 1000, 1001], 2, 0],
      ['lidar', 1, 45, 1, FLAG_INTACT | FLAG_FENCE, null, '0000/000000000000', 32, null, 0, 4],
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
