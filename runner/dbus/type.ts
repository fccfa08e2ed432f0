// SPDX-License-Identifier: MIT
/** Types and signatures: a signature is a list of complete types (D-Bus Specification, "Type System"). */

/** Codes of types that contain no type, except for `v`. The key of a dict entry has one of these. */
const BASIC = 'ybnqiuxtdhsog';
/** Maximum nesting of arrays, and of structures. */
const DEPTH = 32;
/** Bytes of a signature. */
export const MAX_SIGNATURE = 255;

/** A complete type, parsed. */
export interface Type {
  /** Its first byte: what kind of type it is. A dict entry is `{`, a structure `(`. */
  readonly code: string;
  readonly signature: string;
  /** Its values begin at a multiple of this. */
  readonly alignment: number;
  /** Size of each value in bytes; undefined if it varies, or if not every bit pattern is a value. */
  readonly size: number | undefined;
  /** Of an array: its items. Of a structure: its members. Of a dict entry: key and value. */
  readonly inside: readonly Type[];
}

/** `sa{sv}i` → `s`, `a{sv}`, `i`; undefined if it is no list of complete types. */
export function typesOf(signature: string): readonly Type[] | undefined {
  const known = cache.get(signature);
  if (known !== undefined) return known;
  if (signature.length > MAX_SIGNATURE) return undefined;
  const types = allIn(new Cursor(signature), 0, 0, '');
  if (types !== undefined) remember(signature, types);
  return types;
}

/** A signature of exactly one complete type. */
export function typeOf(signature: string): Type | undefined {
  const types = typesOf(signature);
  return types?.length === 1 ? types[0] : undefined;
}

/** Limited, since signatures come from strangers. */
const cache = new Map<string, readonly Type[]>();
const MAX_CACHED = 1000;

function remember(signature: string, types: readonly Type[]): void {
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(signature, types);
}

class Cursor {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get code(): string {
    return this.#text[this.at] ?? '';
  }

  from(start: number): string {
    return this.#text.slice(start, this.at);
  }
}

/** The complete types up to a closing byte, which is skipped. */
function allIn(cursor: Cursor, arrays: number, structures: number, close: string): Type[] | undefined {
  const types: Type[] = [];
  while (cursor.code !== close) {
    const type = next(cursor, arrays, structures);
    if (type === undefined) return undefined;
    types.push(type);
  }
  cursor.at++;
  return types;
}

function next(cursor: Cursor, arrays: number, structures: number): Type | undefined {
  if (arrays > DEPTH || structures > DEPTH) return undefined;
  const start = cursor.at;
  const { code } = cursor;
  cursor.at++;
  if (code !== '' && (BASIC.includes(code) || code === 'v')) return make(code, code, []);
  const inside = insideOf(code, cursor, arrays, structures);
  return inside === undefined ? undefined : make(code, cursor.from(start), inside);
}

function insideOf(code: string, cursor: Cursor, arrays: number, structures: number) {
  if (code === '(') {
    const members = allIn(cursor, arrays, structures + 1, ')');
    return members?.length === 0 ? undefined : members;
  }
  if (code !== 'a') return undefined;
  const item =
    cursor.code === '{' ? entry(cursor, arrays + 1, structures) : next(cursor, arrays + 1, structures);
  return item && [item];
}

/** A dict entry is valid only as the item of an array. */
function entry(cursor: Cursor, arrays: number, structures: number): Type | undefined {
  const start = cursor.at++;
  const inside = allIn(cursor, arrays, structures, '}');
  if (inside?.length !== 2 || !BASIC.includes(inside[0]?.code ?? ' ')) return undefined;
  return make('{', cursor.from(start), inside);
}

const ALIGNMENT: Readonly<Record<string, number>> = {
  ...{ y: 1, g: 1, v: 1, n: 2, q: 2 },
  ...{ b: 4, i: 4, u: 4, h: 4, s: 4, o: 4, a: 4 },
  ...{ x: 8, t: 8, d: 8, '(': 8, '{': 8 },
};
const SIZE: Readonly<Record<string, number>> = { y: 1, n: 2, q: 2, i: 4, u: 4, h: 4, x: 8, t: 8, d: 8 };

const make = (code: string, signature: string, inside: readonly Type[]): Type => ({
  code,
  signature,
  alignment: ALIGNMENT[code] ?? 1,
  size: SIZE[code],
  inside,
});
