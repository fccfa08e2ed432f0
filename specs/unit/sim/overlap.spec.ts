// SPDX-License-Identifier: MIT
// Faults happen where they are meant: placed by progress, counted in the report, and a run whose faults met nothing proves nothing.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { collect } from '../../../runner/verdict/facts.ts';
import { isMissed, overlapInWords, overlaps } from '../../../runner/verdict/overlap.ts';
import { complaints, playFile, playText } from './play.ts';

const file = (faults: string) => `buses: { car: {} }
groups: { g: { prefix: 1 } }
clients: { a: {}, b: { groups: [g] }, c: { groups: [g] }, d: { groups: [g] } }
traffic:
  - parallel:
      - send: { from: a, to: g, count: 300 }
      - send: { from: d, to: a, count: 300 }
${faults}
`;

/** Before the fault, `a` waits until `r` reads: in another branch, after the last message of `d`. */
const needing = (steps: string) => `buses: { car: { queueLength: 1 } }
clients: { a: {}, b: {}, d: {}, q: { receive: manual }, r: { receive: manual } }
traffic:
  - parallel:
      - - send: { from: a, to: r, count: 5 }
        - fault: { kill: b, after: { messages: 1, of: d } }
      - send: { from: d, to: q, count: ${steps.includes('blocked') ? 3 : 2} }
      ${steps}
`;

/** The sender reports what it has sent much later than it sends. */
const timed = (fault: string) => `buses: { car: {} }
clients: { a: {}, b: {}, c: {} }
traffic:
  - parallel:
      - send: { from: a, to: c, count: 60, rate: 100/s }
      - fault: { ${fault}, at: 200ms }
`;

/** When sends began, around a fault from 100 to 120; each returned 10 later. */
const BEGAN = [0, 90, 95, 110, 119, 121, 300];

async function play(faults: string, seed = 1) {
  const { verdict } = await playText(file(faults), { seed });
  const lines = (verdict.account ?? []).filter((line) => line.includes('before it'));
  return { lines, result: verdict.result, reason: verdict.reason ?? '' };
}

/** Messages before the fault, during it and after it, from its line of the report. */
const counts = (line = '') =>
  [...line.matchAll(/(\d+) (?:messages? before|during|after)/g)].map(([, n]) => Number(n));

describe('a fault beside sends', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`comes after as many messages as the file says (seed ${seed})`, async () => {
      const { lines, result } = await play('      - fault: { kill: b, after: 50 }', seed);
      const [before = 0, , after = 0] = counts(lines[0]);
      assert.ok(before >= 50 && before < 600 && after > 0, lines[0]);
      assert.equal(result, 'pass');
    });

    it(`comes after as many of one sender (seed ${seed})`, async () => {
      const { lines } = await play('      - fault: { kill: b, after: { messages: 200, of: d } }', seed);
      const [before = 0] = counts(lines[0]);
      assert.ok(before >= 200, lines[0]);
    });
  }

  for (const fault of ['pause: b', 'kill: b', 'stop-reading: b', 'expel: b']) {
    it(`is counted amid the traffic by its own time, not by that of the last report (${fault})`, async () => {
      const { verdict } = await playText(timed(fault), { seed: 1 });
      const [line] = (verdict.account ?? []).filter((each) => each.includes('before it'));
      const [before = 0, during = 0, after = 0] = counts(line);
      assert.ok(before >= 10 && during <= 1 && after >= 10, line);
    });
  }

  it('meets those messages that were under way from just before it to just after it', async () => {
    const { plan, trace } = await playText(timed('kill: b'), { seed: 1 });
    assert.ok(trace);
    const sends = BEGAN.map((t0, message) => ({ agent: 'a', message, t0, t1: t0 + 10 }));
    const planted = (effect: object) => {
      const steps = [{ step: '1.b2.1', t0: 0, moment: 100, ...effect, t1: 500 }];
      const [found] = overlaps(collect(plan, { ...trace, sends, steps }));
      return [found?.before, found?.during, found?.after];
    };
    assert.deepEqual(planted({ effect: 120 }), [2, 3, 2]);
    assert.deepEqual(planted({}), [2, 5, 0], 'it may have taken effect until the end of its step');
  });

  for (const at of [298, 299]) {
    it(`comes before the last message, which waits for it (after ${at} of ${300})`, async () => {
      for (const seed of Array.from({ length: 10 }, (_, n) => n)) {
        const { lines, result } = await play(
          `      - fault: { kill: b, after: { messages: ${at}, of: d } }`,
          seed,
        );
        const [before = 0, , after = 0] = counts(lines[0]);
        assert.ok(before >= at && after > 0, lines[0]);
        assert.equal(result, 'pass');
      }
    });
  }

  it('comes before the last message even if the killed client is the one that waits to send it', async () => {
    const { lines } = await play('      - fault: { kill: d, after: { messages: 299, of: d } }');
    const [before = 0] = counts(lines[0]);
    assert.ok(before >= 299, lines[0]);
  });

  for (const [what, needy] of Object.entries({
    'a count of messages': '- fault: { read: r, after: { messages: 2, of: d } }',
    'a read of as many': '- - fault: { read: q, count: 2 }\n        - fault: { read: r }',
    'an expected wait':
      '- - expect: { client: d, blocked: true, within: 10s }\n        - fault: { read: q }\n        - fault: { read: r }',
  })) {
    it(`keeps no message back that ${what} needs, if a step before the fault needs that in turn`, async () => {
      const { verdict, error } = await playText(needing(needy), { seed: 1 });
      assert.equal(error, null);
      assert.deepEqual(complaints(verdict), []);
    });
  }

  it('that comes before the first message proves nothing', async () => {
    const isMissing = (line?: string) => counts(line).slice(0, 2).join() === '0,0';
    let seed = 0;
    let played = await play('      - fault: { kill: b }', seed);
    while (!isMissing(played.lines[0]) && ++seed < 60)
      played = await play('      - fault: { kill: b }', seed);
    assert.ok(isMissing(played.lines[0]), 'no seed in which the fault comes first');
    assert.equal(played.result, 'skip');
    assert.match(
      played.reason,
      /^kill b \(\S+:\d+\) came before the first message beside it; place it with `after:`/,
    );
  });

  it('that comes after the last message proves nothing', async () => {
    const { result, reason } = await play('      - fault: { kill: b, at: 1m }');
    assert.equal(result, 'skip');
    assert.match(reason, /came after the last message beside it; place it with `after:`/);
  });

  it('that counts all the messages beside it proves nothing', async () => {
    const { result, reason } = await play('      - fault: { kill: b, after: 600 }');
    assert.equal(result, 'skip');
    assert.match(reason, /came after the last message beside it; let `after:` count fewer/);
  });

  it('that is taken back before the next message proves nothing', async () => {
    const yaml = `buses: { car: {} }
clients: { a: {}, b: {} }
traffic:
  - parallel:
      - send: { from: a, to: b, rate: 10/s, count: 3 }
      - - fault: { pause: b, after: 1 }
        - fault: { resume: b }
`;
    const { verdict } = await playText(yaml, { seed: 1 });
    assert.deepEqual(complaints(verdict), []);
    assert.equal(verdict.result, 'skip');
    assert.match(
      verdict.reason ?? '',
      /^pause b \(\S+:\d+\) was taken back before a message came beside it; let/,
    );
    const long = await playText(
      yaml.replace('after: 1 }', 'after: 1, for: 150ms }').replace(/ +- fault: { resume: b }\n/, ''),
      { seed: 1 },
    );
    assert.deepEqual([long.verdict.result, long.verdict.reason], ['pass', undefined]);
  });

  it('proves enough, although another fault of the step comes too early', async () => {
    const { result } = await play(
      '      - fault: { kill: b, after: 50 }\n      - fault: { kill: c, at: 1m }',
    );
    assert.equal(result, 'pass');
  });
});

describe('every topology of the project', () => {
  const folder = new URL('../../../topologies/', import.meta.url).pathname;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const source = name.endsWith('.topo.yaml') ? readFileSync(folder + name, 'utf8') : '';
    return source.includes('parallel:') && source.includes('fault:');
  });
  it('has faults beside sends in some files', () => assert.ok(names.length >= 10));

  for (const name of names) {
    it(`${name}: each fault meets messages`, async () => {
      for (const seed of [1, 2, 3]) {
        const { plan, trace } = await playFile(folder + name, { seed });
        assert.ok(trace);
        for (const overlap of overlaps(collect(plan, trace)))
          assert.ok(!isMissed(overlap), `seed ${seed}: ${overlapInWords(overlap)}`);
      }
    }).timeout(60_000);
  }
});
