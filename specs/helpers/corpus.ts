// SPDX-License-Identifier: MIT
/** The corpus of D-Bus rules and messages that all readers are held to (kernel/tests/corpus.txt says how it is written). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Endian, Writer } from '../../runner/dbus/index.ts';

const FILE = new URL('../../kernel/tests/corpus.txt', import.meta.url);

export type Reader = 'nfdbus' | 'runner' | 'dbus-daemon' | 'dbus-broker';

/** A line that says something about every reader; `but` has what some do instead. */
interface Line {
  /** In the file, from 1. */
  readonly number: number;
  readonly but: Map<Reader, string>;
}

export interface RuleCase extends Line {
  readonly sign: '+' | '-' | '=' | '!';
  readonly rule: string;
  /** What `=` and `!` are compared with. */
  readonly base: string | undefined;
}

export interface MatchCase extends Line {
  readonly yes: boolean;
  readonly rule: string;
}

export interface MessageCase extends Line {
  readonly title: string;
  readonly verdict: 'valid' | 'bad' | 'body';
  /** JSON of the arguments' values. */
  readonly values: string | undefined;
  readonly matches: readonly MatchCase[];
  /** Whether it is a signal to everyone, so that a bus can be asked who gets it. */
  readonly broadcast: boolean;
  readonly bytes: (endian: Endian) => Buffer;
}

export interface Corpus {
  readonly rules: readonly RuleCase[];
  readonly messages: readonly MessageCase[];
}

/** What a reader says to a line: what all say, or what it says instead. */
export const verdictOf = ({ but }: Line, reader: Reader, verdict: string): string =>
  but.get(reader) ?? verdict;

export function readCorpus(): Corpus {
  const rules: RuleCase[] = [];
  const messages: Draft[] = [];
  let last: Line | undefined;
  let base: string | undefined;
  for (const [n, text] of readFileSync(FILE, 'utf8').split('\n').entries()) {
    if (text === '' || text.startsWith('#')) continue;
    const line: Line = { number: n + 1, but: new Map() };
    const [word, rest] = split(text);
    if (word === '@') {
      const [reader, verdict] = rest.split(' ');
      last?.but.set(reader as Reader, verdict as string);
      continue;
    }
    last = line;
    if (word === '+' || word === '-' || word === '=' || word === '!') {
      const rule = expand(rest).toString();
      if (word === '+') base = rule;
      const sign = word as RuleCase['sign'];
      rules.push(Object.assign(line, { sign, rule, base: word === '=' || word === '!' ? base : undefined }));
    } else if (word === 'message') messages.push(Object.assign(line, draft(rest)));
    else addLine(messages.at(-1) as Draft, line, word, rest);
  }
  return { rules, messages: messages.map(finish) };
}

interface Draft extends Line {
  readonly title: string;
  readonly lines: [string, string][];
  readonly matches: MatchCase[];
  verdict: string | undefined;
  values: string | undefined;
}

const draft = (title: string): Omit<Draft, keyof Line> => ({
  title,
  lines: [],
  matches: [],
  verdict: undefined,
  values: undefined,
});

/** A word, and what comes after one blank. */
function split(text: string): [string, string] {
  const at = text.indexOf(' ');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function addLine(message: Draft, line: Line, word: string, rest: string): void {
  if (word === 'yes' || word === 'no')
    message.matches.push(Object.assign(line, { yes: word === 'yes', rule: expand(rest).toString() }));
  else if (word === 'is') message.values = rest;
  else if (word === 'valid' || word === 'bad' || (word === 'body' && rest === '')) message.verdict = word;
  else message.lines.push([word, rest]);
  // What a reader does instead is about the message.
  if (message.verdict === word) Object.assign(line, { but: message.but });
}

function finish({ verdict, lines, ...message }: Draft): MessageCase {
  assert.ok(verdict, `line ${message.number}: message ${message.title} without a verdict`);
  const broadcast =
    lines.some(([word]) => word === 'signal') && !lines.some(([, rest]) => rest.startsWith('6 '));
  return {
    ...message,
    broadcast,
    verdict: verdict as MessageCase['verdict'],
    bytes: (endian) => assemble(lines, endian),
  };
}

/** `%0a` is a byte, `%{61*500}` is 500 times one. */
export function expand(text: string): Buffer {
  const pieces = text.split(/%(?:\{([0-9a-f]{2})\*(\d+)\}|([0-9a-f]{2}))/);
  const bytes: Buffer[] = [];
  for (let n = 0; n < pieces.length; n += 4) {
    bytes.push(Buffer.from(pieces[n] as string));
    const hex = pieces[n + 1] ?? pieces[n + 3];
    if (hex !== undefined) bytes.push(Buffer.alloc(Number(pieces[n + 2] ?? 1), Number.parseInt(hex, 16)));
  }
  return Buffer.concat(bytes);
}

const TYPE_CODE = { call: 1, return: 2, error: 3, signal: 4 } as const;

function assemble(lines: readonly [string, string][], endian: Endian): Buffer {
  const head = new Writer(endian);
  const body = new Writer(endian);
  head.bytes(Buffer.from([endian === 'little' ? 0x6c : 0x42, 0, 0, 1]));
  head.uint32(0);
  head.uint32(7);
  head.uint32(0);
  const numbers: [string, string][] = [];
  const tail = new Writer(endian);
  let type = 0;
  let cut = 0;
  for (const [word, rest] of lines) {
    if (word in TYPE_CODE || word === 'type') type = begin(head, word, rest);
    else if (word === 'field') addField(head, ...split(rest));
    else if (word === 'body') addBody(head, body, rest);
    else if (word === 'set') numbers.push(split(rest));
    else if (word === 'tail') put(tail, rest);
    else if (word === 'cut') cut = Number(rest);
    else assert.fail(`no such line: ${word} ${rest}`);
  }
  head.setUint32(12, head.length - 16);
  head.align(8);
  head.setUint32(4, body.length);
  const whole = Buffer.concat([head.done(), body.done()]);
  const bytes = Buffer.concat([whole.subarray(0, whole.length - cut), tail.done()]);
  bytes[1] = type;
  for (const [what, value] of numbers) setNumber(bytes, endian, what, value);
  return bytes;
}

/** The type's code. */
function begin(head: Writer, word: string, rest: string): number {
  const [first = '-', second = '-', third = '-'] = rest.split(' ');
  if (word === 'type') return Number(rest);
  if (word === 'signal' || word === 'call') {
    if (first !== '-') addField(head, '1', `o o"${first}"`);
    if (second !== '-') addField(head, '2', `s s"${second}"`);
    if (third !== '-') addField(head, '3', `s s"${third}"`);
  } else if (word === 'error') {
    if (first !== '-') addField(head, '4', `s s"${first}"`);
    if (second !== '-') addField(head, '5', `u u${second}`);
  } else if (first !== '-') addField(head, '5', `u u${first}`);
  return TYPE_CODE[word as keyof typeof TYPE_CODE];
}

function addField(head: Writer, code: string, rest: string): void {
  const [signature, values] = split(rest);
  head.align(8);
  head.byte(Number(code));
  putSignature(head, signature === '-' ? '' : signature);
  put(head, values);
}

function addBody(head: Writer, body: Writer, rest: string): void {
  const [signature, values] = split(rest);
  if (signature !== '-') addField(head, '8', `g g"${signature}"`);
  put(body, values);
}

const NUMBERS: Readonly<Record<string, readonly [at: number, bytes: 1 | 4]>> = {
  order: [0, 1],
  type: [1, 1],
  flags: [2, 1],
  version: [3, 1],
  body: [4, 4],
  serial: [8, 4],
  fields: [12, 4],
};

function setNumber(bytes: Buffer, endian: Endian, what: string, text: string): void {
  const [at, size] = NUMBERS[what] as readonly [number, 1 | 4];
  const old =
    size === 1 ? bytes.readUInt8(at) : endian === 'little' ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  const value = (/^[+-]/.test(text) ? old + Number(text) : Number(text)) >>> 0;
  if (size === 1) bytes.writeUInt8(value, at);
  else if (endian === 'little') bytes.writeUInt32LE(value, at);
  else bytes.writeUInt32BE(value, at);
}

/** Nothing is checked: what is written is what is there. */
function putSignature(writer: Writer, signature: string): void {
  const bytes = expand(signature);
  writer.byte(bytes.length);
  writer.bytes(bytes);
  writer.byte(0);
}

const TOKEN =
  /\s*(?:([ybnqiuxtdh])([-+.e\dx]+)|([sog]?)"([^"]*)"|\[(\d)|\|(\d)|!([0-9a-f]+)(?:\*(\d+))?|([(){}\]]))/y;

function put(writer: Writer, values: string): void {
  const open: { at: number; start: number }[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < values.trimEnd().length) {
    const token = TOKEN.exec(values);
    assert.ok(token, `not understood: ${values}`);
    const [, code, number, kind, text, item, pad, hex, times = '1', sign] = token;
    const at = TOKEN.lastIndex;
    if (code !== undefined) putNumber(writer, code, number as string);
    else if (text !== undefined) putText(writer, kind as string, text);
    else if (item !== undefined) open.push(putArray(writer, Number(item)));
    else if (pad !== undefined) writer.align(Number(pad));
    else if (hex !== undefined) writer.bytes(Buffer.from(hex.repeat(Number(times)), 'hex'));
    else if (sign === '(' || sign === '{') writer.align(8);
    else if (sign === ']') closeArray(writer, open.pop());
    TOKEN.lastIndex = at;
  }
}

function putNumber(writer: Writer, code: string, text: string): void {
  const type = { b: 'u', h: 'u' }[code] ?? code;
  const value = 'xt'.includes(type) ? BigInt(text) : Number(text);
  const size = { y: 1, n: 2, q: 2, i: 4, u: 4, x: 8, t: 8, d: 8 }[type] as number;
  writer.value({ code: type, signature: type, alignment: size, size, inside: [] }, value);
}

function putText(writer: Writer, kind: string, text: string): void {
  const bytes = expand(text);
  if (kind === 'g') putSignature(writer, text);
  else if (kind === '') writer.bytes(bytes);
  else {
    writer.uint32(bytes.length);
    writer.bytes(bytes);
    writer.byte(0);
  }
}

function putArray(writer: Writer, alignment: number) {
  writer.uint32(0);
  const at = writer.length - 4;
  writer.align(alignment);
  return { at, start: writer.length };
}

function closeArray(writer: Writer, array: { at: number; start: number } | undefined): void {
  assert.ok(array, 'a ] without its [');
  writer.setUint32(array.at, writer.length - array.start);
}

/** A value as `is` lines write it. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return [...value].map((entry) => entry.map(plain));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  return value;
}
