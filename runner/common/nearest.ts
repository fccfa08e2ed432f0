// SPDX-License-Identifier: MIT
/** Suggestions for misspelt words. */

/** The candidate that `word` is most likely a misspelling of; undefined if none is close. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (isStemOf(word, candidate)) return candidate;
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), least);
    if (distance < least && (distance === 0 || isLongEnough(word, candidate)))
      [best, least] = [candidate, distance];
  }
  return best;
}

/** One or two letters are close to everything, so for these one word must be the other with one letter more. */
function isLongEnough(word: string, candidate: string): boolean {
  const [short = '', long = ''] = [word, candidate].sort((a, b) => a.length - b.length);
  if (short.length !== 2) return short.length > 2;
  return long.length === 3 && long[0] === short[0] && long.slice(1).includes(short.charAt(1));
}

/** `bus` and `buses`, `group` and `groups`. */
const isStemOf = (word: string, candidate: string): boolean =>
  word.length > 2 && candidate.startsWith(word) && candidate.length <= word.length + 2;

/** `Did you mean "ecu"?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  return asQuestion(nearest(word, candidates));
}

/** The same for a candidate that was already found. */
export const asQuestion = (found: string | undefined): string | undefined =>
  found === undefined ? undefined : `Did you mean "${found}"?`;

/** Number of insertions, deletions, replacements and swaps of neighbours; stops at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, at(before, j - 2) + 1);
      row.push(cost);
    }
    if (Math.min(...row) >= limit) return limit;
    before = last;
    last = row;
  }
  return at(last, b.length);
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
