// SPDX-License-Identifier: MIT
// Planning lets no handler run. A signal ends it all the same, and is handled again afterwards.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, it } from 'mocha';
import { Interrupt } from '../../../runner/cli/interrupt.ts';

const MODULE = fileURLToPath(new URL('../../../runner/cli/interrupt.ts', import.meta.url));
const DEADLINE = fileURLToPath(new URL('../../../runner/common/deadline.ts', import.meta.url));
const HEAD = `
  import { writeSync } from 'node:fs';
  const { Interrupt } = await import(${JSON.stringify(MODULE)});
  const interrupt = new Interrupt();
  const { signal } = interrupt;
`;

describe('an interrupt', () => {
  let child: ChildProcess | undefined;
  afterEach(() => void child?.kill('SIGKILL'));

  /** Sends the signal once the program has written something; how the program ended. */
  async function interrupted(name: 'SIGINT' | 'SIGTERM', program: string): Promise<unknown[]> {
    const args = ['--input-type=module', '--eval', HEAD + program];
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    child = started;
    started.stdout.once('data', () => started.kill(name));
    return once(started, 'exit');
  }

  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends planning that has no end (${name})`, async () => {
      const how = await interrupted(
        name,
        "await interrupt.during(() => { writeSync(1, 'planning'); for (;;); });",
      );
      assert.deepEqual(how, [null, name]);
    });

    it(`that came before more planning is not lost (${name})`, async () => {
      const how = await interrupted(
        name,
        `interrupt.handle();
        signal.addEventListener('abort', () => process.exit(7));
        writeSync(1, 'busy');
        const end = performance.now() + 1000;
        while (performance.now() < end);
        await interrupt.during(() => {}).catch(() => {});
        process.exit(0);`,
      );
      assert.deepEqual(how, [7, null]);
    });

    it(`is handled once planning is over (${name})`, async () => {
      const how = await interrupted(
        name,
        `await interrupt.during(() => {});
        signal.addEventListener('abort', () => process.exit(7));
        setInterval(() => {}, 1000);
        writeSync(1, 'planned');`,
      );
      assert.deepEqual(how, [7, null]);
    });
  }

  it('keeps its handlers once it has them, since what comes as they are taken off would be lost', async () => {
    using interrupt = new Interrupt();
    const handlers = () => process.listenerCount('SIGTERM');
    const before = handlers();
    const counts = [
      await interrupt.during(handlers),
      handlers(),
      await interrupt.during(handlers),
      handlers(),
    ];
    assert.deepEqual(
      counts.map((each) => each - before),
      [0, 1, 1, 1],
    );
  });

  it('ends the reading of a file while results of others are not written yet, and is handled', async () => {
    const how = await interrupted(
      'SIGINT',
      `interrupt.handle();
      const { Deadline } = await import(${JSON.stringify(DEADLINE)});
      let why = '';
      try {
        new Deadline(100_000).during('the file', () => { writeSync(1, 'reading'); for (;;); });
      } catch (error) {
        why = error.message;
      }
      process.exit(why === 'interrupted while waiting for the file' && signal.aborted ? 7 : 8);`,
    );
    assert.deepEqual(how, [7, null]);
  });

  for (const [first, second, code] of [
    ['SIGINT', 'SIGINT', 130],
    ['SIGTERM', 'SIGINT', 130],
    ['SIGINT', 'SIGHUP', 129],
    ['SIGHUP', 'SIGTERM', 129],
  ] as const) {
    it(`that comes again (${first}, ${second}) ends a clean-up that has no end, and says how to end it later`, async () => {
      const program = `${HEAD}
        interrupt.handle();
        setInterval(() => {}, 1000);
        writeSync(1, 'ready');`;
      const args = ['--input-type=module', '--eval', program];
      const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      let said = '';
      started.stdout.once('data', () => started.kill(first));
      started.stderr.setEncoding('utf8').on('data', (more: string) => {
        const isFirst = said === '';
        said += more;
        if (isFirst) started.kill(second);
      });
      assert.deepEqual(await once(started, 'close'), [code, null]);
      assert.equal(
        said,
        '\ninterrupted: cleaning up (again to leave at once)\n' +
          '\nleaving at once; "afbus-topo down --all" removes what is left\n',
      );
    });
  }
});
