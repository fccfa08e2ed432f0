// SPDX-License-Identifier: MIT
/** Starts an unmodified program on the real system. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { settled } from './event-loop.ts';
import type { System } from './system.ts';

/**
 * Rejects with the errno of exec if there is no such program. The program's end is its exit, not the end of its output:
 * a process that it has started in another session may hold that open for as long as it likes.
 */
export const startProgram: NonNullable<System['start']> = async ([file, ...args], env, heard) => {
  // A group of its own, so that a shell is killed together with what it has started.
  const child = spawn(file, args, {
    ...{ cwd: '/', detached: true, env: { ...process.env, ...env } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', (bytes: Buffer) => heard.output(bytes));
  child.stderr.on('data', (bytes: Buffer) => heard.errors(bytes));
  await once(child, 'spawn');
  const group = child.pid as number;
  const ended = once(child, 'exit').then(async ([exit, signal]) => {
    killGroup(group);
    // What it wrote before its exit is in the pipes now.
    await settled();
    child.stdout.destroy();
    child.stderr.destroy();
    return { exit, signal };
  });
  return {
    ended,
    kill() {
      // After its exit the number may be that of another group.
      if (child.exitCode === null && child.signalCode === null) killGroup(group);
    },
  };
};

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
