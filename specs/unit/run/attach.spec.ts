// SPDX-License-Identifier: MIT
// Attaching in batches: the order of the file, one batch for each stretch of one node, and what an error names.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { NodeOrder } from '../../../runner/agent/protocol.ts';
import { Deadline } from '../../../runner/common/deadline.ts';
import { run } from '../../../runner/run/index.ts';
import { FakeLab, hi, planOf, type Script } from './fake-lab.ts';

const CROWD = `
nodes: { n: {}, m: {} }
buses: { cabin: { master: { node: n } } }
clients:
  a: { node: n, replicas: 150 }
  b: { node: m }
  c: { node: n, replicas: 49 }
traffic: [${hi('a-0', 'c-48')}]
`;
const NAMES = [
  ...Array.from({ length: 150 }, (_, i) => `a-${i}`),
  'b',
  ...Array.from({ length: 49 }, (_, i) => `c-${i}`),
];

/** Plays it; `batches` are the sizes of the lists of orders that nodes got in turn, by what their first order is. */
async function play(script?: Script) {
  const lab = new FakeLab(['n', 'm'], script);
  const batches: Record<string, number[]> = {};
  for (const node of lab.nodes.values()) {
    const tell = node.tell.bind(node);
    node.tell = (order: NodeOrder) => {
      if (order.do === 'tell-in-turn') {
        const first = order.orders[0]?.order.do ?? 'none';
        batches[first] = [...(batches[first] ?? []), order.orders.length];
      }
      tell(order);
    };
  }
  const progress: string[] = [];
  const options = { deadline: new Deadline(20_000), progress: (text: string) => void progress.push(text) };
  const end = run(planOf(CROWD), lab, options);
  return { lab, end, batches, progress };
}

const connected = (lab: FakeLab) =>
  lab.orders.filter((line) => line.endsWith(' connect')).map((line) => line.split(' ')[0]);

describe('attaching', () => {
  it('counts addresses up in the order of the file, over nodes and batches', async () => {
    const { lab, end, batches } = await play();
    const { attaches } = await end;
    assert.deepEqual(connected(lab), NAMES);
    assert.deepEqual(
      attaches.map(({ client, address }) => [client, address]),
      NAMES.map((name, i) => [name, `0000/${(i + 1).toString(16).padStart(12, '0')}`]),
    );
    // The master accepts a hundred, lets them join, and goes on to the next.
    assert.deepEqual(batches, { connect: [150, 1, 49], name: [200, 200] });
  });

  it('has every policy in force before the first step', async () => {
    const { lab, end } = await play();
    await end;
    const joins = lab.orders.filter((line) => line === 'cabin.master join').length;
    assert.equal(joins, NAMES.length);
    assert.ok(lab.orders.lastIndexOf('cabin.master join') < lab.orders.indexOf('a-0 send'));
  });

  it('reports how many clients are attached', async () => {
    const { end, progress } = await play();
    await end;
    for (const what of ['connected', 'attached'])
      assert.deepEqual(
        progress.filter((text) => text.startsWith(what)),
        [`${what} 100 of 200 clients`, `${what} 200 of 200 clients`],
      );
  });

  it('ends at an error amid a batch: names the client and its line, and connects none after it', async () => {
    const { lab, end } = await play((agent, { do: what, id }, { time }) =>
      agent === 'a-77' && what === 'connect'
        ? [{ say: 'failed', id, t: time, error: { code: 'EACCES', message: 'EACCES: no' } }]
        : undefined,
    );
    await assert.rejects(end, /a-77 to connect to \/run\/bus\/cabin \([^)]*test\.topo\.yaml:7\): EACCES: no/);
    assert.equal(connected(lab).at(-1), 'a-77');
  });

  it('ends at a refused policy: names the client and its line', async () => {
    let joins = 0;
    const { end } = await play((_, { do: what, id }, { time }) =>
      what === 'join' && ++joins === 151
        ? [{ say: 'failed', id, t: time, error: { code: 'EPERM', message: 'EPERM: no' } }]
        : undefined,
    );
    await assert.rejects(end, /cabin\.master to let b join \([^)]*test\.topo\.yaml:8\): EPERM: no/);
  });
});
