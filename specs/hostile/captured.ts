// SPDX-License-Identifier: MIT
/** What the command prints, if it runs in this process. */

import { report } from '../../runner/cli/report-error.ts';
import { SECRET } from './sandbox.ts';

/** What one call of the command printed, and its exit code. */
export interface Said {
  /** The verb and the format: `run junit`. */
  readonly by: string;
  readonly format: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The file asks for this variable, and must not see it. */
export const ENVIRONMENT = { HARMLESS: SECRET, NO_COLOR: '1' };

/** What `work` writes to the streams of this process, which see none of it. */
export async function captured(work: () => Promise<void>): Promise<Pick<Said, 'code' | 'stdout' | 'stderr'>> {
  const texts = { stdout: '', stderr: '' };
  const streams = ['stdout', 'stderr'] as const;
  const before = { stdout: process.stdout.write, stderr: process.stderr.write, exitCode: process.exitCode };
  Object.assign(process.env, ENVIRONMENT);
  for (const stream of streams) {
    process[stream].write = (chunk: string | Uint8Array) => {
      texts[stream] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      return true;
    };
  }
  try {
    process.exitCode = 0;
    try {
      await work();
    } catch (error) {
      process.exitCode = report(error);
    }
    return { ...texts, code: Number(process.exitCode) };
  } finally {
    for (const stream of streams) process[stream].write = before[stream];
    process.exitCode = before.exitCode;
  }
}
