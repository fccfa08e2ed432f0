// SPDX-License-Identifier: MIT
// A play, stage by stage, and what is left of it when a stage breaks.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Clock } from '../../runner/common/clock.ts';
import { Deadline } from '../../runner/common/deadline.ts';
import { EnvironmentError, HostDied } from '../../runner/common/errors.ts';
import type { Progress } from '../../runner/common/progress.ts';
import { load } from '../../runner/load/index.ts';
import { makeRoom, type PlayOptions, play } from '../../runner/pipeline.ts';
import { plan } from '../../runner/plan/index.ts';
import type { Run } from '../../runner/provision/runs.ts';
import type { Site } from '../../runner/provision/site.ts';
import { simSite } from '../../runner/sim/index.ts';

const source = 'name: small\nbuses: { cabin: {} }\nclients: { a: {}, b: {} }\ntraffic: [{ a -> b: x }]';
const { topology } = load('small.topo.yaml', { source });
assert.ok(topology);
const planned = plan(topology, { seed: 1 });

/** A simulated site that keeps a diary of what is done to it and shown. */
function diary(changes: Partial<Site> = {}, keep = false) {
  const seen: string[] = [];
  const sim = simSite({ seed: 1 });
  const site: Site = {
    ...sim,
    remove: async (run) => {
      seen.push('remove');
      await sim.remove(run);
    },
    ...changes,
  };
  const progress: Progress = {
    timings: {},
    stage: async (title, work) => {
      seen.push(title);
      return work(() => {});
    },
  };
  const { signal } = new AbortController();
  const options: PlayOptions = { deadline: new Deadline(10_000), keep, signal, progress, warnings: [] };
  return { seen, site, options };
}

const fails = (error: Error) => ({ start: () => Promise.reject(error) });

describe('a play', () => {
  it('goes from nodes to a verdict, and is taken down', async () => {
    const { seen, site, options } = diary();
    const { verdict, trace, error } = await play(planned, site, options);
    assert.equal(verdict.result, 'pass');
    assert.equal(trace?.sends.length, 1);
    assert.equal(error, null);
    assert.deepEqual(seen, ['nodes', 'traffic', 'judge', 'down', 'remove']);
  });

  it('counts a client that is started again once', async () => {
    const again = 'traffic: [{ a -> b: x }, { fault: { restart: b } }, { a -> b: y }]';
    const loaded = load('again.topo.yaml', { source: source.replace(/traffic: .*/, again) });
    assert.ok(loaded.topology);
    const { site, options } = diary();
    const { verdict } = await play(plan(loaded.topology, { seed: 1 }), site, options);
    assert.deepEqual([verdict.result, verdict.counts.clients], ['pass', 2]);
  });

  it('leaves a topology up that is to be kept', async () => {
    const { seen, site, options } = diary({}, true);
    await play(planned, site, options);
    assert.deepEqual(seen, ['nodes', 'traffic', 'judge']);
  });

  it('is taken down if it breaks, kept or not', async () => {
    const broken = new EnvironmentError('no engine', 'start one');
    const { seen, site, options } = diary(fails(broken), true);
    const { verdict, error } = await play(planned, site, options);
    assert.equal(error, broken);
    assert.equal(verdict.result, 'error');
    assert.equal(verdict.reason, 'no engine');
    // Once for what was still being made, once as every run.
    assert.deepEqual(seen, ['nodes', 'remove', 'down', 'remove']);
  });

  it('names a host that died as the cause, and asks it for nothing', async () => {
    const died = new HostDied('a panic', 'see its log');
    const broken = new EnvironmentError('connection lost', 'look');
    const { seen, site, options } = diary({ ...fails(broken), probe: async () => died });
    const { error } = await play(planned, site, options);
    assert.equal(error, died);
    assert.deepEqual(seen, ['nodes', 'remove']);
  });

  it('is taken down after an internal error, which is shown', async () => {
    const { seen, site, options } = diary(fails(new TypeError('undefined is no function')));
    await assert.rejects(play(planned, site, options), TypeError);
    assert.deepEqual(seen.slice(-2), ['down', 'remove']);
  });
});

/** A clock that rings at once. */
const hasty: Clock = {
  now: () => 0,
  after: (_, then) => {
    const ring = setImmediate(then);
    return () => clearImmediate(ring);
  },
};
const never = () => new Promise<never>(() => {});

describe('a play that cannot be taken down', () => {
  it('ends nevertheless, and names the run', async () => {
    const { site, options } = diary({ remove: never });
    const removal: Site = { ...site, clock: { ...site.clock, after: hasty.after } };
    await assert.rejects(
      play(planned, removal, options),
      /EnvironmentError: run \w+ is not taken down after 60 s/,
    );
  });

  it('ends with the error that broke it, although its nodes are still being made', async () => {
    const { site, options } = diary({ start: never, remove: never, clock: hasty });
    await assert.rejects(play(planned, site, options), /run \w+ is not taken down after 60 s/);
  });

  it('gives up making room after a time', async () => {
    const { site, options } = diary({ others: never, clock: hasty });
    await assert.rejects(
      makeRoom('small', site, { ...options, keep: false, replace: false }),
      /10 s have passed while waiting for the list of the runs that are up/,
    );
  });
});

describe('room for a play', () => {
  const up = { run: 'aa', topology: 'small', kept: true, launcher: 'process' } as Run;
  const others = async () => [up];

  it('exists unless a topology of the same name is up', async () => {
    const { site, options } = diary({ others });
    await makeRoom('large', site, { ...options, keep: true, replace: false });
    await assert.rejects(
      makeRoom('small', site, { ...options, keep: true, replace: false }),
      EnvironmentError,
    );
    await makeRoom('small', site, { ...options, keep: false, replace: false });
  });

  it('is made on request', async () => {
    const { seen, site, options } = diary({ others });
    await makeRoom('small', site, { ...options, keep: true, replace: true });
    assert.deepEqual(seen, ['replace', 'remove']);
  });
});
