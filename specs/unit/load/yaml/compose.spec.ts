// SPDX-License-Identifier: MIT
// Variables, defaults, includes and matrices: what a topology is put together from.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type LoadOptions, load, renderDiagnostics } from '../../../../runner/load/index.ts';
import { coreScalar } from '../../../../runner/load/yaml/variables.ts';
import type { Topology } from '../../../../runner/topology/topology.ts';

function all(source: string, options: LoadOptions = {}): readonly Topology[] {
  const loaded = load('spec.topo.yaml', { source, ...options });
  assert.ok(loaded.topologies.length > 0, renderDiagnostics(loaded.diagnostics, loaded.sources));
  return loaded.topologies;
}
const one = (source: string, options?: LoadOptions): Topology => all(source, options)[0] as Topology;
const reading = (files: Readonly<Record<string, string>>): LoadOptions => ({
  read: (file) => {
    const text = files[file];
    return text === undefined ? { words: { code: 'file', message: 'there is no such file' } } : { text };
  },
});

describe('a scalar of variables', () => {
  it('is read like an unquoted one of YAML 1.2', () => {
    const cases: [string, unknown][] = [
      ['', null],
      ['~', null],
      ['true', true],
      ['False', false],
      ['yes', 'yes'],
      ['12', 12],
      ['-3', -3],
      ['0x1F', 31],
      ['0o17', 15],
      ['1.5', 1.5],
      ['1e3', 1000],
      ['.5', 0.5],
      ['1.2.3', '1.2.3'],
      ['a: b', 'a: b'],
      ['0x', '0x'],
    ];
    for (const [text, value] of cases) assert.deepEqual(coreScalar(text), value, text);
  });

  it('is a number or a flag, in quotes or not', () => {
    const { buses, clients } = one(
      'buses:\n  cabin:\n    queueLength: ${N}\n    sendBuffer: ${N}KiB\nclients: { a: { join: "${J}" } }',
      { set: { N: '7', J: 'false' } },
    );
    assert.deepEqual([buses[0]?.queueLength, buses[0]?.sendBuffer], [7, 7168]);
    assert.equal(clients[0]?.join, false);
  });

  it('is a text where one is wanted', () => {
    const { steps, nodes } = one(
      `nodes: { ecu: { env: { V: "\${V}", W: "\${V}0" } } }
buses: { cabin: {} }
clients: { a: {}, b: {} }
traffic:
  - a -> b: "\${N}"
    expect: { recipients: [b] }
  - a -> b: "\${NONE:-}"
    expect: { recipients: [b] }`,
      { set: { N: '7', V: '1.1' } },
    );
    const texts = steps.map((step) => step.kind === 'send' && Buffer.from(step.payload ?? []).toString());
    assert.deepEqual(texts, ['7', '']);
    assert.deepEqual(nodes[0]?.env, { V: '1.1', W: '1.10' });
  });

  it('takes --set before a default, and nothing that it was not given', () => {
    const name = (options: LoadOptions) => one('name: "${A:-c}"\nbuses: { cabin: {} }', options).name;
    assert.equal(name({ set: { A: 'a' } }), 'a');
    process.env.A = 'secret';
    try {
      assert.equal(name({}), 'c');
      const { diagnostics } = load('x', { source: 'name: "${A}"\nbuses: { cabin: {} }' });
      assert.equal(diagnostics[0]?.code, 'unset-variable');
      assert.doesNotMatch(JSON.stringify(diagnostics), /secret/);
    } finally {
      delete process.env.A;
    }
  });

  it('may contain $$ for $; a single $ stands for itself', () => {
    assert.equal(one('description: "$$ $${A} $A $"\nbuses: { cabin: {} }').description, '$ ${A} $A $');
  });

  it('gets a warning if --set gives one that no file uses', () => {
    const { diagnostics } = load('x', {
      source: 'buses: { cabin: { path: "${PATHH:-/run/x}" } }',
      set: { PATH: '/y' },
    });
    assert.deepEqual(
      diagnostics.map(({ severity, message, hint }) => [severity, message, hint]),
      [['warning', 'nothing uses the variable PATH that --set gives', 'Did you mean "PATHH"?']],
    );
  });

  it('is never looked up in what every object has', () => {
    const { diagnostics } = load('x', {
      source: 'buses: { cabin: { path: "${constructor}" } }',
    });
    assert.equal(diagnostics[0]?.code, 'unset-variable');
  });
});

describe('defaults', () => {
  it('fill in what nodes, buses and clients leave out, map by map', () => {
    const { nodes, buses, clients } = one(`
defaults:
  nodes: { env: { A: 1, B: 2 } }
  buses: { queueLength: 3, master: { admit: [camera] } }
  clients: { user: "5:6", groups: [g] }
nodes: { ecu: { env: { B: 3 } } }
buses: { cabin: { master: { deny: [{ uid: 9 }] } } }
groups: { g: { prefix: 1 } }
clients: { camera:, lidar: { groups: [], user: "0:0" } }`);
    assert.deepEqual(nodes[0]?.env, { A: '1', B: '3' });
    assert.equal(buses[0]?.queueLength, 3);
    assert.deepEqual(buses[0]?.master, { node: 'ecu', admit: ['camera'], deny: [{ uid: 9 }] });
    assert.deepEqual(
      clients.map(({ user, groups }) => [user.uid, groups]),
      [
        [5, ['g']],
        [0, []],
      ],
    );
  });

  it('of sends do not apply if a payload sets the same', () => {
    const { steps } = one(`
defaults: { sends: { size: 1KiB, count: 2 } }
buses: { cabin: {} }
clients: { a: {}, b: {} }
traffic:
  - a -> b: "x"
    expect: { recipients: [b] }
  - send: { from: a, to: b, count: 3 }
    expect: { recipients: [b] }`);
    const sends = steps.map(
      (step) => step.kind === 'send' && [step.count, step.size?.max, step.payload?.length],
    );
    assert.deepEqual(sends, [
      [2, undefined, 1],
      [3, 1024, undefined],
    ]);
  });
});

describe('included files', () => {
  it('have keys of their own for anchors', () => {
    const part = (name: string) => `x-base: &base { user: "1:2" }\nclients: { ${name}: *base }`;
    const { clients } = one(
      'include: [a.yaml, b.yaml]\nx-base: &base { user: "3:4" }\nbuses: { cabin: {} }\nclients: { c: *base }',
      reading({ 'a.yaml': part('a'), 'b.yaml': part('b') }),
    );
    assert.deepEqual(
      clients.map(({ name, user }) => `${name} ${user?.uid}`),
      ['a 1', 'b 1', 'c 3'],
    );
  });

  it('add their parts, their steps come first, and the including file overrides them', () => {
    const { name, clients, steps, buses, file } = one(
      `include: [parts/a.yaml, parts/b.yaml]
buses: { cabin: {} }
clients: { own: {} }
traffic:
  - own -> a: "3"
    expect: { recipients: [a] }`,
      reading({
        'parts/a.yaml':
          'name: ignored\ninclude: [b.yaml]\ndefaults: { buses: { queueLength: 4 } }\nclients: { a: {} }\ntraffic:\n  - a -> b: "1"\n    expect: { recipients: [b] }',
        'parts/b.yaml': 'clients: { b: {} }\ndefaults: { buses: { queueLength: 5, sendBuffer: 1KiB } }',
      }),
    );
    assert.deepEqual([name, file], ['spec', 'spec.topo.yaml']);
    assert.deepEqual(
      clients.map((client) => [client.name, client.place.file, client.place.line]),
      [
        ['b', 'parts/b.yaml', 1],
        ['a', 'parts/a.yaml', 4],
        ['own', 'spec.topo.yaml', 3],
      ],
    );
    assert.deepEqual(
      steps.map((step) => [step.id, step.place.file]),
      [
        ['1', 'parts/a.yaml'],
        ['2', 'spec.topo.yaml'],
      ],
    );
    assert.deepEqual([buses[0]?.queueLength, buses[0]?.sendBuffer], [4, 1024]);
  });

  it('may be named by variables', () => {
    const { clients } = one('include: ["${KIND}.yaml"]\nbuses: { cabin: {} }', {
      ...reading({ 'big.yaml': 'clients: { a: {} }' }),
      set: { KIND: 'big' },
    });
    assert.equal(clients[0]?.name, 'a');
  });

  it('add to the lists of expectations', () => {
    const { deliveries } = one(
      `include: [a.yaml]
buses: { cabin: {} }
clients: { a: {}, b: {} }
traffic: [{ send: { from: a, to: b, as: y } }]
expect: { deliveries: [{ to: b, message: y }] }`,
      reading({
        'a.yaml':
          'traffic: [{ send: { from: b, to: a, as: x } }]\nexpect: { deliveries: [{ to: a, message: x }] }',
      }),
    );
    assert.deepEqual(
      deliveries.map(({ message }) => message),
      ['x', 'y'],
    );
  });

  it('keep their budgets, whatever the including file adds, and refuse another value for one', () => {
    const including = (latency: string) => `include: [a.yaml]
buses: { cabin: {} }
clients: { a: {}, b: {} }
traffic: [a -> b: "x"]
expect: { latency: ${latency} }`;
    const part = reading({ 'a.yaml': 'expect: { latency: { p99: 50ms }, throughput: { min: 1/s } }' });
    const { budgets } = one(including('{ max: 2s }'), part);
    assert.deepEqual(
      budgets.map(({ figure, limit }) => [figure, limit]),
      [
        ['p99', 50],
        ['max', 2000],
        ['throughput', 1],
      ],
    );
    const { diagnostics } = load('spec.topo.yaml', { source: including('{ p99: 1m }'), ...part });
    assert.deepEqual(
      diagnostics.map(({ line, severity, message }) => `${line} ${severity}: ${message}`),
      ['5 error: "p99" is there already, at a.yaml:1:22'],
    );
  });
});

describe('a matrix', () => {
  const source = `
name: scale
matrix: { n: [2, 3], policy: [block, fail] }
buses: { cabin: { overflow: "\${policy}" } }
clients: { tool: { replicas: "\${n}" } }`;

  it('gives one topology for each combination, named after it', () => {
    assert.deepEqual(
      all(source).map(({ name, combination, clients, buses }) => [
        name,
        combination?.n,
        clients.length,
        buses[0]?.overflow,
      ]),
      [
        ['scale.n=2.policy=block', '2', 2, 'block'],
        ['scale.n=2.policy=fail', '2', 2, 'fail'],
        ['scale.n=3.policy=block', '3', 3, 'block'],
        ['scale.n=3.policy=fail', '3', 3, 'fail'],
      ],
    );
  });

  it('is pinned by --set', () => {
    const names = all(source, { set: { n: '9' } }).map((each) => each.name);
    assert.deepEqual(names, ['scale.n=9.policy=block', 'scale.n=9.policy=fail']);
  });

  it('keeps values as they are written', () => {
    const [first] = all('matrix: { v: [1.10] }\nbuses: { cabin: {} }\ndescription: "v${v}"');
    assert.equal(first?.description, 'v1.10');
  });
});
