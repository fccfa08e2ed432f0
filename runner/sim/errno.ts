// SPDX-License-Identifier: MIT
/** Errors that look like those of system calls. */

export function errorOf(code: string, syscall: string): Error & { code: string } {
  return Object.assign(new Error(`${code}, ${syscall} (simulated)`), { code, syscall });
}
