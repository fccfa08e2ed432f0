// SPDX-License-Identifier: MIT
// A seed fixes a run to the byte; another seed lets others go first; time is the simulation's own.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { writeTrace } from '../../../runner/trace/file.ts';
import type { Trace } from '../../../runner/trace/trace.ts';
import { complaints, playText } from './play.ts';

const CROWD = `
buses: { cabin: { queueLength: 2 } }
groups: { all: { prefix: 0x0001 } }
clients: { a: { groups: [all] }, b: { groups: [all] }, c: { groups: [all], receive: auto } }
traffic:
  - parallel:
      - { send: { from: a, to: all, count: 20 }, expect: { recipients: [all] } }
      - { send: { from: b, to: all, count: 20, size: 64..4KiB }, expect: { recipients: [all] } }
      - { send: { from: c, to: a, count: 20 }, expect: { recipients: [a] } }
`;

async function traceOf(seed: number): Promise<Trace> {
  const { verdict, trace } = await playText(CROWD, { seed });
  assert.deepEqual(complaints(verdict), []);
  return trace as Trace;
}

function bytes(trace: Trace): string {
  const folder = mkdtempSync(join(tmpdir(), 'afbus-trace-'));
  try {
    writeTrace(join(folder, 'trace'), trace);
    return readFileSync(join(folder, 'trace'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The order in which a client got its messages. */
const orderAt = (trace: Trace, lane: string) =>
  Array.from(trace.deliveries.get(lane) ?? [], (d) => d.message).join(' ');

describe('the simulated schedule', () => {
  it('is the same for the same seed, to the byte', async () => {
    assert.equal(bytes(await traceOf(7)), bytes(await traceOf(7)));
  });

  it('is another for another seed', async () => {
    const orders = new Set<string | undefined>();
    for (let seed = 1; seed <= 8; seed++) orders.add(orderAt(await traceOf(seed), 'a'));
    assert.equal(orders.size, 8);
  });

  it('makes senders wait for clients that read late', async () => {
    const { sends } = await traceOf(3);
    const slowest = Math.max(...sends.map(({ t0, t1 }) => (t1 ?? t0) - t0));
    const quickest = Math.min(...sends.map(({ t0, t1 }) => (t1 ?? t0) - t0));
    assert.ok(slowest > 5 * quickest, `${quickest} to ${slowest} ns`);
  });

  it('waits in its own time', async () => {
    const started = performance.now();
    const { verdict, trace } = await playText(
      `clients: { a: {}, b: {} }
buses: { cabin: {} }
traffic:
  - { send: { from: a, to: b, count: 11, rate: 1/s }, expect: { recipients: [b] } }`,
      { seed: 1 },
    );
    assert.deepEqual(complaints(verdict), []);
    const times = trace?.sends.map((s) => s.t0) ?? [];
    assert.ok(Math.abs(((times[10] ?? 0) - (times[0] ?? 0)) / 1e9 - 10) < 0.1, `${times}`);
    assert.ok(performance.now() - started < 5000);
  });

  it('ends at the deadline if no process can go on', async () => {
    const { verdict, error } = await playText(
      `buses: { cabin: { queueLength: 1 } }
clients: { a: {}, b: {}, ear: { eavesdrop: true, receive: manual } }
traffic:
  - { send: { from: a, to: b, count: 5 }, expect: { recipients: [b, ear] } }`,
      { seed: 1, bug: { name: 'block-for-eavesdropper', every: 1 } },
    );
    assert.equal(verdict.result, 'error');
    assert.match(error?.message ?? '', /120 s have passed; step 1 .* waited for a to send a#1 … a#5/);
  });
});
