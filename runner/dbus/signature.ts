// SPDX-License-Identifier: MIT
/**
 * The grammar of signatures: a list of complete types (D-Bus Specification, "Type System"). It reads bytes where they
 * are, since a message may have millions of signatures.
 */

/** Codes of types that contain no type, except for `v`. The key of a dict entry has one of these. */
const BASIC = 'ybnqiuxtdhsog';
/** Maximum nesting of arrays, and of structures. */
const DEPTH = 32;
/** Bytes of a signature. */
export const MAX_SIGNATURE = 255;

const codeOf = (letter: string): number => letter.charCodeAt(0);
const setOf = (letters: string): Uint8Array => {
  const set = new Uint8Array(256);
  for (const letter of letters) set[codeOf(letter)] = 1;
  return set;
};
const IS_BASIC = setOf(BASIC);
const IS_PLAIN = setOf(`${BASIC}v`);
export const [ARRAY, OPEN, CLOSE, OPEN_ENTRY] = ['a', '(', ')', '{'].map(codeOf) as [
  number,
  number,
  number,
  number,
];
const CLOSE_ENTRY = codeOf('}');
const NONE = -1;

/** Whether these bytes are a list of complete types. */
export function isSignature(text: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at !== NONE && at < end) at = typeEnd(text, at, end, 0, 0);
  return at === end;
}

/** Whether these bytes are one complete type. */
export const isType = (text: Uint8Array, start: number, end: number): boolean =>
  typeEnd(text, start, end, 0, 0) === end;

/** The position after the complete type that begins at `at`. */
function typeEnd(text: Uint8Array, at: number, end: number, arrays: number, structures: number): number {
  if (at >= end || arrays > DEPTH || structures > DEPTH) return NONE;
  const code = text[at] as number;
  if (IS_PLAIN[code] === 1) return at + 1;
  if (code === OPEN) return structureEnd(text, at, end, arrays, structures);
  if (code !== ARRAY) return NONE;
  if (at + 1 < end && text[at + 1] === OPEN_ENTRY) return entryEnd(text, at + 1, end, arrays + 1, structures);
  return typeEnd(text, at + 1, end, arrays + 1, structures);
}

/** It has one member or more. */
function structureEnd(
  text: Uint8Array,
  open: number,
  end: number,
  arrays: number,
  structures: number,
): number {
  let at = open + 1;
  do at = typeEnd(text, at, end, arrays, structures + 1);
  while (at !== NONE && at < end && text[at] !== CLOSE);
  return at === NONE || at === end ? NONE : at + 1;
}

/** A dict entry is valid only as the item of an array. */
function entryEnd(text: Uint8Array, open: number, end: number, arrays: number, structures: number): number {
  const key = open + 1;
  if (key >= end || IS_BASIC[text[key] as number] !== 1) return NONE;
  const at = typeEnd(text, key + 1, end, arrays, structures);
  return at !== NONE && at < end && text[at] === CLOSE_ENTRY ? at + 1 : NONE;
}
