// SPDX-License-Identifier: MIT
/**
 * Expectations of the file that the model contradicts, in a run that passes: no reader could see the difference, or the
 * bus did as the file says.
 */
import type { Facts } from './facts.ts';

/** Why the run proves nothing about such an expectation; undefined if there is none. */
export function contradicted({ plan, steps }: Facts): string | undefined {
  for (const [id, why] of plan.contradictions) {
    const { place } = steps.get(id)?.step ?? {};
    if (place === undefined) continue;
    return `${place.file}:${place.line} expects what the model contradicts (${why}), and no check could tell from what happened which of them is right; correct it, or write expect: model`;
  }
  return undefined;
}
