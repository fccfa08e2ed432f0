// SPDX-License-Identifier: MIT
/**
 * An assembler for classic BPF in the notation of the kernel's bpf_asm: one instruction per line, with `label:` before
 * it and a comment after `;`. It refuses what the kernel would refuse, and says where.
 */

import {
  ALU,
  BY_X,
  CLASS,
  type FilterInstruction,
  JUMP,
  MODE,
  RETURN_A,
  SCRATCH,
  SIZE,
  TXA,
} from '../../common/filter.ts';
import { didYouMean } from '../../common/nearest.ts';

/** A mistake, with its line and the piece of the line to mark. */
export interface BpfMistake {
  readonly line: string;
  readonly column: number;
  readonly length: number;
  readonly message: string;
  readonly hint?: string | undefined;
}

export type Assembled =
  | { readonly program: readonly FilterInstruction[] }
  | { readonly mistakes: readonly BpfMistake[] };

const MAX_INSTRUCTIONS = 4096;
const FARTHEST = 255;

const MNEMONICS: readonly string[] = [
  ...['ld', 'ldi', 'ldh', 'ldb', 'ldx', 'ldxi', 'ldxb', 'st', 'stx', 'tax', 'txa', 'ret'],
  ...['jmp', 'ja', 'jeq', 'jneq', 'jne', 'jlt', 'jle', 'jgt', 'jge', 'jset'],
  ...Object.keys(ALU),
];

/** An instruction whose jumps still contain labels. */
interface Draft {
  readonly code: number;
  readonly k: number;
  readonly where: StepContext;
  readonly yes?: string | undefined;
  readonly no?: string | undefined;
  /** Stands for a line that was refused, so that later lines keep their numbers. */
  readonly refused?: true;
}

interface StepContext {
  readonly line: string;
  readonly column: number;
  readonly text: string;
}

class Refused extends Error {
  readonly mistake: BpfMistake;
  constructor(mistake: BpfMistake) {
    super(mistake.message);
    this.mistake = mistake;
  }
}

function refuse({ line, column, text }: StepContext, piece: string, message: string, hint?: string): never {
  const inside = Math.max(0, text.indexOf(piece));
  throw new Refused({ line, column: column + inside, length: Math.max(1, piece.length), message, hint });
}

/** Turns source into a program, or into a list of every mistake in it. */
export function assemble(source: string): Assembled {
  const mistakes: BpfMistake[] = [];
  const labels = new Map<string, number>();
  const drafts: Draft[] = [];
  const collect = (work: () => void): boolean => {
    try {
      work();
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      mistakes.push(error.mistake);
      return false;
    }
  };
  const lines = source.split(/\r\n|\r|\n/);
  for (const line of lines) {
    const where = { line, column: 0, text: line };
    if (!collect(() => readLine(line, labels, drafts)))
      drafts.push({ code: CLASS.ret, k: 0, where, refused: true });
  }
  const program: FilterInstruction[] = [];
  drafts.forEach((draft, at) => {
    if (draft.refused) return;
    collect(() => program.push(link(draft, at, labels, drafts.length)));
  });
  collect(() => checkEnd(drafts, lines));
  if (mistakes.length === 0) for (const read of unwritten(program)) collect(() => refuseRead(read, drafts));
  return mistakes.length > 0 ? { mistakes: inOrder(mistakes, lines) } : { program };
}

/** Sorts the mistakes by line; each kind of mistake was found in a pass of its own. */
const inOrder = (mistakes: readonly BpfMistake[], lines: readonly string[]): BpfMistake[] =>
  mistakes.toSorted((a, b) => lines.indexOf(a.line) - lines.indexOf(b.line));

function readLine(line: string, labels: Map<string, number>, drafts: Draft[]): void {
  let text = line.replace(/;.*/s, '');
  let column = 0;
  for (;;) {
    const label = /^\s*([A-Za-z_]\w*)\s*:/.exec(text);
    if (label === null) break;
    const [all, name = ''] = label;
    const where = { line, column, text };
    if (labels.has(name)) refuse(where, name, `the label "${name}" is there twice`);
    labels.set(name, drafts.length);
    text = text.slice(all.length);
    column += all.length;
  }
  const start = text.length - text.trimStart().length;
  text = text.trim();
  if (text !== '') drafts.push(instruction({ line, column: column + start, text }));
}

function instruction(where: StepContext): Draft {
  const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(where.text) ?? [];
  if (!MNEMONICS.includes(name)) {
    const hint = didYouMean(name, MNEMONICS) ?? `Instructions are ${MNEMONICS.join(', ')}.`;
    refuse(where, name, `unknown instruction "${name}"`, hint);
  }
  const make = (code: number, k = 0): Draft => ({ code, k, where });
  if (name.startsWith('ld')) return load(name, rest, make, where);
  if (name === 'st' || name === 'stx') return make(name === 'st' ? CLASS.st : CLASS.stx, cell(rest, where));
  if (name === 'tax' || name === 'txa') {
    nothing(rest, where);
    return make(CLASS.misc | (name === 'txa' ? TXA : 0));
  }
  if (name === 'ret') return returning(rest, make, where);
  return name in ALU ? arithmetic(name as keyof typeof ALU, rest, make, where) : jump(name, rest, where);
}

type Make = (code: number, k?: number) => Draft;

function load(name: string, rest: string, make: Make, where: StepContext): Draft {
  const into = name.startsWith('ldx') ? CLASS.ldx : CLASS.ld;
  const nibble = /^4\s*\*\s*\(\s*\[\s*(\w+)\s*\]\s*&\s*0xf\s*\)$/i.exec(rest);
  if (into === CLASS.ldx && nibble !== null)
    return make(CLASS.ldx | MODE.msh | SIZE.byte, number(nibble[1] ?? '', where));
  if (name === 'ldxb') refuse(where, rest, 'expected 4*([k]&0xf)');
  if (name === 'ldi' || name === 'ldxi')
    return make(into | MODE.imm, number(rest.replace(/^#\s*/, ''), where));
  const whole = name === 'ld' || name === 'ldx';
  if (whole && /^#?(?:len|pktlen)$/.test(rest)) return make(into | MODE.len);
  if (whole && rest.startsWith('#')) return make(into | MODE.imm, immediate(rest, where));
  if (whole && /^M\s*\[/.test(rest)) return make(into | MODE.mem, cell(rest, where));
  const size = name === 'ldh' ? SIZE.half : name === 'ldb' ? SIZE.byte : SIZE.word;
  const absolute = /^\[\s*(\w+)\s*\]$/.exec(rest);
  const indexed = /^\[\s*%?x\s*(?:\+\s*(\w+)\s*)?\]$/.exec(rest);
  if (into === CLASS.ld && indexed !== null)
    return make(CLASS.ld | MODE.ind | size, number(indexed[1] ?? '0', where));
  if (into === CLASS.ld && absolute !== null)
    return make(CLASS.ld | MODE.abs | size, number(absolute[1] ?? '', where));
  const forms = into === CLASS.ldx ? '#k, #len, M[k] or 4*([k]&0xf)' : '[k], [x + k]';
  const more = whole && into === CLASS.ld ? ', #k, #len or M[k]' : '';
  return refuse(where, rest || where.text, `expected ${forms}${more} after ${name}`);
}

function returning(rest: string, make: Make, where: StepContext): Draft {
  if (/^%?a$/.test(rest)) return make(CLASS.ret | RETURN_A);
  if (!rest.startsWith('#'))
    refuse(
      where,
      rest || where.text,
      'expected #k or a after ret',
      'ret #0 drops the message; ret #-1 keeps all of it.',
    );
  return make(CLASS.ret, immediate(rest, where));
}

function arithmetic(name: keyof typeof ALU, rest: string, make: Make, where: StepContext): Draft {
  const code = CLASS.alu | ALU[name];
  if (name === 'neg') {
    nothing(rest, where);
    return make(code);
  }
  if (/^%?x$/.test(rest)) return make(code | BY_X);
  if (!rest.startsWith('#')) refuse(where, rest || where.text, `expected #k or x after ${name}`);
  const k = immediate(rest, where);
  if ((name === 'div' || name === 'mod') && k === 0) refuse(where, rest, 'a division by zero');
  if ((name === 'lsh' || name === 'rsh') && k > 31) refuse(where, rest, 'a shift by more than 31 bits');
  return make(code, k);
}

/** Jumps that the machine lacks are other jumps with their targets swapped. */
const JUMPS: Readonly<Record<string, readonly [code: number, swapped: boolean]>> = {
  jeq: [JUMP.jeq, false],
  jneq: [JUMP.jeq, true],
  jne: [JUMP.jeq, true],
  jgt: [JUMP.jgt, false],
  jge: [JUMP.jge, false],
  jlt: [JUMP.jge, true],
  jle: [JUMP.jgt, true],
  jset: [JUMP.jset, false],
};

function jump(name: string, rest: string, where: StepContext): Draft {
  const parts = rest.split(',').map((part) => part.trim());
  const [operand = '', first, second] = parts;
  const known = JUMPS[name];
  if (known === undefined) {
    if (parts.length !== 1 || operand === '')
      refuse(where, rest || where.text, `expected a label after ${name}`);
    return { code: CLASS.jmp | JUMP.ja, k: 0, where, yes: label(operand, where) };
  }
  const [code, swapped] = known;
  if (first === undefined || parts.length > 3) {
    refuse(
      where,
      rest || where.text,
      `expected an operand and one or two labels after ${name}`,
      `Write ${name} #1, label.`,
    );
  }
  const byX = /^%?x$/.test(operand);
  if (!byX && !operand.startsWith('#')) refuse(where, operand || rest, 'expected #k or x');
  const [yes, no] = [label(first, where), second === undefined ? undefined : label(second, where)];
  return {
    code: CLASS.jmp | code | (byX ? BY_X : 0),
    k: byX ? 0 : immediate(operand, where),
    where,
    ...(swapped ? { yes: no, no: yes } : { yes, no }),
  };
}

/** Replaces labels by distances. */
function link(
  { code, k, where, yes, no }: Draft,
  at: number,
  labels: ReadonlyMap<string, number>,
  end: number,
): FilterInstruction {
  const distance = (name: string | undefined): number => {
    if (name === undefined) return 0;
    const to = labels.get(name);
    if (to === undefined) {
      const hint = didYouMean(name, labels.keys()) ?? `Put ${name}: before an instruction.`;
      return refuse(where, name, `unknown label "${name}"`, hint);
    }
    if (to <= at)
      return refuse(
        where,
        name,
        `"${name}" is not further on`,
        'A filter jumps forward only, so that it ends.',
      );
    if (to >= end) return refuse(where, name, `there is no instruction after "${name}"`);
    const far = to - at - 1;
    if (far > FARTHEST && code !== (CLASS.jmp | JUMP.ja))
      refuse(
        where,
        name,
        `"${name}" is ${far} instructions away; at most ${FARTHEST}`,
        'Go there by way of a jmp.',
      );
    return far;
  };
  if (code === (CLASS.jmp | JUMP.ja)) return { code, jt: 0, jf: 0, k: distance(yes) };
  return { code, jt: distance(yes), jf: distance(no), k };
}

function checkEnd(drafts: readonly Draft[], lines: readonly string[]): void {
  const last = drafts.at(-1);
  if (last === undefined) {
    const [line = ''] = lines;
    refuse(
      { line, column: 0, text: line },
      line,
      'the filter has no instruction',
      'Write "ret #0" to drop everything.',
    );
  }
  if (drafts.length > MAX_INSTRUCTIONS)
    refuse(last.where, last.where.text, `${drafts.length} instructions; at most ${MAX_INSTRUCTIONS}`);
  if ((last.code & 7) !== CLASS.ret) {
    const hint = last.where.line.includes(';')
      ? '`;` starts a comment: write one instruction a line, in a block scalar (bpf: |).'
      : 'The last instruction is a ret.';
    refuse(last.where, last.where.text, 'the filter runs beyond its end', hint);
  }
}

interface Read {
  readonly at: number;
  readonly cell: number;
}

function refuseRead({ at, cell }: Read, drafts: readonly Draft[]): void {
  const { where } = drafts[at] as Draft;
  refuse(
    where,
    where.text,
    `M[${cell}] may not have been written here`,
    `Put st M[${cell}] on every path to it.`,
  );
}

/**
 * Reads of a cell of M[] that some path to them has not written: the kernel refuses these. Reports the first on each
 * path.
 */
function unwritten(program: readonly FilterInstruction[]): Read[] {
  const reads: Read[] = [];
  const all = 2 ** SCRATCH - 1;
  const written: number[] = program.map((_, at) => (at === 0 ? 0 : all));
  const reach = (at: number, cells: number) => {
    if (at < written.length) written[at] = (written[at] ?? all) & cells;
  };
  program.forEach(({ code, k, jt, jf }, at) => {
    let cells = written[at] ?? all;
    const kind = code & 7;
    if ((kind === CLASS.ld || kind === CLASS.ldx) && (code & 0xe0) === MODE.mem && (cells & (1 << k)) === 0) {
      reads.push({ at, cell: k });
      cells |= 1 << k;
    }
    if (kind === CLASS.ret) return;
    if (kind !== CLASS.jmp) reach(at + 1, kind === CLASS.st || kind === CLASS.stx ? cells | (1 << k) : cells);
    else if ((code & 0xf0) === JUMP.ja) reach(at + 1 + k, cells);
    else for (const far of [jt, jf]) reach(at + 1 + far, cells);
  });
  return reads;
}

const nothing = (rest: string, where: StepContext): void => {
  if (rest !== '') refuse(where, rest, 'this does not belong here');
};

function label(text: string, where: StepContext): string {
  if (!/^[A-Za-z_]\w*$/.test(text)) refuse(where, text || where.text, 'expected a label');
  return text;
}

function cell(text: string, where: StepContext): number {
  const [, k] = /^M\s*\[\s*(\w+)\s*\]$/.exec(text) ?? [];
  const value = k === undefined ? SCRATCH : number(k, where);
  if (value >= SCRATCH) refuse(where, text || where.text, `expected M[0] … M[${SCRATCH - 1}]`);
  return value;
}

const immediate = (text: string, where: StepContext): number =>
  text.startsWith('#')
    ? number(text.slice(1).trim(), where)
    : refuse(where, text || where.text, 'expected #k');

function number(text: string, where: StepContext): number {
  const value = /^-?(?:0x[0-9a-f]+|\d+)$/i.test(text)
    ? text.startsWith('-')
      ? -Number(text.slice(1))
      : Number(text)
    : Number.NaN;
  if (!(value >= -(2 ** 31) && value < 2 ** 32))
    refuse(where, text || where.text, 'expected a number of 32 bits');
  return value >>> 0;
}
