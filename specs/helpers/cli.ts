// SPDX-License-Identifier: MIT
/** The command as a black box: arguments in; exit code, stdout, stderr out. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Verdict } from '../../runner/verdict/verdict.ts';

const COMMAND = fileURLToPath(new URL('../../bin/afbus-topo', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What is piped in; nothing, unless it is said. */
  readonly input?: string;
  /** Called with the child and all of stderr so far, each time there is more. */
  readonly onStderr?: (child: ChildProcess, text: string) => void;
}

export function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawn(COMMAND, [...args], {
    cwd: options.cwd,
    env: { ...process.env, CI: 'true', ...options.env },
    stdio: 'pipe',
  });
  child.stdin.end(options.input);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onStderr?.(child, stderr);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Plays a file and returns its verdict; fails with all that was said where there is none. */
export async function verdictOf(args: readonly string[]): Promise<Verdict & { code: number | null }> {
  const { code, stdout, stderr } = await cli([...args, '--format', 'json']);
  try {
    return { ...(JSON.parse(stdout) as Verdict), code };
  } catch {
    throw new Error(`no verdict (exit ${code}):\n${stdout}\n${stderr}`);
  }
}

/** A directory of files that is gone after use. */
export function folder(
  files: Readonly<Record<string, string>>,
  place = tmpdir(),
): { path: (name: string) => string } & Disposable {
  const root = mkdtempSync(join(place, 'afbus-spec-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  return {
    path: (name) => join(root, name),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Checks that failed, by name. */
export const failed = (verdict: Verdict): readonly string[] =>
  verdict.checks.filter((c) => c.result === 'fail').map((c) => c.name);
