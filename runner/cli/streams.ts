// SPDX-License-Identifier: MIT
/** What happens if the output of a command cannot be written. */

import { EnvironmentError, EXIT } from '../common/errors.ts';
import { report } from './report-error.ts';

/**
 * If the reader has seen enough (`| head`) or the terminal was closed (EIO), the exit code is that of the work. Any
 * other error means that a result is lost, which no exit code of the work may hide.
 */
export function guardStreams(): void {
  process.stderr.on('error', () => {}); // there is no place left to report it
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || (error.code === 'EIO' && process.stdout.isTTY)) return;
    report(
      new EnvironmentError(
        `stdout cannot be written: ${error.message}`,
        'free some space, or write elsewhere',
      ),
    );
    process.on('exit', () => {
      process.exitCode = EXIT.environment;
    });
  });
}
