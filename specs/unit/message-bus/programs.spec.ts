// SPDX-License-Identifier: MIT
// What a file expects of programs, judged by what they did; a simulated run judges none of it, and says so.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ProgramState } from '../../../runner/agent/protocol.ts';
import { judge } from '../../../runner/verdict/index.ts';
import { playText } from '../sim/play.ts';

const TOPOLOGY = `
buses: { session: { master: { program: dbus-daemon } } }
clients:
  player: { names: [org.example.Player] }
  caller: { program: [busctl, --user, call, org.example.Player, /p, org.example.Player, Echo, s, text] }
  listener: { program: [dbus-monitor] }
traffic:
  - run: listener
    expect: { output: [NameLost] }
  - run: caller
    expect: { exit: 0, output: 's "text"' }
  - fault: { kill: listener }
  - expect: { client: listener, output: ["member=Changed", 'string "volume"'] }
`;

const RIGHT: Readonly<Record<string, ProgramState>> = {
  1: { state: 'runs', output: 'NameAcquired\nNameLost\n', errors: [] },
  2: { state: 'ended', exit: 0, output: 's "text"\n', errors: [] },
  3: { state: 'killed', signal: 'SIGKILL', output: '', errors: [] },
  4: {
    ...{ state: 'killed', signal: 'SIGKILL', errors: [] },
    output: 'NameLost\nsignal member=Changed\n   string "volume"\n',
  },
};

const UNUSED = `
buses: { session: { master: { program: dbus-daemon } } }
clients:
  player: { names: [org.example.Player] }
  panel: {}
  idle: { program: [busctl] }
traffic:
  - call: { from: panel, to: org.example.Player, path: /p, member: Seek }
`;

const LISTENER = `
buses: { session: { master: { program: dbus-daemon } } }
clients:
  player: {}
  listener: { program: [dbus-monitor] }
traffic:
  - run: listener
    expect: { output: [NameLost] }
`;
const SIGNAL = `  - signal: { from: player, path: /p, interface: org.example.Player, member: Changed }
`;

/** The check's result if the programs did this. */
async function judged(states: Readonly<Record<string, ProgramState>>, file = TOPOLOGY, cut?: string) {
  const { plan, trace } = await playText(file, { seed: 1 });
  assert.ok(trace);
  const programs = Object.entries(states).map(([step, state]) => ({ step, ...state }));
  const { checks, result, reason } = judge(plan, {
    ...{ ...trace, programs, socketsLeft: 0 },
    ...(cut !== undefined && { cut }),
  });
  const check = checks.find(({ name }) => name === 'dbus.programs');
  assert.ok(check);
  return { result, reason, check, kinds: check.failures.map(({ kind, step }) => `${kind} ${step}`) };
}

const WRONG: readonly (readonly [what: string, step: number, change: Partial<ProgramState>, kind: string])[] =
  [
    ['another exit status', 2, { exit: 1 }, 'wrong-exit'],
    ['an end by a signal', 2, { exit: undefined as never, signal: 'SIGSEGV' }, 'wrong-exit'],
    ['a crash after the output', 1, { state: 'ended', signal: 'SIGSEGV' }, 'wrong-exit'],
    ['a crash before the kill', 3, { state: 'ended', signal: 'SIGSEGV' }, 'wrong-exit'],
    ['an end before the kill', 3, { state: 'ended', exit: 0, signal: undefined as never }, 'wrong-exit'],
    ['another output', 2, { output: 's "other"\n' }, 'wrong-output'],
    ['more output', 2, { output: 's "text"\nand more\n' }, 'wrong-output'],
    ['no output', 1, { output: '' }, 'wrong-output'],
    ['lines in another order', 4, { output: '   string "volume"\nmember=Changed\n' }, 'wrong-output'],
    ['one line for two', 4, { output: 'member=Changed string "volume"\n' }, 'wrong-output'],
    ['no end in time', 2, { state: 'late' }, 'still-runs'],
    ['too much output', 2, { state: 'wordy' }, 'too-much-output'],
    ['too much output before the kill', 3, { state: 'wordy' }, 'too-much-output'],
  ];

describe('programs of message buses', () => {
  it('pass if they do what they must', async () => {
    const { result, check } = await judged(RIGHT);
    assert.deepEqual([result, check.result, check.checked], ['pass', 'pass', 4]);
  });

  for (const [what, step, change, kind] of WRONG) {
    it(`fail for ${what}`, async () => {
      const state = { ...(RIGHT[step] as ProgramState), ...change, errors: ['its words'] };
      const { result, check, kinds } = await judged({ ...RIGHT, [step]: state });
      assert.deepEqual([result, kinds], ['fail', [`${kind} ${step}`]]);
      assert.deepEqual(check.failures[0]?.detail, ['stderr: its words']);
      assert.ok(check.failures[0]?.place);
    });
  }

  it('may end by themselves if only their output is expected', async () => {
    const ended: ProgramState = { ...(RIGHT[1] as ProgramState), state: 'ended', exit: 1 };
    assert.deepEqual((await judged({ ...RIGHT, 1: ended })).kinds, []);
  });

  describe('that no step waits for until they end', () => {
    const atEnd = (state: Partial<ProgramState>) => ({
      1: RIGHT[1] as ProgramState,
      end: { step: '1', atEnd: true, state: 'ended', output: '', errors: ['its words'], ...state } as const,
    });

    for (const [what, state, kinds] of [
      ['exit with a failure', { exit: 3 }, ['wrong-exit 1']],
      ['crash', { signal: 'SIGSEGV' }, ['wrong-exit 1']],
      ['write too much', { state: 'wordy' }, ['too-much-output 1']],
      ['exit with 0', { exit: 0 }, []],
      ['still run', { state: 'runs' }, []],
      ['are killed by the runner', { state: 'killed', signal: 'SIGKILL' }, []],
    ] as const)
      it(`${kinds.length > 0 ? 'fail' : 'pass'} if they ${what} after it`, async () => {
        assert.deepEqual((await judged(atEnd(state), LISTENER)).kinds, kinds);
      });

    it('fail once, with what to write if it is meant', async () => {
      const { check } = await judged(atEnd({ exit: 3 }), LISTENER);
      assert.deepEqual(check.failures[0]?.detail, [
        'stderr: its words',
        'if that is meant: expect: { client: listener, exit: 3 }',
      ]);
      const crashed = { state: 'ended', signal: 'SIGSEGV' } as const;
      const both = { ...atEnd(crashed), 1: { ...(RIGHT[1] as ProgramState), ...crashed } };
      assert.deepEqual((await judged(both, LISTENER)).kinds, ['wrong-exit 1']);
    });
  });

  it('are told which line is missing, and whether it came too early', async () => {
    const summary = async (output: string) => {
      const { check } = await judged({ ...RIGHT, 4: { ...(RIGHT[4] as ProgramState), output } });
      return check.failures[0]?.summary.replace(/^\S+ /, '');
    };
    assert.equal(await summary('member=Changed\n'), 'wrote no line with "string \\"volume\\""');
    assert.match(
      (await summary('   string "volume"\nmember=Changed\n')) ?? '',
      /^wrote no line with "string .*" after the lines with the texts before it in the list$/,
    );
  });

  it('fail if a step was not played', async () => {
    const { 2: _, ...others } = RIGHT;
    assert.deepEqual((await judged(others)).kinds, ['unplayed 2']);
  });

  it('are not checked in a simulated run, which names their lines', async () => {
    const { verdict } = await playText(TOPOLOGY, { seed: 1 });
    const check = verdict.checks.find(({ name }) => name === 'dbus.programs');
    assert.deepEqual([check?.result, check?.checked], ['skip', 0]);
    assert.match(check?.reason ?? '', /^a program cannot be simulated \(.*:7, .*:9, .*:11, .*:12\)$/);
    assert.equal(verdict.result, 'skip', 'nothing else was played');
    assert.match(
      verdict.reason ?? '',
      /^a program cannot be simulated, and the file itself sends no message/,
    );
  });

  it('are counted as far as a cut run has played them', async () => {
    const { 1: first, 2: second } = RIGHT;
    assert.ok(first && second);
    const { check } = await judged({ 1: first, 2: second }, TOPOLOGY, 'the node ended');
    assert.deepEqual([check.result, check.checked], ['pass', 2]);
  });

  it('are not checked if a cut run has played none of them', async () => {
    const { check } = await judged({}, TOPOLOGY, 'the node ended');
    assert.deepEqual([check.result, check.checked], ['skip', 0]);
    assert.match(check.reason ?? '', /ended before/);
  });

  it('are not checked if no step runs one', async () => {
    const { check } = await judged({}, UNUSED);
    assert.deepEqual([check.result, check.checked, check.reason], ['skip', 0, 'no step runs a program']);
  });

  it('do not stand for messages of the file that did not arrive', async () => {
    const states = { 1: RIGHT[1] as ProgramState };
    assert.equal((await judged(states, LISTENER)).result, 'pass');
    const { check, result, reason } = await judged(states, `${LISTENER}${SIGNAL}`);
    assert.deepEqual([check.result, result], ['pass', 'skip']);
    assert.match(reason ?? '', /^no message was delivered, and .*:8 does not say/);
  });
});
