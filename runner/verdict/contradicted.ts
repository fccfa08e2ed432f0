// SPDX-License-Identifier: MIT
/** Expectations of the file that the model contradicts, in a run that passes: no reader could see which of them is right. */
import type { Facts } from './facts.ts';

/** Why the run proves nothing about such an expectation; undefined if there is none. */
export function contradicted({ plan, steps }: Facts): string | undefined {
  for (const [id, why] of plan.contradictions) {
    const { place } = steps.get(id)?.step ?? {};
    if (place === undefined) continue;
    return `${place.file}:${place.line} expects what cannot happen (${why}), and no client showed who is right; let the recipients read, or write expect: model`;
  }
  return undefined;
}
