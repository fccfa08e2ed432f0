// SPDX-License-Identifier: MIT
/** Classic BPF socket filters as data, and their results for a message, which are the kernel's (linux/filter.h). */

/** One instruction: `struct sock_filter`. */
export interface FilterInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** A checked program: jumps stay inside and the last instruction returns. */
export type Filter = readonly FilterInstruction[];

/** Number of cells in M[]. */
export const SCRATCH = 16;

/** Classes, and the other bits of an instruction's code (linux/bpf_common.h). */
export const CLASS = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, ret: 6, misc: 7 } as const;
export const SIZE = { word: 0x00, half: 0x08, byte: 0x10 } as const;
export const MODE = { imm: 0x00, abs: 0x20, ind: 0x40, mem: 0x60, len: 0x80, msh: 0xa0 } as const;
export const ALU = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  neg: 0x80,
  mod: 0x90,
  xor: 0xa0,
} as const;
export const JUMP = { ja: 0x00, jeq: 0x10, jgt: 0x20, jge: 0x30, jset: 0x40 } as const;
/** The operand is X, not k. */
export const BY_X = 0x08;
/** `ret` returns A, not k. */
export const RETURN_A = 0x10;
export const TXA = 0x80;

/** How many bytes of the message are kept: at most its length; 0 drops it. */
export function runFilter(filter: Filter, message: Uint8Array): number {
  return Math.min(new Machine(message).run(filter), message.length);
}

/** A read beyond the message, or a division by zero, ends a filter with 0. */
const STOP = Symbol('stop');

class Machine {
  readonly #bytes: DataView;
  readonly #scratch = new Uint32Array(SCRATCH);
  #a = 0;
  #x = 0;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#bytes = new DataView(buffer, byteOffset, byteLength);
  }

  run(filter: Filter): number {
    for (let at = 0; at < filter.length; at++) {
      const instruction = filter[at] as FilterInstruction;
      const { code, k } = instruction;
      const operand = (code & BY_X) !== 0 ? this.#x : k;
      if ((code & 7) === CLASS.ret) return (code & RETURN_A) !== 0 ? this.#a : k;
      if ((code & 7) === CLASS.jmp) at += this.#jump(instruction, operand);
      else if (this.#step(instruction, operand) === STOP) return 0;
    }
    return 0;
  }

  #step({ code, k }: FilterInstruction, operand: number): typeof STOP | undefined {
    switch (code & 7) {
      case CLASS.ld:
        return this.#load(code, k, (value) => {
          this.#a = value;
        });
      case CLASS.ldx:
        return this.#load(code, k, (value) => {
          this.#x = value;
        });
      case CLASS.st:
        this.#scratch[k] = this.#a;
        return undefined;
      case CLASS.stx:
        this.#scratch[k] = this.#x;
        return undefined;
      case CLASS.alu:
        return this.#compute(code & 0xf0, operand);
      default:
        if ((code & TXA) !== 0) this.#a = this.#x;
        else this.#x = this.#a;
        return undefined;
    }
  }

  #load(code: number, k: number, into: (value: number) => void): typeof STOP | undefined {
    const value = this.#value(code, k);
    if (value === undefined) return STOP;
    into(value);
    return undefined;
  }

  #value(code: number, k: number): number | undefined {
    switch (code & 0xe0) {
      case MODE.imm:
        return k;
      case MODE.len:
        return this.#bytes.byteLength;
      case MODE.mem:
        return this.#scratch[k];
      case MODE.abs:
        return this.#read(k, code & 0x18);
      case MODE.ind:
        return this.#read((this.#x + k) >>> 0, code & 0x18);
      default: {
        const byte = this.#read(k, SIZE.byte);
        return byte === undefined ? undefined : (byte & 0xf) * 4;
      }
    }
  }

  /** Network byte order, like everything in classic BPF. */
  #read(at: number, size: number): number | undefined {
    const width = size === SIZE.word ? 4 : size === SIZE.half ? 2 : 1;
    if (at + width > this.#bytes.byteLength) return undefined;
    if (width === 4) return this.#bytes.getUint32(at);
    return width === 2 ? this.#bytes.getUint16(at) : this.#bytes.getUint8(at);
  }

  #compute(operation: number, by: number): typeof STOP | undefined {
    const a = this.#a;
    if ((operation === ALU.div || operation === ALU.mod) && by === 0) return STOP;
    this.#a = compute(operation, a, by) >>> 0;
    return undefined;
  }

  #jump({ code, jt, jf, k }: FilterInstruction, operand: number): number {
    const a = this.#a;
    switch (code & 0xf0) {
      case JUMP.ja:
        return k;
      case JUMP.jeq:
        return a === operand ? jt : jf;
      case JUMP.jgt:
        return a > operand ? jt : jf;
      case JUMP.jge:
        return a >= operand ? jt : jf;
      default:
        return (a & operand) !== 0 ? jt : jf;
    }
  }
}

function compute(operation: number, a: number, by: number): number {
  switch (operation) {
    case ALU.add:
      return a + by;
    case ALU.sub:
      return a - by;
    case ALU.mul:
      return Math.imul(a, by);
    case ALU.div:
      return Math.floor(a / by);
    case ALU.mod:
      return a % by;
    case ALU.or:
      return a | by;
    case ALU.and:
      return a & by;
    case ALU.xor:
      return a ^ by;
    case ALU.lsh:
      return a << (by & 31);
    case ALU.rsh:
      return a >>> (by & 31);
    default:
      return -a;
  }
}
