// SPDX-License-Identifier: MIT
// Which signals of its sleep a client of a message bus gets that is cut off, and which it may get.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { predictOperations } from '../../../runner/predict/index.ts';
import { topologyOf } from './predicted.ts';

interface File {
  readonly signals: string;
  readonly connect?: string;
  readonly bytes?: string;
}

const TICK = 'signal: { from: sensor, path: /e, interface: a.B, member: Tick';

const file = ({ signals, connect = 'native', bytes = '127MiB' }: File): string => `
buses: { session: { master: { program: dbus-daemon, limits: { max_outgoing_bytes: ${bytes} } } } }
clients:
  sensor: {}
  log: { match: ["interface='a.B'"] }
  slow: { connect: ${connect}, match: ["interface='a.B'"] }
traffic:
  - fault: { pause: slow }
${signals}
  - fault: { resume: slow }
  - ${TICK}, count: 3 }
  - expect: { client: slow, hangup: true }
`;

/** `sure 128, perhaps 12`: runs of the signals, in order. */
function ofSlow(source: string): string {
  const runs: [word: string, count: number][] = [];
  for (const { message, expected } of predictOperations(topologyOf(source)).list) {
    if (message.type !== 'signal') continue;
    const { recipients, may = [] } = expected;
    assert.ok(recipients.includes('log'));
    const word = recipients.includes('slow') ? 'sure' : may.includes('slow') ? 'perhaps' : 'never';
    const last = runs.at(-1);
    if (last?.[0] === word) last[1]++;
    else runs.push([word, 1]);
  }
  return runs.map((run) => run.join(' ')).join(', ');
}

describe('a client of a message bus that is cut off', () => {
  it('gets as many signals as its queue holds', () => {
    assert.equal(ofSlow(file({ signals: `  - ${TICK}, count: 140 }` })), 'sure 128, perhaps 15');
  });

  it('gets them also if they are of several steps', () => {
    const signals = `  - ${TICK}, count: 100 }\n  - ${TICK}, count: 100 }`;
    assert.equal(ofSlow(file({ signals })), 'sure 128, perhaps 75');
  });

  it('may miss any signal of a parallel step for which there is not room as a whole', () => {
    const signals = `
  - ${TICK}, count: 28 }
  - parallel: [{ ${TICK}, count: 40 } }, { ${TICK}, count: 60 } }]
  - parallel: [{ ${TICK}, count: 10 } }, { ${TICK}, count: 10 } }]`;
    assert.equal(ofSlow(file({ signals })), 'sure 128, perhaps 23');
    assert.equal(ofSlow(file({ signals: signals.replace('28', '29') })), 'sure 29, perhaps 123');
  });

  it('gets no more large ones than weigh little', () => {
    const signals = `  - ${TICK}, count: 130, args: ["${'x'.repeat(100_000)}"] }`;
    assert.equal(ofSlow(file({ signals })), 'sure 10, perhaps 123');
  });

  it('gets what fits in max_outgoing_bytes if it is a legacy one', () => {
    const signals = `  - ${TICK}, count: 500 }`;
    assert.equal(ofSlow(file({ signals, connect: 'legacy', bytes: '8000B' })), 'sure 100, perhaps 403');
  });

  it('gets no more than a socket holds, however much the daemon keeps', () => {
    const signals = `  - ${TICK}, count: 500 }`;
    assert.equal(ofSlow(file({ signals, connect: 'legacy', bytes: '32KiB' })), 'sure 204, perhaps 299');
  });

  it('is in no `recipients` of the file, or in those for which there is room', () => {
    const all = (recipients: string) =>
      ofSlow(file({ signals: `  - ${TICK}, count: 140 }\n    expect: { recipients: ${recipients} }` }));
    assert.equal(all('[log]'), 'sure 128, perhaps 15');
    assert.equal(all('[log, slow]'), 'sure 140, perhaps 3');
  });
});
