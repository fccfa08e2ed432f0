// SPDX-License-Identifier: MIT
/** What was thrown → what a report can carry. */
import type { SystemErrorData } from './protocol.ts';

export function systemError(error: unknown): SystemErrorData {
  const { name, message, code, syscall } = error as NodeJS.ErrnoException;
  return { code: code ?? name, message, ...(syscall !== undefined && { syscall }) };
}
