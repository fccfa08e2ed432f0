// SPDX-License-Identifier: MIT
// What people see at the end of a run.
import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { describe, it } from 'mocha';
import { align } from '../../../runner/write/align.ts';
import { painter, wantsColor } from '../../../runner/write/paint.ts';
import { renderText } from '../../../runner/write/text.ts';
import { broke, failed, failing, passed } from './verdicts.ts';

const SOURCE = Array.from({ length: 40 }, (_, i) => (i === 11 ? '    - a -> g: "frame 1"' : '')).join('\n');
const plain = { color: false, source: () => SOURCE };

describe('text report', () => {
  it('of a pass says where it ran, what each check checked, and PASS', () => {
    assert.equal(
      renderText(passed(), plain),
      `vm · containers · Linux 6.12.57 · TCG · Docker 26.1.5
test  test.topo.yaml · run q7f3a · seed 42

  ✓ recipients    28 copies
  ✓ integrity     28 deliveries, 1 pipe, 8 attachments
  ✓ errors        9 sends: 8 sent, 1 EHOSTUNREACH
  ✓ order.total   28 deliveries in 4 lanes, 28 kernel numbers
  ✓ order.fifo    2 senders
  ✓ order.causal  1 cause
  – blocked       not checked: no step says that a sender must wait
  ✓ lifetime      8 attachments
  ✓ kernel        0 kernel log lines, 0 sockets left behind

PASS  test: 8 checks held, 1 had nothing to check; 9 sends, 28 deliveries, 8 clients on 3 nodes, 2.3 s
`,
    );
  });

  it('of a failure shows place, YAML line, expected above observed, and the proof', () => {
    const report = renderText(failed(), plain);
    assert.ok(
      report.includes(`
✗ recipients  r3 did not get a#3
  test.topo.yaml:12:5  step 2.b1.1
   12 │     - a -> g: "frame 1"
      │     ^
    expected  r1  r2  r3  ear
    observed  r1  r2  ·   ear
    r3 got a#2, not a#3
`),
      report,
    );
    assert.ok(
      report.includes(`
    a#2 before c#1 at lane r1 (positions 1, 2)
    c#1 before a#2 at lane r2 (positions 1, 2)
    r1 │ a#1  a#2  c#1  a#3 …
    r2 │ a#1  c#1  a#2  a#3 …
    a#2 first: r1, r3, ear; c#1 first: r2
`),
      report,
    );
    assert.match(
      report,
      /\nFAIL {2}test: 5 of 9 checks broke \(recipients, integrity, errors, order\.total, kernel\), 5 failures;/,
    );
  });

  it('leaves the excerpt out if the file cannot be read', () => {
    const report = renderText(failed(), { color: false, source: () => undefined });
    assert.match(report, /test\.topo\.yaml:12:5 {2}step 2\.b1\.1\n {4}expected/);
    assert.equal(renderText(failed(), { color: false }), report);
  });

  it('of an error says what broke, and not what was checked', () => {
    const [first, , , last] = renderText(broke(), plain).split('\n');
    assert.equal(first, 'vm · containers · Linux 6.12.57 · TCG · Docker 26.1.5');
    assert.equal(last, 'ERROR  test: the host died: Kernel panic - not syncing, 2.3 s');
  });

  it('says how many alike there are, and how many are not shown', () => {
    const report = renderText(failing([{ alike: 3, step: '2' }], { failed: 20 }), plain);
    assert.match(report, /and 2 more like it in step 2/);
    assert.match(report, /… and 17 failures of recipients more; the worst 1 are shown/);
  });

  it('says that no kernel ran', () => {
    const { where } = passed();
    const report = renderText({ ...passed(), where: { ...where, backend: 'sim', seed: 7 } }, plain);
    assert.ok(report.startsWith('sim · the reference model in this process, no kernel\n'));
  });

  it('is the same with colour, but for the colour', () => {
    const colored = renderText(failed(), { ...plain, color: true });
    assert.notEqual(colored, renderText(failed(), plain));
    assert.equal(stripVTControlCharacters(colored), renderText(failed(), plain));
  });
});

describe('expected above observed', () => {
  const rows = (expected: string, observed: string) => [...align(expected, observed, painter(false))];

  it('does not take a text in quotes apart', () => {
    const [expected, observed] = ['writes "(a, 7)\\n\\"b, c\\""', 'it wrote "(a, 7)"'];
    assert.deepEqual(rows(expected, observed), [expected, observed]);
    assert.deepEqual(rows('s "a, b", i 7', 's "a, c", i 7'), [
      's "a, b"  ·         i 7',
      '·         s "a, c"  i 7',
    ]);
    assert.deepEqual(rows('one ", two', 'two'), ['one "  two', '·      two']);
  });

  it('aligns equal parts in columns', () => {
    assert.deepEqual(rows('lidar, camera, r3', 'lidar, r3, tool'), [
      'lidar  camera  r3  ·',
      'lidar  ·       r3  tool',
    ]);
  });

  it('shows an order that is reversed', () => {
    assert.deepEqual(rows('a#1, a#2', 'a#2, a#1'), ['a#1  a#2  ·', '·    a#2  a#1']);
  });

  it('leaves long stretches without a difference out', () => {
    const names = Array.from({ length: 30 }, (_, i) => `r${i}`);
    const [expected, observed] = rows(names.join(', '), names.filter((n) => n !== 'r15').join(', '));
    assert.equal(expected, '… 13 alike …  r13  r14  r15  r16  r17  … 12 alike …');
    assert.equal(observed, '… 13 alike …  r13  r14  ·    r16  r17  … 12 alike …');
  });

  it('leaves sentences as they are', () => {
    assert.deepEqual(rows('EHOSTUNREACH', 'success: delivered to a, b'), [
      'EHOSTUNREACH',
      'success: delivered to a, b',
    ]);
  });
});

describe('colour', () => {
  const cases = [
    { tty: true, env: {}, color: true },
    { tty: false, env: {}, color: false },
    { tty: true, env: { NO_COLOR: '1' }, color: false },
    { tty: true, env: { NO_COLOR: '' }, color: true },
    { tty: true, env: { TERM: 'dumb' }, color: false },
    { tty: false, env: { FORCE_COLOR: '1' }, color: true },
    { tty: true, env: { FORCE_COLOR: '0' }, color: false },
  ];
  for (const { tty, env, color } of cases) {
    it(`is ${color ? 'on' : 'off'} ${tty ? 'on' : 'off'} a terminal with ${JSON.stringify(env)}`, () => {
      assert.equal(wantsColor({ isTTY: tty }, env), color);
    });
  }
});
