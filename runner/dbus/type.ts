// SPDX-License-Identifier: MIT
/** Types, parsed from signatures. */
import { ARRAY, CLOSE, isSignature, isType, MAX_SIGNATURE, OPEN, OPEN_ENTRY } from './signature.ts';

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
  const text = Buffer.from(signature);
  if (text.length > MAX_SIGNATURE || !isSignature(text, 0, text.length)) return undefined;
  const types = new Builder(text, 0).until(text.length);
  remember(signature, types);
  return types;
}

/** A signature of exactly one complete type. */
export function typeOf(signature: string): Type | undefined {
  const types = typesOf(signature);
  return types?.length === 1 ? types[0] : undefined;
}

/**
 * The same of bytes in a message. The time that it takes grows with the number of bytes, whatever signatures a stranger
 * chooses.
 */
export const typeIn = (text: Uint8Array, start: number, end: number): Type | undefined =>
  isType(text, start, end) ? new Builder(text, start).next() : undefined;

/** Limited, since signatures come from strangers. */
const cache = new Map<string, readonly Type[]>();
const MAX_CACHED = 1000;

function remember(signature: string, types: readonly Type[]): void {
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(signature, types);
}

/** Makes types of a signature that is known to be one. */
class Builder {
  readonly #text: Uint8Array;
  #at: number;

  constructor(text: Uint8Array, at: number) {
    this.#text = text;
    this.#at = at;
  }

  until(end: number): readonly Type[] {
    const types: Type[] = [];
    while (this.#at < end) types.push(this.next());
    return types;
  }

  next(): Type {
    const code = this.#text[this.#at++] as number;
    if (code === ARRAY) return new Container('a', [this.next()]);
    if (code === OPEN) return new Container('(', this.#members());
    if (code === OPEN_ENTRY) return this.#entry();
    return PLAIN[code] as Type;
  }

  #members(): readonly Type[] {
    const members: Type[] = [];
    while (this.#text[this.#at] !== CLOSE) members.push(this.next());
    this.#at++;
    return members;
  }

  #entry(): Type {
    const inside = [this.next(), this.next()];
    this.#at++;
    return new Container('{', inside);
  }
}

const ALIGNMENT = {
  ...{ y: 1, g: 1, v: 1, n: 2, q: 2 },
  ...{ b: 4, i: 4, u: 4, h: 4, s: 4, o: 4, a: 4 },
  ...{ x: 8, t: 8, d: 8, '(': 8, '{': 8 },
} as const;
const SIZE: Readonly<Record<string, number>> = { y: 1, n: 2, q: 2, i: 4, u: 4, h: 4, x: 8, t: 8, d: 8 };
const ENDS = { a: '', '(': ')', '{': '}' } as const;

class Container implements Type {
  readonly code: keyof typeof ENDS;
  readonly alignment: number;
  readonly size = undefined;
  readonly inside: readonly Type[];

  constructor(code: keyof typeof ENDS, inside: readonly Type[]) {
    this.code = code;
    this.alignment = ALIGNMENT[code];
    this.inside = inside;
  }

  get signature(): string {
    return `${this.code}${this.inside.map(({ signature }) => signature).join('')}${ENDS[this.code]}`;
  }
}

/** Types that contain none, by their codes. */
const PLAIN: readonly (Type | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const letter = String.fromCharCode(code);
  if (!(letter in ALIGNMENT) || letter in ENDS) return undefined;
  const alignment = ALIGNMENT[letter as keyof typeof ALIGNMENT];
  return { code: letter, signature: letter, alignment, size: SIZE[letter], inside: [] };
});
