// SPDX-License-Identifier: MIT
/** Counts how much all combinations of a file ask for together: a few lines can ask for more than any machine has. */

import type { Path } from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import type { Problems } from '../diagnostic/index.ts';

const NOUNS = {
  clients: 'clients',
  clientParts: 'groups, addresses, names, rules and patterns of clients',
  messages: 'messages',
  copies: 'copies of messages',
  dbusBytes: 'bytes in messages of message buses',
  filterSteps: 'instructions of filters and rules for copies to go through',
  branchClients: 'branches that play at once, each times the clients',
  stepClients: 'steps, each times the clients',
} as const;

type Counted = keyof typeof NOUNS;

export class Tally {
  readonly #counts: Record<Counted, number> = {
    clients: 0,
    clientParts: 0,
    messages: 0,
    copies: 0,
    dbusBytes: 0,
    filterSteps: 0,
    branchClients: 0,
    stepClients: 0,
  };
  readonly #combinations: number;
  /** One count is over its limit: the rest is not checked any more. */
  full = false;

  constructor(combinations = 1) {
    this.#combinations = combinations;
  }

  /** Whether that many values may be looked at in each combination; asked before the first combination. */
  fitsAll(values: number, path: Path, problems: Problems): boolean {
    const all = values * this.#combinations;
    this.full = all > LIMITS.values.most;
    if (!this.full) return true;
    const message = `${values} values in each of ${this.#combinations} combinations are ${all}; the limit is ${LIMITS.values.most}`;
    const hint = 'Use replicas and count, split the file, or pin a variable with --set.';
    problems.error(path, { code: 'too-big', message, hint });
    return false;
  }

  /** Adds to a count. Reports at `path` if it exceeds its limit; returns false from then on. */
  add(what: Counted, count: number, path: Path, problems: Problems): boolean {
    if (this.full) return false;
    this.#counts[what] += count;
    const { most } = LIMITS[what];
    this.full = this.#counts[what] > most;
    if (this.full) {
      const message = `up to here the file has ${this.#counts[what]} ${NOUNS[what]}; the limit is ${most}`;
      const hint =
        'All combinations of a matrix count together: split the file, or pin a variable with --set.';
      problems.error(path, { code: 'too-big', message, hint });
    }
    return !this.full;
  }
}
