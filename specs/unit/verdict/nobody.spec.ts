// SPDX-License-Identifier: MIT
// A message that reached nobody beside a change must have a place in the sequence at which nobody is its recipient.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { BugName } from '../../../runner/sim/index.ts';
import { complaints, playText } from '../sim/play.ts';

const BUS = `buses: { cabin: {} }
groups: { g: { prefix: 0x0001 } }
clients: { a: {}, b: { groups: [g] }, c: {}, d: {} }
traffic:
  - parallel:
      - send: { from: c, to: d, count: 25 }
`;

/**
 * Files in which the recipients change while messages are sent. The bug hits one copy in `every` of a reader, or of a
 * sender's multicasts: more than `d` gets.
 */
const CHANGES: Readonly<Record<string, { bug: BugName; every: number; yaml: string }>> = {
  'a client gains the address': {
    bug: 'lose',
    every: 27,
    yaml: `${BUS}      - send: { from: a, to: "0002/000000000001", count: 120 }
      - fault: { add-address: b, address: "0002/000000000001", after: { messages: 10, of: c } }
`,
  },
  'the client is expelled': {
    bug: 'lose',
    every: 27,
    yaml: `${BUS}      - send: { from: a, to: b, count: 120 }
      - fault: { expel: b, after: { messages: 10, of: c } }
`,
  },
  'the only member leaves the group': {
    bug: 'partial',
    every: 7,
    yaml: `${BUS}      - send: { from: a, to: g, count: 120 }
      - fault: { del-address: b, address: "0001/000000000001", after: { messages: 20, of: c } }
`,
  },
};

describe('verdict on a message that reached nobody', () => {
  for (const [name, { bug, every, yaml }] of Object.entries(CHANGES)) {
    it(`accepts what the bus does while ${name}`, async () => {
      const { verdict } = await playText(yaml, { seed: 1 });
      assert.deepEqual(complaints(verdict), []);
    });

    it(`finds a copy that is lost while ${name}`, async () => {
      const { verdict } = await playText(yaml, { seed: 1, bug: { name: bug, every } });
      const { failures } = verdict.checks.find((check) => check.name === 'recipients') ?? {};
      assert.deepEqual(
        failures?.map(({ kind }) => kind),
        ['notLinearizable'],
      );
      assert.equal(failures?.[0]?.observed, 'nobody');
    });
  }
});

/** Nobody reads too slowly, so nobody is evicted; `slow` reads only after it was. */
const EVICTS = `buses: { cabin: { overflow: evict, queueLength: 40 } }
groups: { g: { prefix: 0x0001 } }
clients: { a: {}, b: { groups: [g] }, c: { groups: [g] }, slow: { receive: manual } }
`;

const EVICTING: Readonly<Record<string, string>> = {
  'one client': `${EVICTS}traffic:
  - send: { from: a, to: b, count: 120 }
`,
  'the members of a group': `${EVICTS}traffic:
  - send: { from: a, to: g, count: 120 }
`,
  'a client that two send to': `${EVICTS}traffic:
  - parallel:
      - send: { from: a, to: b, count: 60 }
      - send: { from: c, to: b, count: 60 }
`,
};

describe('verdict on a copy that is missing on a bus that evicts', () => {
  for (const [name, yaml] of Object.entries(EVICTING)) {
    // Only the last of them is lost: no later copy shows that its reader is still there.
    for (const every of [50, 120])
      it(`finds that ${name} lost one of ${every} and was not evicted`, async () => {
        const { verdict } = await playText(yaml, { seed: 1, bug: { name: 'lose', every } });
        const { failures } = verdict.checks.find((check) => check.name === 'recipients') ?? {};
        assert.deepEqual(
          failures?.map(({ kind }) => kind),
          ['notLinearizable'],
        );
      });
  }

  it('accepts that clients are evicted which do not read', async () => {
    const yaml = `${EVICTS}traffic:
  - fault: { pause: c }
  - send: { from: a, to: g, count: 60 }
  - send: { from: a, to: slow, count: 60 }
  - fault: { resume: c }
`;
    const { verdict, trace } = await playText(yaml, { seed: 1 });
    assert.deepEqual(complaints(verdict), []);
    const ended = trace?.ends.filter(({ why }) => why !== 'closed').map(({ lane }) => lane);
    assert.ok(ended?.includes('c') && ended.includes('slow'));
  });
});

describe('verdict on more changes than are gone through', () => {
  const joins = Array.from({ length: 10 }, (_, n) => `      - fault: { join: x-${n} }`).join('\n');
  const text = `buses: { cabin: {} }
clients: { a: {}, b: {}, x: { replicas: 10, join: false } }
traffic:
  - parallel:
      - send: { from: a, to: b, count: 5 }
${joins}
`;

  const REASONS = {
    recipients: /:4, the changes of this step have more than 512 combinations$/,
    errors: /for the reason that recipients gives$/,
  };

  it('checks nothing of a step that has too many, and says once why', async () => {
    const { verdict } = await playText(text, { seed: 1 });
    assert.deepEqual(complaints(verdict), []);
    for (const [name, why] of Object.entries(REASONS)) {
      const { result, reason, checked } = verdict.checks.find((check) => check.name === name) ?? {};
      assert.deepEqual([result, checked], ['skip', 0]);
      assert.match(reason ?? '', why);
    }
    const warned = verdict.warnings?.map(({ line, message }) => `${line} ${message}`);
    assert.match(warned?.join('\n') ?? '', /^4 it is not judged who gets the messages of this step: /);
  });

  it('counts the checks of other steps', async () => {
    const { verdict } = await playText(`${text}  - send: { from: a, to: b, count: 7 }\n`, { seed: 1 });
    for (const [name, why] of Object.entries(REASONS)) {
      const { result, notes, checked } = verdict.checks.find((check) => check.name === name) ?? {};
      assert.deepEqual([result, checked], ['pass', 7]);
      assert.match(notes?.join('\n') ?? '', why);
    }
  });

  it('checks a step without sends, and one whose changes are in one branch', async () => {
    const alone = text
      .replace(/ {6}- send: .*/, '      - fault: { pause: b }')
      .concat('  - fault: { resume: b }\n  - a -> b: x\n');
    const inOrder = text.replace(
      joins,
      joins.replace('- fault', '- - fault').replaceAll('\n      -', '\n        -'),
    );
    for (const each of [alone, inOrder]) {
      const { verdict } = await playText(each, { seed: 1 });
      assert.deepEqual(verdict.warnings?.filter(({ message }) => message.includes('judged')) ?? [], []);
      assert.equal(verdict.checks.find(({ name }) => name === 'errors')?.result, 'pass');
    }
  });
});
