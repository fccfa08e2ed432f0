// SPDX-License-Identifier: MIT
// Unmodified programs as clients: what they write, how they end, and how they are ended.
import assert from 'node:assert/strict';
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

  it('is killed with all that it has started, or its output would not end', async () => {
    const program = fresh();
    await run(program, ['sh', '-c', FOREVER]);
    await wait(program, false, ['ready']);
    const killed = (await program.handle({ do: 'kill-program' }))?.program;
    assert.deepEqual([killed?.state, killed?.exit, killed?.signal], ['killed', undefined, 'SIGKILL']);
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
