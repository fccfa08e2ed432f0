// SPDX-License-Identifier: MIT
/** What this process reads and writes while something runs in it: every call of `node:fs` that names a path. */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join } from 'node:path';

export interface Touched {
  readonly does: 'read' | 'write';
  readonly call: string;
  /** Links followed, as the call does. */
  readonly place: string;
}

type Call = (...args: unknown[]) => unknown;

/** They look at what is there, and show no byte of it. */
const LOOKS = /^(access|exists|f?stat|lstat|statfs|realpath|readlink|watch|unwatch)/;
const READS = /^(readFile|readdir|opendir|createReadStream|openAsBlob)/;
/** They replace or remove the name itself, and follow no link that it is. */
const NAMES = /^(rename|rm|unlink|mkdir|rmdir|symlink|lchown|lutimes|link)/;
const CALLS = /^[a-z]/;

const real = fs.realpathSync;

/** Runs `work`, and tells of each path that it touched. Calls of Node itself, such as imports, do not come here. */
export async function watched<T>(
  work: () => Promise<T>,
): Promise<{ result: T; touched: readonly Touched[] }> {
  const touched: Touched[] = [];
  const restore = [fs, fs.promises].map((module) =>
    wrap(module as unknown as Record<string, unknown>, touched),
  );
  syncBuiltinESMExports();
  try {
    return { result: await work(), touched };
  } finally {
    for (const each of restore) each();
    syncBuiltinESMExports();
  }
}

function wrap(module: Record<string, unknown>, touched: Touched[]): () => void {
  const calls = Object.entries(module).filter(
    ([name, value]) => typeof value === 'function' && CALLS.test(name) && !LOOKS.test(name),
  ) as [string, Call][];
  for (const [name, call] of calls) {
    const wrapped = (...args: unknown[]) => {
      note(name, args, touched);
      return Reflect.apply(call, module, args);
    };
    module[name] = Object.assign(wrapped, call);
  }
  return () => Object.assign(module, Object.fromEntries(calls));
}

function note(call: string, args: readonly unknown[], touched: Touched[]): void {
  const does = READS.test(call) || (call.startsWith('open') && isReading(args[1])) ? 'read' : 'write';
  const two = /^(rename|link|symlink|copyFile|cp)/.test(call);
  for (const path of args.slice(0, two ? 2 : 1)) {
    if (typeof path === 'string') touched.push({ does, call, place: placeOf(path, NAMES.test(call)) });
  }
}

function isReading(flags: unknown): boolean {
  const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = fs.constants;
  if (typeof flags === 'number') return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)) === 0;
  return flags === undefined || flags === 'r';
}

/** Where the call ends up; what is not there yet is where its folder is. */
function placeOf(path: string, itself: boolean): string {
  try {
    return itself ? join(real(dirname(path)), basename(path)) : real(path);
  } catch {
    try {
      return join(real(dirname(path)), basename(path));
    } catch {
      return path;
    }
  }
}
