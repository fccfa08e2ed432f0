// SPDX-License-Identifier: MIT
/**
 * Bounds the effort of a prediction, after which anything is allowed: a file of a few lines can ask for billions of
 * copies.
 */

import { LIMITS } from '../common/limits.ts';

/** Maximum number of copies, which take a second or two. */
const MAX_COPIES = LIMITS.copies.most;

export const TOO_MUCH = `more than ${MAX_COPIES / 1e6} million copies would have to be gone through`;

export class Exhausted extends Error {
  override readonly name = 'Exhausted';
}

export class Effort {
  #left = MAX_COPIES;

  /** Throws Exhausted if the effort is used up. */
  spend(copies: number): void {
    this.#left -= copies;
    if (this.#left < 0) throw new Exhausted(TOO_MUCH);
  }
}
