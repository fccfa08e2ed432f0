// SPDX-License-Identifier: MIT
/** Between which of the seen messages another one has its place, by the order in which its branch sends. */

interface Sent {
  readonly step: string;
  /** Index among the step's messages. */
  readonly n: number;
}

/** The seen messages of a branch, in the order in which it sent them. */
interface Row {
  readonly messages: readonly Sent[];
  /** Before each message and after the last: how many of all seen messages come before its place, at least and at most. */
  readonly least: readonly number[];
  readonly most: readonly number[];
}

export class Neighbours {
  /** Place of each step in its branch. */
  readonly #places = new Map<string, number>();
  readonly #rows = new Map<string, Row>();

  /** `branches`: the steps of each, in order. `seen`: in the order of the sequence. */
  constructor(branches: readonly (readonly string[])[], seen: readonly Sent[]) {
    const positions = new Map(seen.map((message, position) => [message, position]));
    for (const steps of branches) {
      steps.forEach((step, place) => {
        this.#places.set(step, place);
      });
      const messages = seen
        .filter(({ step }) => steps.includes(step))
        .toSorted((a, b) => this.#compare(a, b));
      const row = {
        messages,
        ...bounds(
          messages.map((message) => positions.get(message) ?? 0),
          seen.length,
        ),
      };
      for (const step of steps) this.#rows.set(step, row);
    }
  }

  /** How many of the seen messages come before this one, at least and at most. */
  of(message: Sent): readonly [number, number] {
    const row = this.#rows.get(message.step);
    if (row === undefined) throw new Error(`no branch sends ${message.step}`);
    const at = firstAfter(row.messages, (each) => this.#compare(each, message) > 0);
    return [row.least[at] ?? 0, row.most[at] ?? 0];
  }

  readonly #compare = (a: Sent, b: Sent): number =>
    (this.#places.get(a.step) ?? 0) - (this.#places.get(b.step) ?? 0) || a.n - b.n;
}

function bounds(positions: readonly number[], end: number): Pick<Row, 'least' | 'most'> {
  const least = [0];
  for (const position of positions) least.push(Math.max(least.at(-1) ?? 0, position + 1));
  const most = [end];
  for (const position of positions.toReversed()) most.push(Math.min(most.at(-1) ?? end, position));
  return { least, most: most.reverse() };
}

/** Index of the first item that `is` holds for, as it does for all later ones; the length if there is none. */
function firstAfter<T>(items: readonly T[], is: (item: T) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (is(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
