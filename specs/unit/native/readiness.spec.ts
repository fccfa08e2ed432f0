// SPDX-License-Identifier: MIT
// The order of attempts on one socket, against a kernel played by the spec.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Addon, RawSocket } from '../../../native/lib/addon.ts';
import { BLOCKED, Readiness } from '../../../native/lib/readiness.ts';

const READY = { READY_IN: 1, READY_OUT: 2, READY_END: 4 };

function fixture() {
  const wanted: number[] = [];
  const raw = {
    fd: 3,
    want: (events: number) => {
      wanted.push(events);
      return 0;
    },
    poll: () => 0,
  } as unknown as RawSocket;
  const readiness = new Readiness(READY as Addon, raw);
  const log: string[] = [];
  let room = 0;
  const attempt = (name: string) => () => {
    log.push(name);
    if (room === 0) return BLOCKED;
    room--;
    return name;
  };
  const makeRoom = (n: number) => {
    room += n;
    raw.onready?.(READY.READY_OUT);
  };
  return { raw, wanted, readiness, log, attempt, makeRoom };
}

describe('readiness', () => {
  it('an attempt that succeeds at once never waits', async () => {
    const { readiness, wanted } = fixture();
    assert.equal(await readiness.run('out', () => 'done'), 'done');
    assert.deepEqual(wanted, []);
  });

  it('attempts are answered in the order of the calls, one edge for as many as there is room', async () => {
    const { readiness, log, attempt, makeRoom, wanted } = fixture();
    const all = ['a', 'b', 'c'].map((name) => readiness.run('out', attempt(name)));
    assert.deepEqual(log, ['a'], 'who stands behind does not try');
    assert.equal(wanted.at(-1), READY.READY_OUT);
    assert.ok(readiness.blocked('out'));
    makeRoom(2);
    assert.deepEqual(log, ['a', 'a', 'b', 'c']);
    assert.equal(readiness.waiting('out'), 1);
    makeRoom(1);
    assert.deepEqual(await Promise.all(all), ['a', 'b', 'c']);
    assert.equal(wanted.at(-1), 0);
    assert.ok(!readiness.blocked('out'));
  });

  it('an abort removes its own attempt, and the next one moves up', async () => {
    const { readiness, attempt, makeRoom, log } = fixture();
    const controller = new AbortController();
    const first = readiness.run('out', attempt('a'), controller.signal);
    const second = readiness.run('out', attempt('b'));
    controller.abort(new Error('enough'));
    await assert.rejects(first, { message: 'enough' });
    await new Promise(setImmediate);
    assert.deepEqual(log, ['a', 'b'], 'what stood behind tries at once: it may go elsewhere');
    makeRoom(1);
    assert.equal(await second, 'b');
  });

  it('an aborted signal stops an attempt before it is made', async () => {
    const { readiness, attempt, log } = fixture();
    await assert.rejects(readiness.run('in', attempt('a'), AbortSignal.abort(new Error('no'))), {
      message: 'no',
    });
    assert.deepEqual(log, []);
  });

  it('an attempt that throws fails alone', async () => {
    const { readiness, attempt, makeRoom } = fixture();
    const first = readiness.run('out', attempt('a'));
    const failing = readiness.run('out', () => {
      throw new Error('no route');
    });
    const last = readiness.run('out', attempt('c'));
    const failure = assert.rejects(failing, { message: 'no route' });
    makeRoom(2);
    await failure;
    assert.deepEqual(await Promise.all([first, last]), ['a', 'c']);
  });

  it('an attempt fails, and does not hang, if the kernel cannot make it wait', async () => {
    const { raw, readiness, attempt } = fixture();
    const emfile = Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
    raw.want = (events) => {
      if (events) throw emfile;
      return 0;
    };
    await assert.rejects(readiness.run('in', attempt('a')), { code: 'EMFILE' });
    assert.equal(readiness.waiting('in'), 0);
  });

  it('reading and writing wait side by side', async () => {
    const { raw, readiness, wanted } = fixture();
    let message = '';
    const read = readiness.run('in', () => message || BLOCKED);
    let room = false;
    const write = readiness.run('out', () => room || BLOCKED);
    assert.equal(wanted.at(-1), READY.READY_IN | READY.READY_OUT);
    message = 'm';
    raw.onready?.(READY.READY_IN);
    assert.equal(await read, 'm');
    assert.equal(wanted.at(-1), READY.READY_OUT);
    room = true;
    raw.onready?.(READY.READY_OUT);
    assert.equal(await write, true);
  });

  it('the end is reported once and does not count as waiting', () => {
    const { raw, readiness, wanted } = fixture();
    let ends = 0;
    readiness.watchEnd(() => ends++);
    assert.equal(wanted.at(-1), READY.READY_END);
    raw.onready?.(READY.READY_END);
    raw.onready?.(READY.READY_END);
    assert.equal(ends, 1);
    assert.equal(wanted.at(-1), 0);
  });

  it('a socket that is always ready does not keep the event loop from the others', async () => {
    const { readiness } = fixture();
    let timer = false;
    setTimeout(() => {
      timer = true;
    }, 0);
    let calls = 0;
    while (!timer) await readiness.run('in', () => ++calls);
    assert.ok(calls > 0);
  });
});
