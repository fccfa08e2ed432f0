// SPDX-License-Identifier: MIT
/** How much is looked at before nothing more is said: a file of a few lines can ask for billions of copies. */

import { LIMITS } from '../common/limits.ts';

/** Copies that are gone through; a second's worth or two. */
const MAX_COPIES = LIMITS.copies.most;

export const TOO_MUCH = `more than ${MAX_COPIES / 1e6} million copies would have to be gone through`;

export class Exhausted extends Error {
  override readonly name = 'Exhausted';
}

export class Effort {
  #left = MAX_COPIES;

  /** Throws Exhausted. */
  spend(copies: number): void {
    this.#left -= copies;
    if (this.#left < 0) throw new Exhausted(TOO_MUCH);
  }
}
