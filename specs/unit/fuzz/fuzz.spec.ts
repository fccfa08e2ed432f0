// SPDX-License-Identifier: MIT
// Random topologies: the same for the same seed, sound on the simulated bus, small where something is wrong.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Random } from '../../../runner/common/random.ts';
import { compare } from '../../../runner/fuzz/compare.ts';
import { type Finding, type FuzzOptions, fuzz } from '../../../runner/fuzz/fuzz.ts';
import { generate, makesSense } from '../../../runner/fuzz/generate.ts';
import { planOf, playOn } from '../../../runner/fuzz/play.ts';
import { mentions, type Scenario, textOf } from '../../../runner/fuzz/scenario.ts';
import { shrink } from '../../../runner/fuzz/shrink.ts';
import { type BugName, simSite } from '../../../runner/sim/index.ts';
import type { Trace } from '../../../runner/trace/trace.ts';

const { signal } = new AbortController();

async function play(options: Partial<FuzzOptions>) {
  const findings: Finding[] = [];
  const played = await fuzz({
    seed: 1,
    runs: 10,
    sim: (seed) => simSite({ seed }),
    all: true,
    signal,
    progress: () => {},
    found: (finding) => findings.push(finding),
    ...options,
  });
  return { played, findings };
}

const broken = (name: BugName, every = 1) => ({
  sim: (seed: number) => simSite({ seed, bug: { name, every } }),
});

const drawn = (seed: number, buses = 2): Scenario => ({
  name: 'drawn',
  about: ['a line'],
  packed: seed % 2 === 0,
  buses: generate(new Random(seed), buses),
});

describe('fuzz', function () {
  this.timeout(180_000);

  it('draws the same topology from the same seed, and another from another', () => {
    assert.equal(textOf(drawn(3)), textOf(drawn(3)));
    assert.notEqual(textOf(drawn(3)), textOf(drawn(4)));
  });

  it('draws files that load, and uses all that the language has', () => {
    const texts = Array.from({ length: 80 }, (_, i) => drawn(i + 1, 1)).map((scenario) => {
      assert.ok(makesSense(scenario), textOf(scenario));
      return textOf(scenario);
    });
    const all = texts.join('\n');
    for (const word of [
      'parallel:',
      'nonblocking: true',
      'overflow: evict',
      'overflow: fail',
      'eavesdrop: true',
      'receive: manual',
      'join: false',
      'queueLength: 1',
      'fault: { expel:',
      'fault: { join:',
      'fault: { pause:',
      'pipe:',
      'protocol: dbus',
      'match: [',
      'dbus: {',
      'fault: { add-match:',
      'names: [',
      'filter: { bpf:',
      'filter: { keep:',
      'fault: { limit:',
      'after: { messages:',
      'after: 1',
      'at: "1ms"',
      'for: "2ms"',
    ]) {
      assert.ok(all.includes(word), word);
    }
  });

  it('finds nothing wrong with a sound bus', async () => {
    const { played, findings } = await play({ seed: 2026, runs: 25 });
    assert.deepEqual(
      findings.map(({ scenario, problem }) => `${problem.words.join('\n')}\n${textOf(scenario)}`),
      [],
    );
    assert.equal(played.runs, 25);
    assert.ok(played.messages > 200, `${played.messages} messages`);
  });

  it('stops at the first failure, unless told otherwise', async () => {
    const { played } = await play({ ...broken('wrong-sender'), all: false });
    assert.equal(played.findings, 1);
  });

  it('shrinks a failing file as far as possible', async () => {
    const { findings } = await play({ ...broken('wrong-sender'), all: false });
    const [{ scenario, problem }] = findings as [Finding];
    assert.equal(problem.where, 'sim');
    assert.equal(problem.kind, 'integrity sender');
    const [bus, ...others] = scenario.buses;
    assert.equal(others.length, 0);
    assert.equal(bus?.steps.length, 1, textOf(scenario));
    assert.ok((bus?.clients.length ?? 9) <= 2, textOf(scenario));
    assert.ok(makesSense(scenario));
  });

  it('compares two plays besides judging each', async () => {
    const scenario: Scenario = {
      name: 'pair',
      about: [],
      buses: [
        {
          name: 'cabin',
          settings: {},
          groups: [],
          clients: ['a', 'b', 'c'].map((name) => ({ name, settings: {} })),
          steps: [{ send: { from: 'a', to: 'b' } }, { send: { from: 'a', to: 'cabin' } }],
        },
      ],
    };
    const planned = planOf(scenario, 1);
    assert.ok(planned);
    const sound = await playOn(simSite({ seed: 1 }), planned, signal);
    assert.equal(compare(planned, sound.trace as Trace, sound.trace as Trace), undefined);
    const bug = { name: 'partial', every: 2 } as const;
    const lossy = await playOn(simSite({ seed: 1, bug }), planned, signal);
    assert.deepEqual(compare(planned, sound.trace as Trace, lossy.trace as Trace), {
      message: 'a#2',
      step: '2',
      one: 'to a, b, c',
      other: 'to a, c',
    });
  });
});

describe('shrinking', () => {
  it('keeps what the failure needs, and plays no more often than allowed', async () => {
    const scenario = drawn(8);
    const needed = scenario.buses[1]?.clients[0]?.name ?? '';
    const has = ({ buses }: Scenario) => buses.some((b) => b.clients.some((c) => c.name === needed));
    const smallest = await shrink(scenario, async (smaller) => has(smaller), 10_000);
    assert.deepEqual(
      smallest.buses.map((b) => b.clients.map((c) => c.name)),
      [[needed]],
    );
    let asked = 0;
    const counting = async () => {
      asked++;
      return false;
    };
    assert.deepEqual(await shrink(scenario, counting, 5), scenario);
    assert.equal(asked, 5);
  });

  it('finds the parties that a step names, at any depth', () => {
    const step = {
      parallel: [[{ fault: { kill: 'a' } }], { send: { from: 'b', to: 'c.master', via: 'd' } }],
    };
    for (const name of ['a', 'b', 'c.master', 'd']) assert.ok(mentions(step, name), name);
    for (const name of ['c', 'kill', 'e']) assert.ok(!mentions(step, name), name);
  });
});
