// SPDX-License-Identifier: MIT
// A check that had nothing to check says so; it never passes by silence.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { judge } from '../../../runner/verdict/index.ts';
import { baseRun } from './helpers/base-run.ts';
import { makeRun } from './helpers/make-run.ts';

describe('verdict of nothing', () => {
  it('skips every check of a run in which nothing happened', () => {
    const { plan, trace } = makeRun({ clients: [], sent: [], lanes: {} });
    for (const left of [null, 0]) {
      trace.socketsLeft = left;
      const { result, checks } = judge(plan, trace);
      assert.equal(result, 'skip');
      for (const check of checks) {
        assert.equal(check.result, 'skip', check.name);
        assert.ok(check.reason, check.name);
      }
    }
  });

  it('fails nevertheless for a splat of the kernel', () => {
    const { plan, trace } = makeRun({ clients: [], sent: [], lanes: {} });
    trace.socketsLeft = 1;
    assert.equal(judge(plan, trace).result, 'fail');
  });

  it('skips the order if no lane got two messages', () => {
    const sent = [{ name: 'm', from: 'a', to: ['b'], t0: 1, t1: 2 }];
    const { plan, trace } = makeRun({
      clients: [{ name: 'a' }, { name: 'b' }],
      sent,
      lanes: { b: [{ name: 'm', t: 3 }] },
    });
    const reasons = judge(plan, trace).checks.flatMap((c) =>
      c.result === 'skip' ? [`${c.name}: ${c.reason}`] : [],
    );
    assert.deepEqual(reasons, [
      'order.total: no lane got two messages',
      'order.fifo: no sender sent two messages',
      'order.causal: nobody sent after receiving',
      'blocked: no step says that a sender must wait',
    ]);
  });

  it('skips the kernel if sockets were not counted, but fails it for a splat', () => {
    const { plan, trace } = baseRun();
    trace.socketsLeft = null;
    const kernel = () => judge(plan, trace).checks.find((c) => c.name === 'kernel');
    assert.match(kernel()?.reason ?? '', /not counted/);
    trace.kernel.push({ level: 4, text: 'BUG: KASAN: slab-out-of-bounds in bus_recvmsg' });
    assert.equal(kernel()?.result, 'fail');
  });

  it('shows ten failures of a check and counts the others', () => {
    const { plan, trace } = baseRun();
    for (let i = 0; i < 40; i++) trace.ends.push({ lane: `r${i}`, t: 100, why: 'eof' });
    const lifetime = judge(plan, trace).checks.find((c) => c.name === 'lifetime');
    assert.deepEqual([lifetime?.failures.length, lifetime?.failed], [10, 40]);
  });

  it('groups failures of one kind and step', () => {
    const { plan, trace } = baseRun();
    for (const log of trace.deliveries.values()) for (const d of log) if (!d.fence) d.intact = false;
    const integrity = judge(plan, trace).checks.find((c) => c.name === 'integrity');
    assert.equal(integrity?.failed, 28);
    assert.deepEqual(
      integrity?.failures.map((f) => `${f.step} ×${f.alike}`),
      ['1 ×4', '2.b1.1 ×8', '2.b2.1 ×8', '3 ×2', '4 ×4', '6 ×2'],
    );
  });

  for (const [key, kind] of [
    ['credentials', 'no-credentials'],
    ['sequence', 'no-number'],
  ] as const) {
    it(`passes no copy without what every socket asks for: ${key}`, () => {
      const { plan, trace } = baseRun();
      const log = trace.deliveries.get('r2') ?? [];
      for (const d of log) delete d[key];
      const integrity = judge(plan, trace).checks.find((c) => c.name === 'integrity');
      assert.equal(integrity?.failed, log.filter((d) => !d.fence).length);
      assert.deepEqual([...new Set(integrity?.failures.map((f) => f.kind))], [kind]);
    });
  }

  it('misses each of two pipes', () => {
    for (const index of [0, 1]) {
      const { plan, trace } = makeRun({
        clients: [{ name: 'a' }, { name: 'r' }],
        sent: [{ name: 'm', from: 'a', to: ['r'], t0: 1, t1: 2, fds: 2 }],
        lanes: { r: [{ name: 'm', t: 3, sequence: 1 }] },
      });
      const kinds = () =>
        judge(plan, trace).checks.flatMap(({ failures }) => failures.map(({ kind }) => kind));
      assert.deepEqual(kinds(), []);
      trace.pipes = trace.pipes.filter((pipe) => pipe.index !== index);
      assert.deepEqual(kinds(), ['no-pipe']);
    }
  });

  it('says which copies nobody read', () => {
    const { plan, trace } = baseRun();
    Object.assign(trace.exits.find((e) => e.agent === 'r2') as object, { wanted: false });
    trace.deliveries.set('r2', []);
    const recipients = judge(plan, trace).checks.find((c) => c.name === 'recipients');
    assert.deepEqual(recipients?.notes, ['6 copies not judged: the reader had stopped or ended']);
  });
});
