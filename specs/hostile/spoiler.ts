// SPDX-License-Identifier: MIT
/** How the values of a topology are spoiled. */

import { Random } from '../../runner/common/random.ts';
import { hostileNumber, hostileText } from './strings.ts';

/** How much a drawing spoils: the more, the sooner it is refused. */
const RARITIES = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 60, 12, 4];

export class Spoiler extends Random {
  readonly #rarity: number;

  constructor(seed: number) {
    super(seed);
    this.#rarity = this.pick(RARITIES);
  }

  /** Never in a drawing that spoils nothing; there, free texts alone are hostile. */
  spoils(rarity = 1): boolean {
    return Number.isFinite(this.#rarity) && this.oneIn(Math.max(1, Math.round((this.#rarity * rarity) / 12)));
  }
}

export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

/** Spoils about one value in `rarity`. */
export const spoiled = <T extends Value>(random: Spoiler, fair: T, rarity = 12): Value => {
  if (!random.spoils(rarity)) return fair;
  if (random.oneIn(3)) return hostileNumber(random);
  if (random.oneIn(6)) return random.pick<Value>([null, [], {}, [[]], true, { '': '' }]);
  return hostileText(random);
};

export const name = (random: Spoiler, fair: string): string =>
  random.spoils(25) ? hostileText(random) : fair;

/** Each key of the file on a line of its own, with the rest of it in JSON, which is YAML. */
export const document = (file: { readonly [key: string]: Value }): string =>
  Object.entries(file)
    .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}\n`)
    .join('');
