// SPDX-License-Identifier: MIT
/** How much a file asks for, in all its combinations together: a few lines can ask for more than any machine has. */

import type { Path } from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import type { Problems } from '../diagnostic/index.ts';

const NOUNS = {
  clients: 'clients',
  clientParts: 'groups, addresses, names, rules and patterns of clients',
  messages: 'messages',
  copies: 'copies of messages',
  filterSteps: 'instructions of filters and rules for copies to go through',
} as const;

type Counted = keyof typeof NOUNS;

export class Tally {
  readonly #counts: Record<Counted, number> = {
    clients: 0,
    clientParts: 0,
    messages: 0,
    copies: 0,
    filterSteps: 0,
  };
  /** One of them is over its limit: what follows is not worth looking at. */
  full = false;

  /** Counts, and says at `path` that it is too much; false from then on. */
  add(what: Counted, count: number, path: Path, problems: Problems): boolean {
    if (this.full) return false;
    this.#counts[what] += count;
    const { most } = LIMITS[what];
    this.full = this.#counts[what] > most;
    if (this.full) {
      const message = `up to here the file has ${this.#counts[what]} ${NOUNS[what]}, and ${most} at most are played`;
      const hint =
        'All combinations of a matrix count together: split the file, or pin a variable with --set.';
      problems.error(path, { code: 'too-big', message, hint });
    }
    return !this.full;
  }
}
