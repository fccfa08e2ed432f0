// SPDX-License-Identifier: MIT
/** Sends a signal to the command at some moment, and says how it ended. AFBUS_INTERRUPTS: at how many moments of each. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../bin/afbus-topo', import.meta.url));

export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type Signal = (typeof SIGNALS)[number];

/** How many moments: few by default, 40 for a long run. */
export const moments = (few: number): number => Number(process.env.AFBUS_INTERRUPTS ?? few);

export interface Interrupted {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
}

/** When: after that many ms, or at the first line of stderr that matches. */
export async function interrupted(
  args: readonly string[],
  name: Signal,
  when: number | RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<Interrupted> {
  const child = spawn(COMMAND, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: { ...process.env, ...env },
  });
  let [stderr, sent] = ['', false];
  const send = () => {
    if (!sent) child.kill(name);
    sent = true;
  };
  const timer = typeof when === 'number' ? setTimeout(send, when) : undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (typeof when !== 'number' && when.test(stderr)) send();
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  await groupEnds(child.pid as number);
  return { code, signal, stderr };
}

/** Waits until no process of the group is left: what the shell of the command had started may end after the shell. */
async function groupEnds(group: number): Promise<void> {
  const isLeft = () => {
    try {
      return process.kill(-group, 0);
    } catch {
      return false;
    }
  };
  for (const until = performance.now() + 5000; isLeft(); await sleep(10)) {
    assert.ok(performance.now() < until, 'something of it still runs');
  }
}

/** Ended as interrupted programs do, with no stack: by its handler, or by the signal before it had any. */
export function assertInterrupted({ code, signal, stderr }: Interrupted, name: Signal): void {
  const expected = name === 'SIGHUP' ? 129 : 130;
  assert.ok(code === expected || signal === name, `${name}: code ${code}, signal ${signal}\n${stderr}`);
  assert.doesNotMatch(stderr, /^\s+at .+:\d+:\d+\)?$/m);
}
