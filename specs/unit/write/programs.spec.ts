// SPDX-License-Identifier: MIT
// What programs read.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { writeGithub } from '../../../runner/write/github.ts';
import { writeJson } from '../../../runner/write/json.ts';
import { writeJunit } from '../../../runner/write/junit.ts';
import { writeKtap } from '../../../runner/write/ktap.ts';
import { broken } from '../../../runner/write/unplayed.ts';
import { broke, failed, failing, passed } from './verdicts.ts';

describe('JSON', () => {
  it('is the verdict itself', () => {
    const verdict = failed();
    assert.deepEqual(JSON.parse(writeJson(verdict)), JSON.parse(JSON.stringify(verdict)));
  });

  it('has its keys in one order', () => {
    const keys = 'schemaVersion result topology file run seed where counts timings checks';
    assert.equal(Object.keys(JSON.parse(writeJson(passed()))).join(' '), keys);
    const shuffled = Object.fromEntries(Object.entries(passed()).reverse());
    assert.equal(writeJson(shuffled as unknown as ReturnType<typeof passed>), writeJson(passed()));
  });

  it('names a failure by check, kind, step and place', () => {
    const { checks } = JSON.parse(writeJson(failed()));
    const { check, kind, step, place, message, alike } = checks[0].failures[0];
    assert.deepEqual(
      { check, kind, step, place, message, alike },
      {
        ...{ check: 'recipients', kind: 'lost', step: '2.b1.1', message: 'a#3', alike: 1 },
        place: { file: 'test.topo.yaml', line: 12, column: 5 },
      },
    );
  });
});

describe('JUnit', () => {
  it('has a case for each check, and the facts in names and bodies', () => {
    const xml = writeJunit([passed(), failed()]);
    assert.match(
      xml,
      /<testsuite name="test" file="test.topo.yaml" tests="9" failures="5" errors="0" skipped="1" time="2.250">/,
    );
    assert.match(xml, /<testcase name="test recipients" classname="test">/);
    assert.match(
      xml,
      /<failure type="recipients" message="r3 did not get a#3">r3 did not get a#3\nat test.topo.yaml:12:5 \(step 2.b1.1\)/,
    );
    assertWellFormed(xml);
  });

  it('makes a broken environment an error', () => {
    const xml = writeJunit([broke()]);
    assert.match(xml, /<error type="environment" message="the host died: Kernel panic - not syncing">/);
    assert.match(xml, /errors="1"/);
    assertWellFormed(xml);
  });

  it('stays valid with markup and control characters', () => {
    const xml = writeJunit([failing([{ summary: 'a <b> & "c" \u0000\u001b[31m\ud800', observed: ']]>' }])]);
    assert.match(xml, /a &lt;b&gt; &amp; &quot;c&quot; ��\[31m�/);
    assertWellFormed(xml);
  });
});

/** Every tag closes, and nothing stands where XML forbids it. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  for (const [, close, name, self] of xml
    .replace(/^<\?xml.*\?>\n/, '')
    .matchAll(/<(\/?)([a-z]+)(?:\s+[a-z]+="[^"<]*")*\s*(\/?)>/g)) {
    if (close) assert.equal(open.pop(), name);
    else if (!self) open.push(name as string);
  }
  assert.deepEqual(open, []);
  const text = xml.replace(/<\/?[a-z]+(?:\s+[a-z]+="[^"<]*")*\s*\/?>|<\?xml.*\?>/g, '');
  assert.doesNotMatch(text, /[<>]|&(?!(amp|lt|gt|quot);)|[^\P{Cc}\n\t]/u);
}

describe('KTAP', () => {
  const lines = writeKtap([passed(), failed(), broke()]).split('\n');

  it('has a plan, two levels at most, and numbers that count up', () => {
    assert.deepEqual(lines.slice(0, 2), ['KTAP version 1', '1..3']);
    const numbers = (indent: string) =>
      lines
        .flatMap((l) => (new RegExp(`^${indent}(?:not )?ok (\\d+) `).exec(l)?.[1] ?? []) as string[])
        .map(Number);
    assert.deepEqual(numbers(''), [1, 2, 3]);
    assert.deepEqual(numbers('  '), [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.ok(!lines.some((l) => /^ {3,}(not )?ok/.test(l)));
  });

  it('gives every test a name of its own', () => {
    const names = lines.flatMap((l) => /^ *(?:not )?ok \d+ (\S+)/.exec(l)?.[1] ?? []);
    assert.equal(new Set(names).size, names.length);
  });

  it('says SKIP and ERROR with the reason', () => {
    assert.ok(lines.includes('  ok 7 test.blocked # SKIP no step says that a sender must wait'));
    assert.ok(lines.includes('not ok 3 test-3 # ERROR the host died: Kernel panic - not syncing'));
  });

  it('keeps a failure on comment lines, before its result', () => {
    const at = lines.indexOf('  not ok 1 test-2.recipients');
    assert.ok(at > 0);
    assert.equal(lines[at - 5], '  # test-2.recipients: r3 did not get a#3');
    const unplayed = writeKtap([broken('a.topo.yaml', 'there is no x # SKIP')]);
    assert.match(unplayed, /^not ok 1 a\.topo\.yaml # ERROR there is no x no\. SKIP$/m);
    const sly = writeKtap([failing([{ summary: 'first\nok 1 forged # SKIP' }])]);
    assert.doesNotMatch(sly, /^\s*ok 1 forged/m);
  });
});

describe('GitHub annotations', () => {
  it('are at the YAML lines', () => {
    const [first] = writeGithub([failed()]).split('\n');
    assert.match(
      first ?? '',
      /^::error file=test\.topo\.yaml,line=12,col=5,title=test%3A recipients::r3 did not get a#3%0Aexpected: r1, r2, r3, ear%0Aobserved: r1, r2, ear%0A/,
    );
  });

  it('are ten at most, and say so', () => {
    const many = failing(Array.from({ length: 25 }, (_, i) => ({ summary: `failure ${i}` })));
    const lines = writeGithub([many, failing([{ summary: 'of another file' }])]).split('\n');
    const errors = lines.filter((l) => l.startsWith('::error'));
    assert.equal(errors.length, 10);
    assert.match(errors[1] ?? '', /of another file/);
    assert.match(errors[9] ?? '', /17 more/);
  });

  it('cannot be forged by what they quote', () => {
    const text = writeGithub([failing([{ summary: 'x\n::error::forged 100%' }])]);
    assert.equal(text.split('\n').filter((l) => l.startsWith('::')).length, 1);
    assert.match(text, /x⏎::error::forged 100%25/);
  });

  it('are a plain line for a pass', () => {
    assert.match(writeGithub([passed()]), /^PASS test \(vm · containers · .*\): 8 checks held/);
  });
});
