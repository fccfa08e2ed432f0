// SPDX-License-Identifier: MIT
// A report says in numbers what happened, in every format, and that a simulated run is one.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Verdict } from '../../../runner/verdict/verdict.ts';
import { writeGithub } from '../../../runner/write/github.ts';
import { writeJson } from '../../../runner/write/json.ts';
import { writeJunit } from '../../../runner/write/junit.ts';
import { writeKtap } from '../../../runner/write/ktap.ts';
import { renderText } from '../../../runner/write/text.ts';
import { playText } from './play.ts';

const file = (overflow: string, traffic: string) => `buses: { car: { overflow: ${overflow} } }
groups: { g: { prefix: 1 }, none: { prefix: 2 } }
clients: { a: {}, b: { groups: [g], receive: manual }, c: { groups: [g] }, spy: { eavesdrop: true, receive: manual } }
traffic:
  ${traffic}
`;
const verdictOf = async (source: string): Promise<Verdict> => (await playText(source, { seed: 1 })).verdict;
const FORMATS: Readonly<Record<string, (verdict: Verdict) => string>> = {
  text: (verdict) => renderText(verdict, { color: false }),
  json: writeJson,
  junit: (verdict) => writeJunit([verdict]),
  ktap: (verdict) => writeKtap([verdict]),
  github: (verdict) => writeGithub([verdict]),
};

describe('the account of a run', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'counts the sends that failed, and says why that is right',
      file('fail', '- send: { from: a, to: g, count: 500 }'),
      ['step 1 (line 5): 500 sends: 11 sent, 489 ENOBUFS (allowed by overflow: fail)'],
    ],
    [
      'names the client that was evicted, and messages that went to the master instead',
      file('evict', '- send: { from: a, to: g, count: 20 }\n  - send: { from: a, to: b, count: 20 }'),
      [
        'step 2 (line 7): 20 of 20 messages to the master by the default route',
        'b was evicted; the last message that it got is a#11',
        'spy missed 20 to 29 of 40 copies, as eavesdroppers may',
      ],
    ],
    [
      'counts messages that reached nobody',
      file('block', '- send: { from: c, to: none, count: 5 }\n  - c -> a: "x"').replace(/, spy: .*?\}/, ''),
      ['step 1 (line 5): 5 of 5 messages reached nobody'],
    ],
  ];
  for (const [title, source, lines] of cases) {
    it(title, async () => {
      const verdict = await verdictOf(source);
      assert.equal(verdict.result, 'pass', JSON.stringify(verdict.checks));
      assert.deepEqual(verdict.account, lines);
      for (const [format, write] of Object.entries(FORMATS))
        for (const line of lines) assert.ok(write(verdict).includes(line), `${format}: ${line}`);
    });
  }

  it('counts no copy for an eavesdropper that the file does not expect', async () => {
    const traffic = `- c -> a: "x"\n    expect: { recipients: [a] }\n  - send: { from: a, to: none, count: 20 }
    expect: { recipients: [spy] }\n  - fault: { read: spy }`;
    const { result, account = [], checks } = await verdictOf(file('block', traffic));
    const spied = checks.find(({ name }) => name === 'recipients')?.failures.map(({ summary }) => summary);
    assert.deepEqual([result, spied], ['fail', ['spy got c#1, which was not for it']]);
    assert.deepEqual(
      account.filter((line) => line.startsWith('spy')),
      ['spy missed 10 of 20 copies, as eavesdroppers may'],
    );
  });

  it('is left out if nothing of that kind happened', async () => {
    const { account } = await verdictOf(file('block', '- a -> c: "x"').replace(/, spy: .*?\}/, ''));
    assert.equal(account, undefined);
  });
});

describe('a simulated run', () => {
  const source = `${file('block', '- a -> c: "x"')}expect: { latency: { p99: 1us } }\n`;

  it('says in every format that it was simulated', async () => {
    const verdict = await verdictOf(source);
    for (const format of ['text', 'junit', 'ktap', 'github'])
      assert.ok(FORMATS[format]?.(verdict).includes('PASS (simulated)'), format);
    assert.equal(JSON.parse(writeJson(verdict)).simulated, true);
  });

  it('claims nothing about a kernel, and measures no time', async () => {
    const { checks } = await verdictOf(source);
    const said = (name: string) => checks.find((check) => check.name === name);
    assert.deepEqual(
      [said('kernel')?.result, said('kernel')?.reason],
      ['skip', 'a simulated bus has no kernel'],
    );
    assert.deepEqual([said('budget')?.result, said('budget')?.reason], ['skip', 'simulated time']);
    assert.ok(checks.every(({ unit }) => !unit.includes('kernel numbers')));
  });
});
