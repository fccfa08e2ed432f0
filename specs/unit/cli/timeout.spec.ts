// SPDX-License-Identifier: MIT
// --timeout begins before a file is read, and counts the time of the machine, also where a run has a clock of its own.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Clock } from '../../../runner/common/clock.ts';
import { Deadline } from '../../../runner/common/deadline.ts';
import { RunTimeout } from '../../../runner/common/errors.ts';
import { load } from '../../../runner/load/index.ts';
import { plan } from '../../../runner/plan/index.ts';
import { cli, folder } from '../../helpers/cli.ts';

const MUCH = `buses: { b: {} }
groups: { all: { prefix: 1 } }
clients: { s: {}, r: { replicas: 9994 }, t: { replicas: 10000 }, q: { replicas: 5, groups: [all] } }
traffic:
  - send: { from: s, to: all, count: 1000000 }
`;

/** Within the limits, and gone through in every order of its branches and by every combination: it takes a minute. */
const LONG = `matrix: { n: [${Array.from({ length: 9 }, (_, i) => i).join(', ')}] }
buses: { b: {} }
groups: { all: { prefix: 1 } }
clients: { s: {}, t: {}, r: { replicas: 9, groups: [all] } }
traffic:
  - parallel:
${['s', 't', 's', 't', 's', 't', 's', 't'].map((from) => `      - { send: { from: ${from}, to: all, count: 6000, payload: "\${n}" }, expect: model }\n`).join('')}`;

/** A clock that stands still. */
const stopped: Clock = { now: () => 0, after: () => () => {} };

describe('--timeout', function () {
  this.timeout(120_000);

  it('ends a file that is as large as a file may be', async () => {
    using files = folder({ 'a.topo.yaml': MUCH });
    const said = await cli(
      ['run', '-q', '--backend', 'sim', '--timeout', '500ms', files.path('a.topo.yaml')],
      { env: { XDG_STATE_HOME: files.path('state') } },
    );
    assert.equal(said.code, 5, said.stderr);
    assert.match(said.stderr, /0\.5 s have passed/);
  });

  it('ends the reading of a file', async () => {
    using files = folder({ 'a.topo.yaml': LONG });
    const said = await cli(['run', '-q', '--backend', 'sim', '--timeout', '1s', files.path('a.topo.yaml')], {
      env: { XDG_STATE_HOME: files.path('state') },
    });
    assert.equal(said.code, 5, said.stderr);
    assert.match(said.stderr, /1 s have passed while waiting for the file to be read and planned/);
  });

  it('ends a plan, which lets no timer fire', () => {
    const { topology } = load('a.topo.yaml', { source: MUCH });
    assert.ok(topology);
    const planning = () => new Deadline(20).during('the plan', () => plan(topology, { seed: 1 }));
    assert.throws(planning, /0\.02 s have passed while waiting for the plan/);
  });

  it('passes on the machine while the clock of the run stands still', async () => {
    const waiting = new Deadline(20).on(stopped).race('nothing', undefined, () => new Promise(() => {}));
    await assert.rejects(waiting, /0\.02 s have passed while waiting for nothing/);
  });

  it('stands still during the start of a host, which may build its image first', async () => {
    let now = 0;
    const deadline = new Deadline(100, { ...stopped, now: () => now });
    await deadline.without(async () => {
      now += 300_000;
    });
    deadline.check('what follows');
    now += 100;
    assert.throws(() => deadline.check('what follows'), RunTimeout);
  });
});
