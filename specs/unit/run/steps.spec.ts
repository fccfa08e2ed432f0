// SPDX-License-Identifier: MIT
// What the walker orders, and in which order: set-up, sends, what settles a step, and the end.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Deadline } from '../../../runner/common/deadline.ts';
import { run } from '../../../runner/run/index.ts';
import { done, FakeLab, hi, planOf, type Script } from './fake-lab.ts';

const CABIN = `
nodes: { n: {} }
buses: { cabin: { master: { node: n } } }
clients: { camera: { node: n }, lidar: { node: n }, slow: { node: n, receive: manual } }
`;

async function play(yaml: string, script?: Script) {
  const lab = new FakeLab(['n'], script);
  const trace = await run(planOf(yaml), lab, { deadline: new Deadline(5000) });
  return { lab, trace };
}

const from = (orders: readonly string[], first: string) => orders.slice(orders.indexOf(first));

describe('run', () => {
  it('listens, connects in file order, names, and applies the policy before the first step', async () => {
    const { lab, trace } = await play(`${CABIN}traffic: [${hi('camera', 'lidar')}]`);
    assert.deepEqual(lab.orders.slice(0, 11), [
      'cabin.master listen',
      'camera connect',
      'lidar connect',
      'slow connect',
      'cabin.master name',
      'cabin.master name',
      'cabin.master name',
      'cabin.master join',
      'cabin.master join',
      'cabin.master join',
      'camera send',
    ]);
    assert.deepEqual(
      trace.attaches.map((a) => [a.client, a.address, a.joined]),
      [
        ['camera', '0000/000000000001', true],
        ['lidar', '0000/000000000002', true],
        ['slow', '0000/000000000003', true],
      ],
    );
  });

  it('settles by a fence if every joined client reads', async () => {
    const { lab, trace } = await play(
      `${CABIN.replace(', receive: manual', '')}traffic: [${hi('camera', 'lidar')}]`,
    );
    assert.deepEqual(from(lab.orders, 'camera send').slice(0, 6), [
      'camera send',
      'cabin.master fence',
      'cabin.master drain',
      'camera await-fence',
      'lidar await-fence',
      'slow await-fence',
    ]);
    // It began when the send was over, as far as any report said.
    const t0 = trace.sends[0]?.t1 ?? 0;
    assert.ok((trace.fences[0]?.t0 ?? 0) > t0);
    assert.deepEqual(trace.fences[0], {
      bus: 'cabin',
      number: 1,
      t0: trace.fences[0]?.t0,
      sender: 'cabin.master@camera',
      lanes: ['camera', 'lidar', 'slow'],
    });
  });

  it('sends no fence into the queue of a client that does not read', async () => {
    const { lab } = await play(`${CABIN}traffic: [${hi('camera', 'slow')}]`);
    assert.deepEqual(from(lab.orders, 'camera send').slice(0, 4), [
      'camera send',
      'camera drain',
      'lidar drain',
      'cabin.master drain',
    ]);
  });

  it('empties the lanes before a fence on a bus that fails or evicts', async () => {
    const yaml = CABIN.replace('cabin: {', 'cabin: { overflow: evict,').replace(', receive: manual', '');
    const { lab } = await play(`${yaml}traffic: [${hi('camera', 'lidar')}]`);
    const after = from(lab.orders, 'camera send');
    assert.ok(after.indexOf('slow drain') < after.indexOf('cabin.master fence'), after.join());
  });

  it('sends no fence on a D-Bus bus whose master has left: no client would get it', async () => {
    const dbus = CABIN.replace('{ master: { node: n } }', '{ protocol: dbus, master: { node: n } }');
    const { lab } = await play(
      `${dbus.replace(', receive: manual', '')}traffic: [${hi('camera', 'lidar')}, { fault: { leave: cabin.master } }, ${hi('camera', 'lidar')}]`,
    );
    const fences = lab.orders.filter((order) => order.endsWith(' fence'));
    assert.deepEqual(fences, ['cabin.master fence']);
    assert.ok(from(lab.orders, 'cabin.master leave').includes('lidar drain'));
  });

  it('gives a client its match rules and names before it joins, and takes and gives more', async () => {
    const dbus = CABIN.replace('{ master: { node: n } }', '{ protocol: dbus, master: { node: n } }').replace(
      'lidar: { node: n }',
      `lidar: { node: n, match: ["type='signal'", "path='/x'"], names: [a.B] }`,
    );
    const rule = `lidar, rule: "type='signal'"`;
    const { lab } = await play(
      `${dbus}traffic: [{ fault: { add-match: ${rule} } }, { fault: { remove-match: ${rule} } }]`,
    );
    const policy = lab.orders.filter((order) => / (join|add-match|remove-match|set-name)$/.test(order));
    assert.deepEqual(policy, [
      'cabin.master join',
      'cabin.master add-match',
      'cabin.master add-match',
      'cabin.master set-name',
      'cabin.master join',
      'cabin.master join',
      'cabin.master add-match',
      'cabin.master remove-match',
    ]);
  });

  it('lets a client fence a bus whose master has left', async () => {
    const yaml = CABIN.replace(', receive: manual', '');
    const { lab } = await play(`${yaml}traffic: [fault: { leave: cabin.master }, ${hi('camera', 'lidar')}]`);
    const after = from(lab.orders, 'camera send');
    assert.equal(after[1], 'camera fence');
    assert.ok(!after.includes('cabin.master drain'), after.join());
  });

  it('reads at the end what clients have left that did not read or were paused', async () => {
    const yaml = `${CABIN}traffic: [${hi('camera', 'slow')}, fault: { pause: lidar }]`;
    const { lab, trace } = await play(yaml);
    const after = from(lab.orders, 'lidar SIGSTOP');
    assert.ok(after.includes('lidar SIGCONT') && after.includes('slow read'), after.join());
    assert.equal(trace.socketsLeft, 0);
    assert.ok(trace.exits.every((e) => e.wanted));
  });

  it('records every step, those of branches too, within its window of the clock', async () => {
    const yaml = `${CABIN}traffic: [parallel: [${hi('camera', 'lidar')}, [${hi('lidar', 'camera')}, ${hi('camera', 'lidar')}]]]`;
    const { trace } = await play(yaml);
    assert.deepEqual(trace.steps.map((s) => s.step).sort(), ['1', '1.b1.1', '1.b2.1', '1.b2.2']);
    for (const { t0, t1 } of trace.steps) assert.ok(t0 < t1);
  });

  it('reports a fault without effect as a failure of its step, and goes on', async () => {
    const refuse: Script = (_, order, lab) =>
      order.do === 'expel'
        ? [{ say: 'failed', id: order.id, t: lab.tick(), error: { code: 'EINVAL', message: 'EINVAL: no' } }]
        : undefined;
    const { trace } = await play(
      `${CABIN}traffic: [fault: { expel: slow }, ${hi('camera', 'lidar')}]`,
      refuse,
    );
    assert.deepEqual(trace.steps[0]?.failure, {
      check: 'errors',
      expected: 'expel slow succeeds',
      observed: 'cabin.master to do "expel slow": EINVAL: no',
    });
    assert.equal(trace.sends.length, 1);
  });

  const LIMITED = `${CABIN.replace('cabin: {', 'cabin: { sendBuffer: 2MiB,')}traffic:
  - parallel:
      - send: { from: camera, to: slow, count: 11, size: 100KiB }
      - fault: { limit: camera, memory: 1MiB }`;

  it('wants the kernel, and nothing else, to end a client at its limit of memory', async () => {
    const { trace } = await play(LIMITED);
    assert.deepEqual(trace.exits[0], { agent: 'camera', code: null, signal: 'SIGKILL', wanted: true });
    const crashing = new FakeLab(['n']);
    crashing.limited = (agent) => [{ say: 'exit', agent, code: 1, signal: null }];
    await assert.rejects(run(planOf(LIMITED), crashing, { deadline: new Deadline(5000) }), {
      message: /the process of camera .* ended by itself with code 1/,
    });
  });

  it('reports a limit of memory that could not be set', async () => {
    const lab = new FakeLab(['n']);
    const error = { code: 'EROFS', message: 'EROFS: no cgroups here' };
    lab.limited = (agent) => [{ say: 'not-limited', agent, error }];
    const trace = await run(planOf(LIMITED), lab, { deadline: new Deadline(5000) });
    const { failure } = trace.steps.find(({ step }) => step === '1.b2.1') ?? {};
    assert.equal(failure?.expected, 'limit camera memory 1MiB succeeds');
    assert.match(failure?.observed ?? '', /: EROFS: no cgroups here$/);
    assert.deepEqual(
      trace.exits.map(({ wanted }) => wanted),
      trace.exits.map(() => true),
    );
  });

  it('takes a sender for blocked only if the same send waits before and after everyone has read', async () => {
    const messages = [7, 8, 8, 8];
    const script: Script = (_, order, lab) =>
      order.do === 'await-blocked'
        ? [done(lab, order, { blocked: true, message: messages.shift() })]
        : undefined;
    const { lab, trace } = await play(`${CABIN}traffic: [expect: { client: camera, blocked: true }]`, script);
    assert.equal(lab.orders.filter((t) => t === 'camera await-blocked').length, 4);
    assert.equal(trace.steps[0]?.failure, undefined);
  });

  it('knows what a killed sender may have sent', async () => {
    const script: Script = (_, order, lab) => {
      if (order.do !== 'send') return undefined;
      return [
        {
          say: 'sends',
          list: [
            [order.first, lab.tick(), lab.tick(), null],
            [order.first + 1, lab.tick(), null, null],
          ],
        },
      ];
    };
    const yaml = `${CABIN}traffic:
  - parallel:
      - ${hi('camera', 'lidar', 4)}
      - fault: { kill: camera }`;
    const { trace } = await play(yaml, script);
    assert.deepEqual(
      trace.sends.map((s) => [s.message, s.t1 !== undefined]),
      [
        [0, true],
        [1, false],
        [2, false],
        [3, false],
      ],
    );
  });
});
