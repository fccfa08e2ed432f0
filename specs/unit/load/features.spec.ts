// SPDX-License-Identifier: MIT
// What each part of the language comes to.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ok, send, steps } from './helpers.ts';

describe('nodes and buses', () => {
  it('are made up if the file names none', () => {
    const { nodes, buses, clients } = ok('buses: { cabin: }\nclients: { camera: }');
    assert.deepEqual(
      nodes.map((node) => node.name),
      ['cabin-master', 'clients'],
    );
    assert.equal(buses[0]?.master.node, 'cabin-master');
    assert.equal(clients[0]?.node, 'clients');
  });

  it('get made-up names that are not taken', () => {
    const { nodes } = ok('buses: { cabin: {} }\nclients: { clients: {}, cabin-master: {} }');
    assert.deepEqual(
      nodes.map((node) => node.name),
      ['cabin-master-node', 'clients-node'],
    );
  });

  it('may be left out if there is only one', () => {
    const { buses, clients } = ok('nodes: { ecu: {} }\nbuses: { cabin: {} }\nclients: { camera: {} }');
    assert.equal(buses[0]?.master.node, 'ecu');
    assert.deepEqual([clients[0]?.node, clients[0]?.bus], ['ecu', 'cabin']);
  });

  it('have the defaults of the contract', () => {
    const [bus] = ok('buses: { cabin: {} }').buses;
    assert.deepEqual([bus?.path, bus?.protocol, bus?.overflow], ['/run/bus/cabin', 'none', 'block']);
    assert.deepEqual([bus?.queueLength, bus?.sendBuffer], [undefined, undefined]);
    assert.deepEqual([bus?.master.admit, bus?.master.deny], [['*'], []]);
  });

  it('have numbers with units', () => {
    const [bus] = ok(
      'buses: { cabin: { path: "@x", queueLength: 3, sendBuffer: 16KiB, overflow: evict } }',
    ).buses;
    assert.deepEqual(
      [bus?.path, bus?.queueLength, bus?.sendBuffer, bus?.overflow],
      ['@x', 3, 16384, 'evict'],
    );
  });

  it('hand the environment over as written', () => {
    const { nodes } = ok(
      'nodes: { ecu: { env: { V: 1.10, N: 007, B: true, S: "x", H: 0x10 } } }\nbuses: { cabin: {} }',
    );
    assert.deepEqual(nodes[0]?.env, { V: '1.10', N: '007', B: 'true', S: 'x', H: '0x10' });
  });
});

describe('clients', () => {
  it('are admitted by pattern and denied by user', () => {
    const { clients } = ok(`
buses: { cabin: { master: { admit: [camera, "tool-*", set], deny: [{ uid: 5 }, { uid: 6, gid: 7 }] } } }
clients:
  camera: {}
  tool-a: {}
  tool-b: { user: "5:1" }
  tool-c: { user: "6:1" }
  tool-d: { user: "6:7" }
  other: {}
  set: { replicas: 2 }`);
    const on = clients.filter((client) => client.admitted).map((client) => client.name);
    assert.deepEqual(on, ['camera', 'tool-a', 'tool-c', 'set-0', 'set-1']);
  });

  it('may have replicas, whose addresses count up', () => {
    const { clients } = ok(
      'buses: { cabin: {} }\nclients: { tool: { replicas: 3, addresses: ["0002/00000000000F"] } }',
    );
    assert.deepEqual(
      clients.map((client) => [client.name, client.addresses]),
      [
        ['tool-0', ['0002/00000000000f']],
        ['tool-1', ['0002/000000000010']],
        ['tool-2', ['0002/000000000011']],
      ],
    );
  });

  it('get an address in each of their groups, in file order, around those that are written', () => {
    const { clients } = ok(`
buses: { cabin: {} }
groups: { x: { prefix: 0x10 }, y: { prefix: 1 } }
clients:
  a: { groups: [x, y] }
  b: { groups: [x], addresses: ["0010/000000000002"] }
  c: { groups: [y] }`);
    assert.deepEqual(
      clients.map((client) => client.addresses),
      [
        ['0010/000000000001', '0001/000000000001'],
        ['0010/000000000003', '0010/000000000002'],
        ['0001/000000000002'],
      ],
    );
  });

  it('may hold the same address on two buses', () => {
    const { clients } = ok(`
buses: { a: {}, b: {} }
clients: { x: { bus: a, addresses: ["0002/000000000001"] }, y: { bus: b, addresses: ["0002/000000000001"] } }`);
    assert.deepEqual(clients[0]?.addresses, clients[1]?.addresses);
  });

  it('inherit by anchors and merge keys', () => {
    const { clients } = ok(`
buses: { cabin: {} }
clients:
  a: &base { user: "1:2", receive: manual }
  b: { <<: *base, receive: auto }`);
    assert.deepEqual([clients[1]?.user, clients[1]?.receive], [{ uid: 1, gid: 2 }, 'auto']);
  });

  it('may hold what anchors name under a key of its own', () => {
    const { clients } = ok(`
x-lamp: &lamp { user: "1:2", receive: manual }
buses: { cabin: {} }
clients:
  hall: { <<: *lamp, receive: auto }
  attic: *lamp
x-notes: [anything, { goes: here }]`);
    assert.deepEqual(
      clients.map(({ user, receive }) => [user, receive]),
      [
        [{ uid: 1, gid: 2 }, 'auto'],
        [{ uid: 1, gid: 2 }, 'manual'],
      ],
    );
  });
});

describe('a send', () => {
  it('has a short form', () => {
    const step = send('a -> b: "hi"\n    expect: { recipients: [b] }');
    assert.deepEqual(
      [step.from, step.to],
      [
        { kind: 'client', name: 'a' },
        { kind: 'client', name: 'b' },
      ],
    );
    assert.equal(Buffer.from(step.payload ?? []).toString(), 'hi');
    assert.deepEqual(
      [step.count, step.nonblocking, step.fds, step.place.line, step.place.column],
      [1, false, [], 5, 5],
    );
  });

  it('has a long form', () => {
    const step = send(
      'send: { from: a, to: g, count: 5, size: 64..4KiB, rate: 120/m, fds: [{ pipe: p }], nonblocking: true, as: x }' +
        '\n    expect: { error: EAGAIN }',
    );
    assert.deepEqual([step.count, step.size, step.rate], [5, { min: 64, max: 4096 }, 2]);
    assert.deepEqual([step.fds, step.nonblocking, step.as], [[{ kind: 'pipe', name: 'p' }], true, 'x']);
    assert.deepEqual(step.expect, { error: 'EAGAIN' });
  });

  it('has bytes of any kind, or 64 generated ones', () => {
    const bytes = (payload: string) =>
      send(`send: { from: a, to: b, payload: ${payload} }\n    expect: { recipients: [b] }`).payload;
    assert.deepEqual([...(bytes('{ hex: 00ff }') ?? [])], [0, 255]);
    assert.deepEqual([...(bytes('{ base64: "AP8=" }') ?? [])], [0, 255]);
    assert.deepEqual([...(bytes('"é"') ?? [])], [0xc3, 0xa9]);
    const plain = send('send: { from: a, to: b }\n    expect: { recipients: [b] }');
    assert.deepEqual([plain.payload, plain.size], [undefined, { min: 64, max: 64 }]);
  });

  it('goes to a client, a group, a bus, a master or an address', () => {
    const to = (name: string) => send(`a -> ${name}: "x"\n    expect: { recipients: [] }`).to;
    assert.deepEqual(to('b'), { kind: 'client', name: 'b' });
    assert.deepEqual(to('g'), { kind: 'group', name: 'g' });
    assert.deepEqual(to('cabin'), { kind: 'bus', name: 'cabin' });
    assert.deepEqual(to('cabin.master'), { kind: 'master', bus: 'cabin' });
    assert.deepEqual(to('0002/00000000F00D'), { kind: 'address', address: '0002/00000000f00d' });
  });

  it('of a master goes through an accepted socket', () => {
    const from = (text: string) => send(`${text}\n    expect: { recipients: [] }`).from;
    assert.deepEqual(from('cabin.master -> g: "x"'), { kind: 'master', bus: 'cabin', via: 'a' });
    assert.deepEqual(from('cabin.master -> c: "x"'), { kind: 'master', bus: 'cabin', via: 'c' });
    assert.deepEqual(from('send: { from: cabin.master, to: g, via: b }'), {
      kind: 'master',
      bus: 'cabin',
      via: 'b',
    });
  });

  it('may be as long as the send buffer allows, and longer where EMSGSIZE is expected', () => {
    const bus = 'buses: { cabin: { sendBuffer: 1KiB } }\nclients: { a: {}, b: {} }\ntraffic:\n  - send: ';
    ok(`${bus}{ from: a, to: b, size: 992B }\n    expect: { recipients: [b] }`);
    ok(`${bus}{ from: a, to: b, size: 993B }\n    expect: { error: EMSGSIZE }`);
  });
});

describe('parallel', () => {
  it('has branches of one step or several, with ids that tell where they are', () => {
    const [step] = steps(`
  - parallel:
      - a -> b: "x"
        expect: { recipients: [b] }
      - - fault: { pause: b }
        - fault: { resume: b }
      - parallel:
          - - expect: { client: a, blocked: true, within: 250ms }`);
    assert.equal(step?.kind, 'parallel');
    const branches = step.kind === 'parallel' ? step.branches : [];
    assert.deepEqual(
      branches.map((branch) => branch.map((each) => each.id)),
      [['1.b1.1'], ['1.b2.1', '1.b2.2'], ['1.b3.1']],
    );
    const inner = branches[2]?.[0];
    const blocked = inner?.kind === 'parallel' ? inner.branches[0]?.[0] : undefined;
    assert.deepEqual(blocked?.id, '1.b3.1.b1.1');
    assert.equal(blocked?.kind === 'blocked' && blocked.within, 250);
  });
});
