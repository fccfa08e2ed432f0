// SPDX-License-Identifier: MIT
// One damage to what the clients of a message bus reported, at every place where it can be: each breaks a check.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'mocha';
import { DRIVER } from '../../../runner/dbus/index.ts';
import type { Played } from '../../../runner/pipeline.ts';
import type { DbusEvent, PipeEvent } from '../../../runner/trace/trace.ts';
import { judge } from '../../../runner/verdict/index.ts';
import { playFile, playText } from '../sim/play.ts';

const FOLDER = new URL('../../../topologies/message-bus/', import.meta.url).pathname;

type Got = DbusEvent & { readonly kind: 'got' };
type Damage = (got: Got, list: readonly DbusEvent[], at: number) => readonly DbusEvent[] | undefined;

const changed =
  (change: (got: Got) => Partial<Got> | undefined): Damage =>
  (got, list, at) => {
    const fields = change(got);
    return fields && list.with(at, { ...got, ...fields });
  };

/** Comes as it is, and once more with this change. */
const copied =
  (change: (got: Got) => Partial<Got> | undefined): Damage =>
  (got, list, at) => {
    const fields = change(got);
    return fields && list.toSpliced(at + 1, 0, { ...got, ...fields });
  };

/** The texts of errors are for people, and the bus counts its own messages as it likes. */
const DAMAGES: Readonly<Record<string, Damage>> = {
  'is lost': (_, list, at) => list.toSpliced(at, 1),
  'comes twice': (got, list, at) => list.toSpliced(at, 0, got),
  'comes to another client': (got, list, at) => {
    const other = list.find(({ client }) => client !== got.client);
    return other && list.with(at, { ...got, client: other.client });
  },
  'has other arguments': changed(({ type }) =>
    type === 'error' ? undefined : { args: 's "damaged"', texts: ['damaged'] },
  ),
  'comes to another client as well': (got, list, at) => {
    const other = list.find(({ client }) => client !== got.client);
    return other && list.toSpliced(at, 0, { ...got, client: other.client });
  },
  'comes again as a call': copied(() => ({ type: 'method_call' })),
  'comes again as a signal': copied(() => ({ type: 'signal' })),
  'comes again as an answer': copied(() => ({ type: 'method_return' })),
  'comes again with a serial that nobody has used': copied(() => ({ serial: 0x7fff_fff0 })),
  'comes again from the bus': copied(({ sender }) => (sender === DRIVER ? undefined : { sender: DRIVER })),
  'comes again as an answer to a call of the agent': copied(() => ({
    ...{ type: 'method_return', replySerial: 0x8000_0000 },
  })),
  'is of a stranger': changed(() => ({ sender: ':0.77' })),
  'has another member': changed(({ member }) => (member === undefined ? undefined : { member: 'Damaged' })),
  'has another path': changed(({ path }) => (path === undefined ? undefined : { path: '/damaged' })),
  'has another interface': changed((got) =>
    got.interface === undefined ? undefined : { interface: 'damaged.Damaged' },
  ),
  'has another type': changed(({ type }) => ({ type: type === 'signal' ? 'method_call' : 'signal' })),
  'answers another call': changed(({ replySerial }) =>
    replySerial === undefined ? undefined : { replySerial: replySerial + 1 },
  ),
  'is another error': changed(({ errorName }) =>
    errorName === undefined ? undefined : { errorName: 'a.Other' },
  ),
  'has one descriptor more': changed(({ fds = 0 }) => ({ fds: fds + 1 })),
  'has one descriptor less': changed(({ fds }) => (fds === undefined ? undefined : { fds: fds - 1 })),
  'has another serial': changed(({ sender, serial, replySerial }) =>
    sender === DRIVER || replySerial !== undefined ? undefined : { serial: serial + 1 },
  ),
};

/** Events with the places that clients would give them. */
function renumbered(list: readonly DbusEvent[]): DbusEvent[] {
  const next = new Map<string, number>();
  return list.map((event) => {
    if (event.kind !== 'got') return event;
    const position = next.get(event.client) ?? 0;
    next.set(event.client, position + 1);
    return { ...event, position };
  });
}

function broken({ plan, trace }: Played, dbus: readonly DbusEvent[]): string[] {
  assert.ok(trace);
  const { checks } = judge(plan, { ...trace, dbus: renumbered(dbus) }, { backend: 'sim' });
  return checks.filter(({ result }) => result === 'fail').map(({ name }) => name);
}

const PLAYED = new Map<string, Promise<Played>>();
function played(name: string): Promise<Played> {
  const run = PLAYED.get(name) ?? playFile(FOLDER + name, { seed: 3 });
  PLAYED.set(name, run);
  return run;
}

const MAX_PLACES = 80;

/** All of a list, or as many as are worth the time, spread over it. */
const places = (list: readonly unknown[]): number[] =>
  [...list.keys()].filter((at) => at % Math.ceil(list.length / MAX_PLACES) === 0);

describe('a report of a message bus with one damage', () => {
  for (const [what, damage] of Object.entries(DAMAGES)) {
    it(`breaks a check if a message ${what}`, async () => {
      let tried = 0;
      for (const name of readdirSync(FOLDER)) {
        const run = await played(name);
        const list = run.trace?.dbus ?? [];
        places(list).forEach((at) => {
          const event = list[at] as DbusEvent;
          const damaged = event.kind === 'got' ? damage(event, list, at) : undefined;
          if (damaged === undefined) return;
          tried++;
          assert.notDeepEqual(broken(run, damaged), [], `${name}: ${JSON.stringify(event)}`);
        });
      }
      assert.ok(tried > 0);
    }).timeout(60_000);
  }

  it('breaks a check if a send is missing, or has failed', async () => {
    for (const name of readdirSync(FOLDER)) {
      const run = await played(name);
      const list = run.trace?.dbus ?? [];
      places(list).forEach((at) => {
        const event = list[at] as DbusEvent;
        if (event.kind !== 'sent') return;
        assert.notDeepEqual(broken(run, list.toSpliced(at, 1)), [], `${name}: ${JSON.stringify(event)}`);
        assert.notDeepEqual(broken(run, list.with(at, { ...event, error: 'EPIPE' })), []);
      });
    }
  });
});

describe('what a client gets that is cut off', () => {
  /** The signals of its sleep that a client has got, as places in the list. */
  const slept = ({ trace }: Played, who: string): number[] =>
    [...(trace?.dbus ?? []).entries()].flatMap(([at, event]) =>
      event.kind === 'got' && event.client === who && ['Tick', 'Tock'].includes(event.member ?? '')
        ? [at]
        : [],
    );

  it('is not nothing', async () => {
    const run = await played('cut-off.topo.yaml');
    const gone = new Set(slept(run, 'slow'));
    assert.ok(gone.size > 0);
    const list = (run.trace?.dbus ?? []).filter((_, at) => !gone.has(at));
    assert.deepEqual(broken(run, list), ['dbus.signals']);
  });

  it('is all that certainly has room', async () => {
    const run = await played('cut-off.topo.yaml');
    const last = slept(run, 'slow').at(-1) as number;
    assert.deepEqual(broken(run, (run.trace?.dbus ?? []).toSpliced(last, 1)), ['dbus.signals']);
  });

  it('may be more than that, but has no gap', async () => {
    const run = await played('cut-off.topo.yaml');
    const list = run.trace?.dbus ?? [];
    const last = list[slept(run, 'slow').at(-1) as number] as Got;
    const also = (serial: number) => list.toSpliced(list.indexOf(last) + 1, 0, { ...last, serial });
    assert.deepEqual(broken(run, also(last.serial + 1)), []);
    assert.deepEqual(broken(run, also(last.serial + 2)), ['dbus.signals']);
  });
});

const PIPE_DAMAGES: Readonly<Record<string, (pipe: PipeEvent) => readonly PipeEvent[]>> = {
  'is not known': () => [],
  'was used by one more client': (pipe) => [{ ...pipe, tokens: [...pipe.tokens, 'stranger'] }],
  'did not work for one': (pipe) => [{ ...pipe, tokens: pipe.tokens.slice(1) }],
  'is still open': (pipe) => [{ ...pipe, eof: false }],
};

describe('a descriptor', () => {
  for (const [what, damage] of Object.entries(PIPE_DAMAGES)) {
    it(`breaks its check if it ${what}`, async () => {
      const { plan, trace } = await played('descriptors.topo.yaml');
      assert.ok(trace);
      for (const [at, pipe] of trace.pipes.entries()) {
        // Nobody has used the descriptors of a message for nobody.
        if (what.startsWith('did not') && pipe.tokens.length === 0) continue;
        const pipes = trace.pipes.toSpliced(at, 1, ...damage(pipe));
        const { checks } = judge(plan, { ...trace, pipes }, { backend: 'sim' });
        const failed = checks.filter(({ result }) => result === 'fail').map(({ name }) => name);
        assert.deepEqual(failed, ['dbus.fds'], JSON.stringify(pipe));
      }
    });
  }
});

const CALLS = `
buses: { session: { master: { program: dbus-daemon } } }
clients: { player: {}, panel: {}PROGRAM }
traffic:
  - call: { from: panel, to: player, path: /p, member: Seek }
`;
const PROGRAM = ', caller: { program: [busctl] }';

describe('a call that no client has made', () => {
  const broken = async (program: string, sender: string) => {
    const { plan, trace } = await playText(CALLS.replace('PROGRAM', program), { seed: 1 });
    const call = trace?.dbus?.find((event) => event.kind === 'got' && event.type === 'method_call');
    assert.ok(trace?.dbus && call?.kind === 'got');
    const dbus = renumbered([...trace.dbus, { ...call, sender }]);
    const { checks } = judge(plan, { ...trace, dbus }, { backend: 'sim' });
    return checks.flatMap(({ failures }) => failures.map(({ check, kind }) => `${check} ${kind}`));
  };

  it('is one of a program, if the bus has programs', async () => {
    assert.deepEqual(await broken('', ':0.77'), ['dbus.replies invented']);
    assert.deepEqual(await broken(PROGRAM, ':0.77'), []);
    assert.deepEqual(await broken(PROGRAM, DRIVER), ['dbus.replies invented']);
  });
});

describe('a run on a message bus that is cut short', () => {
  const EXIT = { agent: 'player', t: 0, code: null, signal: 'SIGKILL', wanted: false } as const;
  const broken = async (text: string) => {
    const { plan, trace } = await playText(text, { seed: 1 });
    assert.ok(trace);
    const { checks } = judge(plan, { ...trace, cut: 'player ended', exits: [EXIT] }, { backend: 'sim' });
    return checks.flatMap(({ failures }) => failures.map(({ check, kind }) => `${check} ${kind}`));
  };

  it('fails one check that says so, and which process has ended', async () => {
    const text = CALLS.replace('PROGRAM', '');
    assert.deepEqual(await broken(text), ['dbus.lifetime crashed', 'dbus.lifetime cut']);
    const beside = text
      .replace('session:', 'cabin: {}, session:')
      .replace('player: {}', 'player: { bus: session }');
    const both = beside.replace('panel: {}', 'panel: { bus: session }, r: { bus: cabin }');
    assert.deepEqual(await broken(both), ['lifetime crashed', 'lifetime cut']);
  });
});

const ITSELF = `
buses: { session: { master: { program: dbus-daemon } } }
clients: { cam: { answers: { Open: { signature: h, reply: [0], fds: [{ pipe: x }] } } } }
traffic:
  - call: { from: cam, to: cam, path: /c, member: Open, signature: h, args: [0], fds: [{ pipe: y }] }
    expect: { by: cam, signature: h, reply: [0] }
`;

describe('a client that calls itself', () => {
  it('has one descriptor in the call, and another in the answer', async () => {
    const { plan, trace, verdict } = await playText(ITSELF, { seed: 1 });
    assert.ok(trace);
    assert.equal(verdict.result, 'pass');
    assert.equal(trace.pipes.length, 2);
    for (const at of trace.pipes.keys()) {
      const { checks } = judge(plan, { ...trace, pipes: trace.pipes.toSpliced(at, 1) }, { backend: 'sim' });
      const failures = checks.flatMap(({ failures: list }) => list.map(({ kind }) => kind));
      assert.deepEqual(failures, ['no-pipe']);
    }
  });
});

const BRANCH = `
buses: { session: { master: { program: dbus-daemon } } }
clients: { player: {}, one: { match: ["type='signal'"] }, other: { match: ["type='signal'"] } }
traffic:
  - parallel:
      - - signal: { from: player, path: /p, interface: a.B, member: First }
        - signal: { from: player, path: /p, interface: a.B, member: Second }
        - call: { from: player, to: one, path: /p, member: Third }
      - signal: { from: other, path: /p, interface: a.B, member: Beside }
`;

describe('the order of a message bus', () => {
  /** The two change places in what every client got that got both. */
  async function turned(one: string, other: string): Promise<string[]> {
    const run = await playText(BRANCH, { seed: 1 });
    assert.equal(run.verdict.result, 'pass');
    const list = [...(run.trace?.dbus ?? [])];
    for (const client of ['player', 'one', 'other']) {
      const at = (member: string) =>
        list.findIndex((event) => event.kind === 'got' && event.client === client && event.member === member);
      const [first, second] = [at(one), at(other)];
      if (first < 0 || second < 0) continue;
      [list[first], list[second]] = [list[second] as DbusEvent, list[first] as DbusEvent];
    }
    return broken(run, list);
  }

  it('is that of a client’s signals in one branch, even if all receivers agree on another', async () => {
    assert.deepEqual(await turned('First', 'Second'), ['dbus.order']);
  });

  it('is that of its calls too', async () => {
    assert.deepEqual(await turned('Second', 'Third'), ['dbus.order']);
  });

  it('has the bus’s signals about names within their step', async () => {
    const run = await played('live-replacement.topo.yaml');
    const list = [...(run.trace?.dbus ?? [])];
    const isFor = (event: DbusEvent | undefined, member: string) =>
      event?.kind === 'got' && event.client === 'panel' && event.member === member;
    const ready = list.findIndex((event) => isFor(event, 'Ready'));
    const told = list.findLastIndex((event, at) => at < ready && isFor(event, 'NameOwnerChanged'));
    assert.ok(told >= 0);
    [list[told], list[ready]] = [list[ready] as DbusEvent, list[told] as DbusEvent];
    assert.deepEqual(broken(run, list), ['dbus.order']);
  });
});
