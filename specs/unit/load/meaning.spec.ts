// SPDX-License-Identifier: MIT
// Expectations and faults follow what the steps before them did.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { FaultAction } from '../../../runner/topology/faults.ts';
import type { Step } from '../../../runner/topology/topology.ts';
import { complaints, ok, steps, withParties } from './helpers.ts';

const recipients = (traffic: string) => {
  const last = steps(traffic).at(-1);
  assert.ok(last?.kind === 'send');
  return last.expect.recipients;
};
const actions = (list: readonly Step[]): FaultAction[] =>
  list.flatMap((step) => (step.kind === 'fault' ? [step.action] : []));

describe('recipients', () => {
  const toGroup = '\n  - a -> g: "x"\n    expect: { recipients: [g] }';

  it('of a group are those of its members who have joined', () => {
    assert.deepEqual(recipients(toGroup), ['b']);
    assert.deepEqual(recipients(`- fault: { join: c }${toGroup}`), ['b', 'c']);
  });

  it('follow addresses that come and go', () => {
    const add = '- fault: { add-address: a, address: "0001/0000000000aa" }';
    const del = '\n  - fault: { del-address: a, address: "0001/0000000000aa" }';
    assert.deepEqual(recipients(`${add}${toGroup}`), ['a', 'b']);
    assert.deepEqual(recipients(`${add}${del}${toGroup}`), ['b']);
  });

  it('leave out dead and expelled clients; a name for nobody is an error', () => {
    const nobody = ['7 error: "g" stands for nobody at this step: it has no joined member'];
    for (const fault of ['kill', 'expel']) {
      assert.deepEqual(recipients(`- fault: { join: c }\n  - fault: { ${fault}: b }${toGroup}`), ['c']);
      assert.deepEqual(complaints(withParties(`- fault: { ${fault}: b }${toGroup}`)), nobody);
    }
  });

  it('of replicas are those that have joined and are there', () => {
    const last = (traffic: string, client = '{ replicas: 3, groups: [g] }') => {
      const step = ok(`
buses: { cabin: {} }
groups: { g: { prefix: 1 } }
clients: { a: {}, lamp: ${client} }
traffic:${traffic}
  - a -> g: "x"
    expect: { recipients: [lamp] }`).steps.at(-1);
      return step?.kind === 'send' && step.expect.recipients;
    };
    for (const fault of ['kill', 'stop', 'expel'])
      assert.deepEqual(last(`\n  - fault: { ${fault}: lamp-1 }`), ['lamp-0', 'lamp-2'], fault);
    assert.deepEqual(last('\n  - fault: { kill: lamp-1 }\n  - fault: { restart: lamp-1 }'), [
      'lamp-0',
      'lamp-2',
      'lamp-1.2',
    ]);
    const apart = '{ replicas: 3, groups: [g], join: false }';
    assert.deepEqual(last('\n  - fault: { join: lamp-0 }', apart), ['lamp-0']);
  });

  it('of replicas that have not joined are those, if their master sends to one', () => {
    const [step] = ok(`
buses: { cabin: {} }
clients: { a: {}, tool: { replicas: 1, join: false } }
traffic:
  - cabin.master -> tool-0: "x"
    expect: { recipients: [tool] }`).steps;
    assert.deepEqual(step?.kind === 'send' && step.expect.recipients, ['tool-0']);
  });

  it('of a bus are all joined clients; a name counts once', () => {
    assert.deepEqual(recipients('- a -> cabin: "x"\n    expect: { recipients: [b, cabin, g] }'), [
      'b',
      'a',
      'm',
    ]);
  });

  it('may be the master, and many at a time', () => {
    const { steps: list } = ok(`
buses: { cabin: {} }
clients: { a: {}, tool: { replicas: 2 } }
traffic:
  - a -> cabin: "x"
    expect: { recipients: [cabin.master, tool] }`);
    const [step] = list;
    assert.deepEqual(step?.kind === 'send' && step.expect.recipients, ['cabin.master', 'tool-0', 'tool-1']);
  });

  it('are left to the model if the file says nothing, whether deliveries name the send or not', () => {
    const { steps: list, deliveries } = ok(`${withParties('- send: { from: a, to: g, as: x }')}
  - send: { from: a, to: b, as: y, fds: [{ pipe: p }] }
    expect: { recipients: [b] }
expect:
  deliveries:
    - { to: b, message: y, from: a, fds: 1, credentials: { uid: 0 } }
    - { to: g, message: x }`);
    assert.deepEqual(list[0]?.kind === 'send' && list[0].expect, {});
    assert.deepEqual(list[1]?.kind === 'send' && list[1].expect, { recipients: ['b'] });
    assert.deepEqual(
      deliveries.map(({ place: _, ...line }) => line),
      [
        { to: 'b', message: 'y', from: 'a', fds: 1, credentials: { uid: 0 } },
        { to: 'b', message: 'x' },
      ],
    );
  });

  it('that the model excludes get a warning, and stay what is expected', () => {
    const said = complaints(withParties('- a -> c: "x"\n    expect: { recipients: [c] }'));
    assert.deepEqual(said, [
      '2 warning: nothing is sent to group "g", so a run proves nothing about it',
      '3 warning: no message reaches "m", so it makes no difference when it reads',
      '6 warning: "c" has not joined bus "cabin" and gets messages from its master only',
    ]);
  });
});

describe('faults', () => {
  it('are a kill by the kernel, if memory is limited', () => {
    const file = withParties(`- parallel:
      - send: { from: a, to: m, count: 11, size: 100KiB }
      - fault: { limit: a, memory: 1MiB, at: 5ms }`);
    const [step] = ok(file.replace('cabin: {}', 'cabin: { sendBuffer: 2MiB }')).steps;
    const limit = step?.kind === 'parallel' ? step.branches[1]?.[0] : undefined;
    assert.ok(limit?.kind === 'fault');
    assert.deepEqual(
      [limit.action, limit.at],
      [{ fault: 'kill', target: { kind: 'client', name: 'a' }, memory: 1024 ** 2 }, 5],
    );
  });

  it('name their party', () => {
    const list = steps(`
  - fault: { pause: a }
  - fault: { resume: a }
  - send: { from: a, to: m, count: 2 }
  - fault: { read: m, count: 2 }
  - fault: { read: m }
  - fault: { stop-reading: m }
  - fault: { eavesdrop: a }
  - fault: { eavesdrop: a, on: false }
  - fault: { limit: m, fds: 0 }
  - fault: { limit: m, fds: unlimited }
  - fault: { close-listener: cabin.master }
  - fault: { stop: a }
  - fault: { kill: cabin.master }`);
    assert.deepEqual(actions(list), [
      { fault: 'pause', target: { kind: 'client', name: 'a' } },
      { fault: 'resume', target: { kind: 'client', name: 'a' } },
      { fault: 'read', client: 'm', count: 2 },
      { fault: 'read', client: 'm', count: 'all' },
      { fault: 'stop-reading', client: 'm' },
      { fault: 'eavesdrop', client: 'a', on: true },
      { fault: 'eavesdrop', client: 'a', on: false },
      { fault: 'limit', client: 'm', fds: 0 },
      { fault: 'limit', client: 'm', fds: 'unlimited' },
      { fault: 'close-listener', bus: 'cabin' },
      { fault: 'stop', target: { kind: 'client', name: 'a' } },
      { fault: 'kill', target: { kind: 'master', bus: 'cabin' } },
    ]);
  });

  it('in one branch do not count in another, and count afterwards', () => {
    const said = complaints(
      withParties(`
  - parallel:
      - fault: { kill: b }
      - a -> b: "x"
        expect: { recipients: [b] }
  - b -> a: "x"
    expect: { recipients: [a] }`),
    );
    assert.deepEqual(said, ['9 error: "b" was killed at line 6 and cannot send']);
  });

  it('end the master only for clients that have not joined', () => {
    assert.deepEqual(
      complaints(
        withParties(`
  - fault: { leave: cabin }
  - a -> b: "x"
    expect: { recipients: [b] }
  - c -> b: "x"
    expect: { recipients: [b] }`),
      ),
      ['8 error: "c" was disconnected at line 5 and cannot send'],
    );
  });

  it('let an expelled client read what it has, and fail to send', () => {
    ok(
      withParties(
        '- fault: { expel: m }\n  - fault: { read: m }\n  - m -> a: "x"\n    expect: { error: EPIPE }',
      ),
    );
  });
});

describe('the topology', () => {
  it('is frozen through and through, and named after its file', () => {
    const topology = ok(withParties('- a -> b: "x"\n    expect: { recipients: [b] }'));
    assert.equal(topology.name, 'spec');
    assert.ok(Object.isFrozen(topology) && Object.isFrozen(topology.clients[0]?.addresses));
    assert.ok(Object.isFrozen(topology.steps[0]));
  });
});
