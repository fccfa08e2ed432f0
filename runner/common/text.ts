// SPDX-License-Identifier: MIT
/** Values and lists in the form for messages. */

/** A value as messages quote it: short, and safe for a terminal. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
}

/** `a, b or c` */
export function either(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;
}

/** `copy` for one, `copies` for others. */
export const plural = (n: number, one: string, many = `${one}s`): string => (n === 1 ? one : many);

/** `1 copy`, `2 copies`. */
export const count = (n: number, one: string, many?: string): string => `${n} ${plural(n, one, many)}`;

/** The beginning of a text that is too long. */
export const clip = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

/** The lines of a file, by any of the breaks that YAML knows. */
export const linesOf = (text: string): string[] => text.split(/\r\n|\r|\n/);

const WIDTH = 110;
const BEFORE = 40;

/** The part of a very long line around a column, and the column in that part; columns count from 1. */
export function partAround(line: string, column: number): { readonly part: string; readonly column: number } {
  const from = column > WIDTH - BEFORE / 2 ? column - BEFORE : 0;
  return { part: line.slice(from, from + WIDTH), column: column - from };
}
