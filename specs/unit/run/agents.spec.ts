// SPDX-License-Identifier: MIT
// Which ends of processes the run wants, and which answers it awaits.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Order } from '../../../runner/agent/protocol.ts';
import { Interrupted } from '../../../runner/common/errors.ts';
import { Agents, type Call } from '../../../runner/run/agents.ts';
import { Collector } from '../../../runner/trace/collect.ts';
import { FakeLab, hi, planOf } from './fake-lab.ts';

const FILE = `
nodes: { n: {} }
buses: { cabin: { master: { node: n } } }
clients: { camera: { node: n }, lidar: { node: n } }
traffic: [${hi('camera', 'lidar')}]
`;

describe('a limit of memory', () => {
  it('may end its process after the run was ended: no limit goes with the run', async () => {
    const lab = new FakeLab(['n']);
    lab.limited = (agent) => [{ say: 'stderr', agent, text: '' }];
    const collector = new Collector();
    const agents = new Agents(planOf(FILE).agents, lab, collector);
    await agents.spawn(() => ({}));
    const limited = agents.limitMemory('camera', 1 << 20, { what: 'the end of camera' });
    agents.abort(new Interrupted('enough', 'none'));
    await assert.rejects(limited, { message: 'enough' });
    lab.nodes.get('n')?.report({ say: 'exit', agent: 'camera', code: null, signal: 'SIGKILL' });
    const { exits } = collector.trace();
    assert.deepEqual(exits, [{ agent: 'camera', code: null, signal: 'SIGKILL', wanted: true }]);
  });
});

describe('orders in turn', () => {
  it('are awaited no more after one of them has failed, since nobody carries them out', async () => {
    const lab = new FakeLab(['n'], (_, { do: what, id }, { time: t }) =>
      what === 'join'
        ? [{ say: 'failed', id, t, error: { code: 'EPERM', message: 'EPERM: no' } }]
        : undefined,
    );
    const agents = new Agents(planOf(FILE).agents, lab, new Collector());
    await agents.spawn(() => ({}));
    const call = (order: Order): Call => ({
      ...{ agent: 'cabin.master', order },
      purpose: { what: `${order.do}` },
    });
    const client = 'lidar';
    const answers = agents.callInTurn([
      call({ do: 'set-name', client, name: 'a.b' }),
      call({ do: 'join', client }),
      call({ do: 'add-address', client, address: '0002/000000000001' }),
      call({ do: 'eavesdrop', client, on: true }),
    ]);
    const ends = await Promise.allSettled(answers);
    assert.deepEqual(
      ends.map((end) => (end.status === 'rejected' ? end.reason.message : 'done')),
      ['done', 'join: EPERM: no', 'join: EPERM: no', 'join: EPERM: no'],
    );
    assert.deepEqual(agents.waits.list(), []);
  });
});
