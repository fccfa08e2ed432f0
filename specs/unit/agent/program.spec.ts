// SPDX-License-Identifier: MIT
// Unmodified programs as clients: what they write, how they end, and how they are ended.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { Program } from '../../../runner/agent/program.ts';
import type { ProgramState } from '../../../runner/agent/protocol.ts';
import type { Tools } from '../../../runner/agent/roles.ts';
import { startProgram } from '../../../runner/agent/start-program.ts';
import { wallClock } from '../../../runner/common/clock.ts';
import { LIMITS } from '../../../runner/common/limits.ts';

/** More than any of these programs needs. */
const LONG = 60_000;

const onSystem = (system: object) => new Program({ system } as Tools);
const fresh = () => onSystem({ clock: wallClock, start: startProgram });

const run = async (program: Program, argv: readonly [string, ...string[]]) =>
  (
    await program.handle({
      ...{ do: 'run-program', argv, address: 'unix:path=/run/bus/session.unix' },
      names: [[':0.1f', 'player']],
    })
  )?.program as ProgramState;

const wait = async (program: Program, end: boolean, texts: readonly string[] = [], within = LONG) =>
  (await program.handle({ do: 'await-program', end, texts, within }))?.program as ProgramState;

/** Goes on until it is killed; what the shell has started keeps the output open. */
const FOREVER = 'echo ready; sleep 100000 & wait';
/** Less than fits into a pipe, so that nobody needs to read it before the program can end. */
const BYTES = 60 * 1024;
const WRITES = `head -c ${BYTES} /dev/zero | tr '\\0' x`;

/** The state of a process (`T`: stopped, `Z`: ended, but not reaped) and its parent; empty if there is none. */
function statOf(pid: number): { readonly state?: string; readonly parent?: number } {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { ...(state !== undefined && { state }), parent: Number(parent) };
  } catch {
    return {};
  }
}

const childrenOf = (parent: number): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && statOf(pid).parent === parent);

function newChild(before: readonly number[]): number {
  const [pid] = childrenOf(process.pid).filter((child) => !before.includes(child));
  assert.ok(pid);
  return pid;
}

const isGone = (pid: number): boolean => [undefined, 'Z', 'X'].includes(statOf(pid).state);

/** The number that the program has written. */
const pidIn = ({ output }: ProgramState): number => Number(/pid (\d+)/.exec(output)?.[1]);

describe('a program', () => {
  it('is told the address of the bus, and shows clients by their names', async () => {
    const program = fresh();
    await run(program, [
      'sh',
      '-c',
      'echo $DBUS_SESSION_BUS_ADDRESS; echo :0.1f :0.1f0; echo oh >&2; exit 3',
    ]);
    assert.deepEqual(await wait(program, true), {
      ...{ state: 'ended', exit: 3 },
      output: 'unix:path=/run/bus/session.unix\nplayer :0.1f0\n',
      errors: ['oh'],
    });
  });

  it('is waited for until its output has what is wanted, and runs on', async () => {
    const program = fresh();
    await run(program, ['sh', '-c', FOREVER]);
    const { state, output } = await wait(program, false, ['ready']);
    assert.deepEqual([state, output], ['runs', 'ready\n']);
    await program.handle({ do: 'kill-program' });
  });

  it('is killed with all that it has started', async () => {
    const program = fresh();
    await run(program, ['sh', '-c', FOREVER]);
    await wait(program, false, ['ready']);
    const killed = (await program.handle({ do: 'kill-program' }))?.program;
    assert.deepEqual([killed?.state, killed?.exit, killed?.signal], ['killed', undefined, 'SIGKILL']);
  });

  it('has ended when it exits, although a process of another session holds its output open', async () => {
    const program = fresh();
    await run(program, ['sh', '-c', `setsid sh -c 'echo pid $$; exec sleep 100000' & wait`]);
    const pid = pidIn(await wait(program, false, ['pid']));
    try {
      const killed = (await program.handle({ do: 'kill-program' }))?.program;
      assert.deepEqual([killed?.state, killed?.signal], ['killed', 'SIGKILL']);
      assert.ok(!isGone(pid), 'it ends with the node');
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  it('leaves nothing in its group, however it ends', async () => {
    const program = fresh();
    await run(program, ['sh', '-c', 'sleep 100000 & echo pid $!']);
    const ended = await wait(program, true);
    assert.deepEqual([ended.state, ended.exit], ['ended', 0]);
    const pid = pidIn(ended);
    while (!isGone(pid)) await new Promise((resolve) => setImmediate(resolve));
  });

  it('is heard to its last byte', async () => {
    const program = fresh();
    await run(program, ['sh', '-c', `${WRITES}; exit 3`]);
    const { exit, output } = await wait(program, true);
    assert.deepEqual([exit, output], [3, 'x'.repeat(BYTES)]);
  });

  it('is heard to its last byte even if its end is seen before its output', async () => {
    const children = childrenOf(process.pid);
    let output = '';
    // Both the first line and the stop are pending when the event loop looks. It serves the line first, and all that
    // follows until the end happens meanwhile; then it serves the signal, and finds that the program has ended.
    const hear = (bytes: Buffer) => {
      if (output === '') {
        process.kill(pid, 'SIGCONT');
        while (!isGone(pid));
      }
      output += bytes;
    };
    const argv = ['sh', '-c', `echo ready; kill -STOP $$; ${WRITES}`] as const;
    const { ended } = await startProgram([...argv], {}, { output: hear, errors: () => {} });
    const pid = newChild(children);
    while (statOf(pid).state !== 'T' && !isGone(pid));
    assert.deepEqual(await ended, { exit: 0, signal: null });
    assert.equal(output, `ready\n${'x'.repeat(BYTES)}`);
  });

  it('was not killed if it had ended by itself before', async () => {
    const program = fresh();
    const children = childrenOf(process.pid);
    await run(program, ['sh', '-c', 'exit 3']);
    // Nobody has seen its end yet.
    const pid = newChild(children);
    while (!isGone(pid));
    const killed = (await program.handle({ do: 'kill-program' }))?.program;
    assert.deepEqual([killed?.state, killed?.exit, killed?.signal], ['ended', 3, undefined]);
  });

  it('is killed if it has not ended in time', async () => {
    const program = fresh();
    await run(program, ['sleep', '100000']);
    assert.equal((await wait(program, true, [], 1)).state, 'late');
  });

  it('is killed if it writes more than is kept', async () => {
    const program = fresh();
    await run(program, ['yes']);
    const { state, output } = await wait(program, true);
    assert.equal(state, 'wordy');
    assert.ok(output.length <= LIMITS.outputBytes.most);
  });

  it('can run again, with another output', async () => {
    const program = fresh();
    for (const text of ['one', 'two']) {
      await run(program, ['echo', text]);
      assert.equal((await wait(program, true)).output, `${text}\n`);
    }
  });

  it('that is not there cannot be started', async () => {
    await assert.rejects(run(fresh(), ['no-such-program']), { code: 'ENOENT' });
  });

  it('is not run by a simulated system, which says so', async () => {
    const program = onSystem({ clock: wallClock });
    assert.equal((await run(program, ['echo'])).state, 'simulated');
    assert.equal((await wait(program, true)).state, 'simulated');
  });
});
