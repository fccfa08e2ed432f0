// SPDX-License-Identifier: MIT
// What would be started and sent, and what must come of it, without starting anything.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Overview, StepView } from '../../../runner/write/overview.ts';
import { fold } from '../../../runner/write/plan.ts';
import { cli, folder } from '../../helpers/cli.ts';

const TOPOLOGY = `
name: cabin-sensors
description: A plan shows all of it.
buses: { cabin: { queueLength: 2 } }
groups: { sensors: { prefix: 1 } }
clients:
  camera: {}
  tool: { replicas: 4, groups: [sensors] }
  slow: { receive: manual, user: "1000:100" }
  ear: { eavesdrop: true }
traffic:
  - camera -> sensors: "frame"
    expect: { recipients: [sensors, ear] }
  - send: { from: camera, to: slow, count: 6, nonblocking: true }
    expect: model
  - parallel:
      - send: { from: cabin.master, to: cabin, count: 3, size: 64..4KiB }
      - - expect: { client: camera, blocked: true, within: 2s }
        - fault: { read: slow }
  - fault: { kill: tool-1 }
  - camera -> 0002/00000000f00d: "anybody?"
    expect: { recipients: [cabin.master, ear] }
`;

async function planOf(source: string, ...flags: string[]) {
  using files = folder({ 'spec.topo.yaml': source });
  return await cli(['plan', ...flags, 'spec.topo.yaml'], { cwd: files.path('.') });
}

async function overview(source: string): Promise<Overview> {
  const { code, stdout, stderr } = await planOf(source, '--format', 'json');
  assert.deepEqual([code, stderr], [0, '']);
  return JSON.parse(stdout) as Overview;
}

describe('plan', () => {
  it('prints a table of processes and one of steps', async () => {
    const { code, stdout } = await planOf(TOPOLOGY);
    assert.equal(code, 0);
    assert.equal(
      stdout,
      `cabin-sensors: A plan shows all of it.

NODE          PROCESSES
cabin-master  cabin.master
clients       camera, tool-0 … tool-3, slow, ear

STEP    LINE  WHAT                         MESSAGES  BYTES     MUST HAPPEN
1       12    camera -> sensors            1         37        tool-0 … tool-3, ear
2       14    camera -> slow               1-3       64        slow, ear
                                           4-6                 EAGAIN
3       16    parallel, 2 branches
3.b1.1  17    cabin.master -> cabin        3         64..4096  camera, tool-0 … tool-3, slow, ear
3.b2.1  18    expect camera blocked within 2 s
3.b2.2  19    read slow count all
4       20    kill tool-1
5       21    camera -> 0002/00000000f00d  1         40        cabin.master, ear

8 processes on 2 nodes; 11 messages of 5676 bytes in all, 34 deliveries
`,
    );
  });

  it('says which rules of the contract the model goes by, and none if the file says what must happen', async () => {
    const { stdout } = await planOf(TOPOLOGY, '--why');
    const reasons = stdout.split('\n').filter((line) => line.includes('because'));
    assert.equal(reasons.length, 3);
    assert.match(reasons.join('\n'), /needs room and may not wait for it \(section 4\)/);
  });

  it('as JSON lists messages separately if different outcomes are expected of them', async () => {
    const { steps, totals, nodes } = await overview(TOPOLOGY);
    assert.deepEqual(totals.processes, 8);
    assert.deepEqual(totals.messages, 11);
    assert.deepEqual(nodes[1]?.processes[5], {
      name: 'slow',
      role: 'client',
      bus: 'cabin',
      user: '1000:100',
    });
    const send = steps[1] as Extract<StepView, { kind: 'send' }>;
    assert.deepEqual(
      send.expected.map((each) => [each.first, each.count, each.recipients, each.errors, each.mustFail]),
      [
        [1, 3, ['slow', 'ear'], [], false],
        [4, 3, [], ['EAGAIN'], true],
      ],
    );
    assert.deepEqual(
      steps.map(({ id, kind }) => `${id} ${kind}`),
      [
        '1 send',
        '2 send',
        '3 parallel',
        '3.b1.1 send',
        '3.b2.1 blocked',
        '3.b2.2 fault',
        '4 fault',
        '5 send',
      ],
    );
  });

  it('shows which clients share a process', async () => {
    const packed =
      'launcher: { process: { pack: 2 } }\nbuses: { b: {} }\nclients: { c: { replicas: 5 } }\ntraffic: [c-0 -> b: "x"]\n';
    const { stdout } = await planOf(packed);
    assert.match(stdout, /^clients +\[c-0, c-1\], \[c-2, c-3\], c-4$/m);
    assert.match(stdout, /^4 processes on 2 nodes/m);
  });

  it('says how many descriptors each client gets, if that is not all', async () => {
    const limited = `buses: { b: {} }
clients: { a: {}, c: {}, slow: { receive: manual } }
traffic:
  - fault: { limit: c, fds: 1 }
  - parallel:
      - send: { from: a, to: b, fds: [{ pipe: p }, { pipe: q }] }
      - fault: { limit: slow, fds: 0 }
      - fault: { read: slow }
`;
    const { stdout } = await planOf(limited);
    assert.match(stdout, / a, c \(1 of 2 descriptors\), slow \(0 or 2 of 2 descriptors\)$/m);
    const { steps } = await overview(limited);
    const send = steps[2] as Extract<StepView, { kind: 'send' }>;
    assert.deepEqual(send.fdsAt, { c: [1], slow: [0, 2] });
  });

  it('says how far memory is limited', async () => {
    const limited = `buses: { b: { sendBuffer: 2MiB, queueLength: 40 } }
clients: { a: {}, slow: { receive: manual } }
traffic:
  - parallel:
      - send: { from: a, to: slow, count: 40, size: 64KiB }
      - fault: { limit: a, memory: 1MiB }
`;
    const { stdout } = await planOf(limited);
    assert.match(stdout, / limit a memory 1MiB$/m);
  });

  it('is one document for each combination of a matrix', async () => {
    const matrix =
      'matrix: { n: [2, 3] }\nbuses: { b: {} }\nclients: { c: { replicas: "${n}" } }\ntraffic: [c-0 -> b: "x"]\n';
    const { stdout } = await planOf(matrix, '--format', 'json');
    const documents = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Overview);
    assert.deepEqual(
      documents.map(({ totals }) => totals.processes),
      [3, 4],
    );
  });

  it('of a broken file shows all its mistakes', async () => {
    const { code, stdout, stderr } = await planOf('buses: { cabin: { queue: 3 } }');
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /spec\.topo\.yaml:1:19: error: unknown key "queue"/);
  });

  it('abbreviates many replicas to two', () => {
    assert.deepEqual(fold(['a', 't-0', 't-1', 't-2', 'u-7', 'u-8', 't-4']), [
      'a',
      't-0 … t-2',
      'u-7',
      'u-8',
      't-4',
    ]);
  });
});
