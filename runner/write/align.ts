// SPDX-License-Identifier: MIT
/** Prints expected above observed, with equal items in the same column, so that the difference stands out. */

import type { Paint } from './paint.ts';

interface Column {
  readonly expected?: string;
  readonly observed?: string;
}

/** Number of equal columns shown on both sides of a difference. */
const CONTEXT = 2;
const MAX_LENGTH = 400;
const ABSENT = '·';
const SEPARATOR = ', ';
/** What lies between two separators; a separator in quotes is part of a text. */
const ITEM = /(?:"(?:[^"\\]|\\.)*"|(?!, ).)+/gs;

/** Two rows. Lists with common items are aligned in columns; other texts are printed as they are. */
export function align(expected: string, observed: string, paint: Paint): readonly [string, string] {
  const [a, b] = [itemsOf(expected), itemsOf(observed)];
  const lists = a.length > 1 || b.length > 1;
  if (!lists || a.length + b.length > MAX_LENGTH || !a.some((x) => b.includes(x))) {
    return [paint('green', expected), paint('red', observed)];
  }
  const columns = elide(compare(a, b));
  const width = columns.map((c) => Math.max(c.expected?.length ?? 1, c.observed?.length ?? 1));
  const row = (side: 'expected' | 'observed', other: 'expected' | 'observed', style: 'green' | 'red') =>
    columns
      .map((c, i) => {
        const cell = (c[side] ?? ABSENT).padEnd(i === columns.length - 1 ? 0 : (width[i] ?? 0));
        return c[side] !== undefined && c[other] === undefined ? paint(style, cell) : cell;
      })
      .join('  ')
      .trimEnd();
  return [row('expected', 'observed', 'green'), row('observed', 'expected', 'red')];
}

const itemsOf = (list: string): string[] =>
  Array.from(list.matchAll(ITEM), ([item], n) => (n === 0 ? item : item.slice(SEPARATOR.length - 1)));

/** The longest common subsequence, as columns. */
function compare(a: readonly string[], b: readonly string[]): Column[] {
  const rest = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (i: number, j: number) => rest[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      (rest[i] as Uint16Array)[j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const columns: Column[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      columns.push({ expected: a[i++] as string, observed: b[j++] as string });
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      columns.push({ expected: a[i++] as string });
    } else columns.push({ observed: b[j++] as string });
  }
  return columns;
}

/** Leaves out long runs of equal columns, and says how long they are. */
function elide(columns: readonly Column[]): Column[] {
  const differs = (c: Column) => c.expected === undefined || c.observed === undefined;
  const near = columns.map((_, i) => columns.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(differs));
  const shown: Column[] = [];
  let left = 0;
  columns.forEach((column, i) => {
    if (!near[i]) left++;
    if (left > 0 && (near[i] || i === columns.length - 1)) {
      shown.push({ expected: `… ${left} alike …`, observed: `… ${left} alike …` });
      left = 0;
    }
    if (near[i]) shown.push(column);
  });
  return shown;
}
