// SPDX-License-Identifier: MIT
/** Prints an error on stderr: what happened, the lines that show it, what to do next. */

import { styleText } from 'node:util';
import { EXIT, type ExitCode, TopoError } from '../common/errors.ts';
import { neutral, neutralLines } from '../common/neutral.ts';

const paint = (style: 'red' | 'yellow' | 'dim' | 'bold', text: string) =>
  styleText(style, text, { stream: process.stderr });

/** Prints something that went wrong but changes no result. */
export function warn(message: string): void {
  console.error(`${paint('yellow', 'warning:')} ${neutral(message)}`);
}

/** Prints the error and returns its exit code. */
export function report(e: unknown): ExitCode {
  if (e instanceof TopoError) {
    for (const line of e.lines) console.error(paint('dim', `  | ${neutral(line)}`));
    console.error(`${paint('red', 'error:')} ${neutral(e.message)}`);
    if (e.hint) console.error(`${paint('bold', 'hint:')} ${neutral(e.hint)}`);
    return e.exitCode;
  }
  // A bug of this tool: its authors need the stack.
  console.error(
    `${paint('red', 'internal error:')} ${neutralLines(e instanceof Error ? (e.stack ?? e.message) : String(e))}`,
  );
  console.error(
    `${paint('bold', 'hint:')} this is a bug of afbus-topo; please report it with the lines above`,
  );
  return EXIT.environment;
}
