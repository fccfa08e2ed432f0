// SPDX-License-Identifier: MIT
/**
 * A lock between processes. A child, flock(1), holds it, and its stdin ends with this process, however this process
 * ends.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { lstatSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { EnvironmentError, Interrupted } from '../common/errors.ts';
import { privateFolder } from './paths.ts';

export interface Lock {
  /** Resolves when other processes can take the lock. */
  release(): Promise<void>;
}

/** Waits for the lock; calls `onWait` if another process has it. */
export async function lock(file: string, onWait: () => void, signal?: AbortSignal): Promise<Lock> {
  const first = await tryLock(file);
  if (first) return first;
  onWait();
  return (await hold(['flock', file], signal)) as Lock;
}

/** The lock, or null if another process has it. */
export async function tryLock(file: string): Promise<Lock | null> {
  return hold(['flock', '--nonblock', file]);
}

function hold(flock: readonly string[], signal?: AbortSignal): Promise<Lock | null> {
  const file = flock.at(-1) ?? '';
  privateFolder(dirname(file));
  // Another user who owns the file could hold the lock for ever.
  if (lstatSync(file, { throwIfNoEntry: false })?.uid !== process.getuid?.()) rmSync(file, { force: true });
  const [program = '', ...args] = flock;
  const child = spawn(program, [...args, 'sh', '-c', 'echo; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true, // Ctrl-C is ours to handle, and the lock must be held until then
  });
  const { promise, resolve, reject } = Promise.withResolvers<Lock | null>();
  const abort = () => {
    child.kill();
    reject(new Interrupted('interrupted while waiting for another afbus-topo', 'start it again'));
  };
  signal?.addEventListener('abort', abort, { once: true });
  // A signal that came before is not told again.
  if (signal?.aborted) abort();
  child.stdout.once('data', () => resolve(holder(child)));
  child.once('exit', () => resolve(null));
  child.once('error', (cause) =>
    reject(new EnvironmentError('cannot run flock', 'install util-linux', { cause })),
  );
  return promise.finally(() => signal?.removeEventListener('abort', abort));
}

function holder(child: ChildProcess): Lock {
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  (child.stdout as unknown as { unref(): void }).unref();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    release: () => {
      child.ref();
      child.stdin?.end();
      return ended;
    },
  };
}
