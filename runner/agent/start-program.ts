// SPDX-License-Identifier: MIT
/** Starts an unmodified program on the real system. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { System } from './system.ts';

/** Rejects with the errno of exec if there is no such program. */
export const startProgram: NonNullable<System['start']> = async ([file, ...args], env, heard) => {
  // A group of its own, so that a shell is killed together with what it has started.
  const child = spawn(file, args, {
    ...{ cwd: '/', detached: true, env: { ...process.env, ...env } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', (bytes: Buffer) => heard.output(bytes));
  child.stderr.on('data', (bytes: Buffer) => heard.errors(bytes));
  const { promise: ended, resolve } = Promise.withResolvers<{ exit: number | null; signal: string | null }>();
  child.on('close', (exit, signal) => resolve({ exit, signal }));
  await once(child, 'spawn');
  return {
    ended,
    kill() {
      try {
        process.kill(-(child.pid as number), 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    },
  };
};
