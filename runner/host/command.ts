// SPDX-License-Identifier: MIT
/** Runs a program of this machine until it exits; an abort signal ends its whole process group. */

import { spawn } from 'node:child_process';
import { EnvironmentError, Interrupted } from '../common/errors.ts';

export interface CommandOptions {
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Called with each line of stderr as it comes. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Resolves with the exit code, whatever it is; 127 if there is no such program. */
export function command(argv: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const [program = '', ...args] = argv;
  if (options.signal?.aborted) return Promise.reject(interrupted(argv));
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group of its own: Ctrl-C reaches it once, through the signal, with all its children
    });
    const killGroup = () => child.pid && process.kill(-child.pid, 'SIGTERM');
    options.signal?.addEventListener('abort', killGroup, { once: true });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (options.onLine) for (const line of text.split('\n')) if (line.trim()) options.onLine(line.trim());
    });
    child.on('error', (e: NodeJS.ErrnoException) => {
      resolve({ code: e.code === 'ENOENT' ? 127 : 126, stdout, stderr: e.message });
    });
    child.on('close', (code, killedBy) => {
      options.signal?.removeEventListener('abort', killGroup);
      if (options.signal?.aborted) reject(interrupted(argv));
      else
        resolve({ code: code ?? 128, stdout, stderr: killedBy ? `${stderr}ended by ${killedBy}\n` : stderr });
    });
  });
}

/**
 * The output of a program that must succeed. Our scripts report a failure on stderr, with `hint: …` as the last line.
 */
export async function must(
  what: string,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await command(argv, options);
  if (code === 0) return stdout;
  const lines = stderr.trimEnd().split('\n');
  const hint = lines.findLast((line) => line.startsWith('hint: '))?.slice(6);
  const said = lines.filter((line) => line && !line.startsWith('hint: '));
  throw new EnvironmentError(
    `${what} failed: ${said.at(-1) ?? `exit code ${code}`}`,
    hint ?? 'run "afbus-topo doctor" to see what this machine lacks',
    { lines: said.slice(-15) },
  );
}

const interrupted = (argv: readonly string[]) =>
  new Interrupted(
    `interrupted while ${argv[0]?.split('/').at(-1)} ran`,
    'start it again; what was built is kept',
  );
