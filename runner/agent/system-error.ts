// SPDX-License-Identifier: MIT
/** Turns what was thrown into the form of a report. */
import type { SystemErrorData } from './protocol.ts';

export function systemError(error: unknown): SystemErrorData {
  const { name, message, code, syscall } = error as NodeJS.ErrnoException;
  return { code: code ?? name, message, ...(syscall !== undefined && { syscall }) };
}
