// SPDX-License-Identifier: MIT
// Whatever breaks ends the run at once, says what was going on, and leaves the trace so far.
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { describe, it } from 'mocha';
import { type Clock, wallClock } from '../../../runner/common/clock.ts';
import { Deadline } from '../../../runner/common/deadline.ts';
import {
  AgentCrashed,
  EnvironmentError,
  HostDied,
  Interrupted,
  RunTimeout,
} from '../../../runner/common/errors.ts';
import { run } from '../../../runner/run/index.ts';
import type { Trace } from '../../../runner/trace/trace.ts';
import { FakeLab, type FakeNode, hi, planOf, type Script } from './fake-lab.ts';

const PLAN = planOf(`
nodes: { n: {} }
buses: { cabin: { master: { node: n } } }
clients: { camera: { node: n }, lidar: { node: n } }
traffic: [${hi('camera', 'lidar')}, ${hi('lidar', 'camera')}]
`);

/** Plays until lidar is told to send, which it never answers; then `what` happens. */
function stuck(what: (lab: FakeLab) => void): Script {
  return (agent, order, lab) => {
    if (order.do !== 'send' || agent !== 'lidar') return undefined;
    queueMicrotask(() => what(lab));
    return [];
  };
}

async function fails(what: (lab: FakeLab) => void, ms = 5000, signal?: AbortSignal) {
  const lab = new FakeLab(['n'], stuck(what));
  let cut: Trace | undefined;
  const onCut = (trace: Trace) => {
    cut = trace;
  };
  const playing = run(PLAN, lab, { deadline: new Deadline(ms), onCut, ...(signal && { signal }) });
  const error = await playing.then(
    () => assert.fail('it did not fail'),
    (e) => e,
  );
  assert.equal(cut?.cut, error.message);
  assert.deepEqual(
    cut?.steps.map((s) => s.step),
    ['1'],
  );
  return error;
}

describe('a run that breaks', () => {
  it('says at the deadline which step waited for what', async () => {
    const error = await fails(() => {}, 200);
    assert.ok(error instanceof RunTimeout);
    assert.match(
      error.message,
      /^0\.2 s have passed; step 2 \(.*test\.topo\.yaml:7\) waited for lidar to send lidar#1$/,
    );
  });

  it('says at which step an interrupt came', async () => {
    const controller = new AbortController();
    const error = await fails(() => controller.abort(), 5000, controller.signal);
    assert.ok(error instanceof Interrupted);
    assert.match(error.message, /^interrupted; step 2 /);
  });

  it('ends at the deadline, even if a step is due much later, and leaves no timer behind', async () => {
    const plan = planOf(`
nodes: { n: {} }
buses: { cabin: { master: { node: n } } }
clients: { camera: { node: n } }
traffic: [{ fault: { kill: camera, at: 5m } }]
`);
    const waiting = new Set<object>();
    const clock: Clock = {
      ...wallClock,
      after(ms, then) {
        const timer = { forget: wallClock.after(ms, then) };
        waiting.add(timer);
        return () => {
          waiting.delete(timer);
          timer.forget();
        };
      },
    };
    const lab = Object.assign(new FakeLab(['n']), { clock });
    await assert.rejects(run(plan, lab, { deadline: new Deadline(100) }), /waited for its moment, 300000 ms/);
    assert.equal(waiting.size, 0);
  });

  it('ends with an agent that ended unasked, and shows its last words', async () => {
    const error = await fails((lab) => {
      const node = lab.nodeOf('camera');
      node.report({ say: 'stderr', agent: 'camera', text: 'Error: out of luck\n    at here\n' });
      node.report({ say: 'exit', agent: 'camera', code: 1, signal: null });
    });
    assert.ok(error instanceof AgentCrashed);
    assert.equal(error.message, 'the process of camera on node "n" ended by itself with code 1');
    assert.deepEqual(error.lines, ['Error: out of luck', '    at here']);
  });

  it('does not take a queue for empty whose reader was ended meanwhile', async () => {
    const clock: Clock = {
      now: () => wallClock.now() * 200,
      after: (ms, then) => wallClock.after(ms / 200, then),
    };
    let isCut = false;
    const lab = new FakeLab(['n'], (agent, order) => {
      isCut ||= order.do === 'send' && agent === 'lidar';
      return isCut ? [] : undefined;
    });
    const node = lab.nodes.get('n') as FakeNode;
    const { tell } = node;
    node.tell = (order) => {
      if (order.do !== 'end') return tell.call(node, order);
      for (const agent of node.agents) node.report({ say: 'exit', agent, code: null, signal: 'SIGKILL' });
      setTimeout(() => node.report({ say: 'ended', socketsLeft: 0 }), 15);
    };
    let cut: Trace | undefined;
    const onCut = (trace: Trace) => {
      cut = trace;
    };
    const playing = run(PLAN, Object.assign(lab, { clock }), { deadline: new Deadline(100), onCut });
    await assert.rejects(playing, RunTimeout);
    assert.equal(cut?.socketsLeft, 0);
    assert.equal(cut?.readOut, undefined);
  });

  it('reads out for no longer than it may, even if its own clock stands still', async () => {
    const clock: Clock = { now: () => 0, after: () => () => {} };
    let isCut = false;
    const lab = new FakeLab(['n'], (agent, order) => {
      isCut ||= order.do === 'send' && agent === 'lidar';
      return isCut ? [] : undefined;
    });
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const playing = run(PLAN, Object.assign(lab, { clock }), { deadline: new Deadline(1000) });
      let why: unknown;
      playing.catch((error) => {
        why = error;
      });
      while (!isCut) await new Promise(setImmediate);
      for (let seconds = 0; seconds < 30 && why === undefined; seconds++) {
        mock.timers.tick(1000);
        await new Promise(setImmediate);
      }
      assert.ok(why instanceof RunTimeout, `${why}`);
      assert.match(why.message, /waited for lidar to send/);
    } finally {
      mock.timers.reset();
    }
  });

  it('ends if a D-Bus bus cannot be made, and says what is missing', async () => {
    const lab = new FakeLab(['n'], (_, order) => {
      if (order.do !== 'listen') return undefined;
      const error = { code: 'EPROTONOSUPPORT', message: 'EPROTONOSUPPORT: protocol not supported, socket' };
      return [{ say: 'failed', id: order.id, t: 0, error }];
    });
    await assert.rejects(run(PLAN, lab, { deadline: new Deadline(5000) }), (error: EnvironmentError) => {
      assert.ok(error instanceof EnvironmentError);
      assert.match(error.message, /cabin\.master to listen at .*: EPROTONOSUPPORT/);
      assert.match(error.hint ?? '', /no nfdbus/);
      return true;
    });
  });

  it('ends with an environment error that names the node that ended', async () => {
    const error = await fails((lab) => lab.nodes.get('n')?.close('its stream ended'));
    assert.ok(error instanceof EnvironmentError);
    assert.match(error.message, /^node "n" ended during the run: its stream ended$/);
  });

  it('ends with the error of a host that died', async () => {
    const died = new HostDied('the kernel panicked', 'look');
    assert.equal(await fails((lab) => lab.break(died)), died);
  });
});
