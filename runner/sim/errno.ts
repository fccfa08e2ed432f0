// SPDX-License-Identifier: MIT
/** Errors in the shape of those that system calls throw. */

export function errorOf(code: string, syscall: string): Error & { code: string } {
  return Object.assign(new Error(`${code}, ${syscall} (simulated)`), { code, syscall });
}
