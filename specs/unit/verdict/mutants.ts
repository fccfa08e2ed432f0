// SPDX-License-Identifier: MIT
/** One damage each, and what must be said of it. */

import type { CheckName } from '../../../runner/verdict/verdict.ts';
import { baseRun } from './helpers/base-run.ts';
import type { Run } from './helpers/story.ts';

/** What some failure of a check must say. */
export interface Said {
  readonly kind: string;
  readonly message?: string;
  readonly step?: string;
  readonly summary?: RegExp;
  readonly detail?: RegExp;
}

export interface Mutant {
  readonly name: string;
  readonly run: Run;
  readonly breaks: Readonly<Partial<Record<CheckName, Said>>>;
}

/** Damages a fresh run. */
export function mutant(
  name: string,
  breaks: Mutant['breaks'],
  damage: (run: Run) => void,
  fresh: () => Run = baseRun,
): Mutant {
  const run = fresh();
  damage(run);
  return { name, run, breaks };
}
