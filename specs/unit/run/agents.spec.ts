// SPDX-License-Identifier: MIT
// Which ends of processes the run wants.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Interrupted } from '../../../runner/common/errors.ts';
import { Agents } from '../../../runner/run/agents.ts';
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
