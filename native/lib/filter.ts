// SPDX-License-Identifier: MIT
/** Classic BPF programs for socket filters, in the kernel's own terms (`struct sock_filter`, linux/filter.h). */

/** One instruction: opcode, jumps when true and false, operand. */
export interface FilterInstruction {
  /** 0 … 0xffff */
  readonly code: number;
  /** 0 … 255 */
  readonly jt: number;
  /** 0 … 255 */
  readonly jf: number;
  /** 0 … 0xffffffff */
  readonly k: number;
}

const MAX_INSTRUCTIONS = 4096;

/** `return k`: how many bytes of each message to keep; 0 drops it. */
export const filterReturn = (k: number): FilterInstruction => ({ code: 0x06, jt: 0, jf: 0, k });

/** A filter as an array of struct sock_filter in host order. Throws RangeError for a field outside its range. */
export function packFilter(program: readonly FilterInstruction[]): Uint8Array {
  if (program.length === 0 || program.length > MAX_INSTRUCTIONS) {
    throw new RangeError(`a filter has 1 to ${MAX_INSTRUCTIONS} instructions, not ${program.length}`);
  }
  const bytes = new Uint8Array(program.length * 8);
  const codes = new Uint16Array(bytes.buffer);
  const operands = new Uint32Array(bytes.buffer);
  for (const [i, { code, jt, jf, k }] of program.entries()) {
    checkField(i, 'code', code, 0xffff);
    checkField(i, 'jt', jt, 0xff);
    checkField(i, 'jf', jf, 0xff);
    checkField(i, 'k', k, 0xffff_ffff);
    codes[i * 4] = code;
    bytes[i * 8 + 2] = jt;
    bytes[i * 8 + 3] = jf;
    operands[i * 2 + 1] = k;
  }
  return bytes;
}

function checkField(index: number, name: string, value: number, limit: number): void {
  if (!Number.isInteger(value) || value < 0 || value > limit) {
    throw new RangeError(
      `filter instruction ${index}: ${name} ${value} is not an integer from 0 to ${limit}`,
    );
  }
}
