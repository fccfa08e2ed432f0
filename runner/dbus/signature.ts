// SPDX-License-Identifier: MIT
/** Signatures: lists of complete types (D-Bus Specification, "Type System"). */

const BASIC = 'ybnqiuxtdhsog';
/** Arrays inside arrays, and structures inside structures. */
const DEPTH = 32;

/** `sa{sv}i` → `s`, `a{sv}`, `i`; undefined where it is no list of complete types. */
export function completeTypes(signature: string): readonly string[] | undefined {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOf(signature, at, 0, 0);
    if (end === undefined) return undefined;
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

/** Where the complete type that begins here ends. */
function endOf(signature: string, at: number, arrays: number, structures: number): number | undefined {
  const code = signature[at];
  if (code === undefined || arrays > DEPTH || structures > DEPTH) return undefined;
  if (BASIC.includes(code) || code === 'v') return at + 1;
  if (code === 'a') {
    return signature[at + 1] === '{'
      ? endOfEntry(signature, at + 1, arrays + 1, structures + 1)
      : endOf(signature, at + 1, arrays + 1, structures);
  }
  return code === '(' ? endOfStructure(signature, at, arrays, structures + 1) : undefined;
}

function endOfStructure(signature: string, at: number, arrays: number, structures: number) {
  let end: number | undefined = at + 1;
  if (signature[end] === ')') return undefined;
  while (end !== undefined && signature[end] !== ')') end = endOf(signature, end, arrays, structures);
  return end === undefined ? undefined : end + 1;
}

/** `{` a basic type, another type `}`: an item of an array. */
function endOfEntry(signature: string, at: number, arrays: number, structures: number) {
  if (!BASIC.includes(signature[at + 1] ?? ' ')) return undefined;
  const end = endOf(signature, at + 2, arrays, structures);
  return end !== undefined && signature[end] === '}' ? end + 1 : undefined;
}

const ALIGNMENT: Readonly<Record<string, number>> = {
  ...{ y: 1, g: 1, v: 1, n: 2, q: 2 },
  ...{ b: 4, i: 4, u: 4, h: 4, s: 4, o: 4, a: 4 },
  ...{ x: 8, t: 8, d: 8, '(': 8, '{': 8 },
};

/** Of a complete type's first byte. */
export const alignmentOf = (type: string): number => ALIGNMENT[type[0] ?? ''] ?? 1;
