// SPDX-License-Identifier: MIT
// A picture of a run.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { renderSequence } from '../../../runner/write/sequence.ts';
import { assertHarmless } from '../../helpers/harmless.ts';
import { baseRun } from '../verdict/helpers/base-run.ts';
import { small } from '../verdict/helpers/small-run.ts';

describe('sequence diagram', () => {
  it('groups processes by node and draws an arrow for each copy, in the order of the sends', () => {
    const { plan, trace } = small(
      { x: ['a', 1, 2], y: ['b', 3, 4] },
      {
        r: [
          ['x', 5],
          ['y', 6],
        ],
        s: [['x', 4]],
      },
    );
    assert.equal(
      renderSequence(plan, trace),
      `sequenceDiagram
  box n0
    participant p0 as b.master
  end
  box n1
    participant p1 as a
    participant p2 as b
    participant p3 as r
    participant p4 as s
  end
  Note over p0,p4: step 1
  p1->>p4: x
  p1->>p3: x
  Note over p0,p4: step 2
  p2->>p3: y
`,
    );
  });

  it('shows failed sends and those that reached nobody', () => {
    const { plan, trace } = baseRun();
    trace.deliveries.clear();
    const picture = renderSequence(plan, trace);
    assert.match(picture, /p8-xp8: out#35;1 EHOSTUNREACH/);
    assert.match(picture, /Note over p2: a#35;1 reached nobody/);
  });

  it('is steered by no error that a node makes up', () => {
    const { plan, trace } = baseRun();
    trace.deliveries.clear();
    const error = 'E\n::error::x\u001b[2J\u007f; click p1 <x>';
    const sends = trace.sends.map((send) => (send.error === undefined ? send : { ...send, error }));
    const picture = renderSequence(plan, { ...trace, sends });
    assert.match(picture, /^ {2}p8-xp8: out#35;1 E ::error::x \[2J #59; click p1 #60;x#62;$/m);
    assertHarmless({ code: 0, stdout: picture, stderr: '' }, 'mermaid');
  });

  it('says what it leaves out', () => {
    const sends = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`m${i}`, ['a', 3 * i, 3 * i + 1] as const]),
    );
    const log = Object.keys(sends).map((name, i) => [name, 3 * i + 2] as const);
    const { plan, trace } = small(sends, { r: log });
    const lines = renderSequence(plan, trace).trimEnd().split('\n');
    assert.equal(lines.filter((l) => l.includes('->>')).length, 60);
    assert.match(lines.at(-1) ?? '', /40 sends more of 100 are not shown/);
  });
});
