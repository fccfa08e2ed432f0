// SPDX-License-Identifier: MIT
/** Steps of which so much may come that the verdict does not judge who gets their messages. */
import type { Prediction, Unjudged } from '../../../predict/index.ts';
import type { Topology } from '../../../topology/topology.ts';
import type { Places } from '../places.ts';

/** Warns of each such step; if it is so to the end of the file, of the first one only. */
export function checkUnjudged(
  { problems, paths }: Places,
  { unjudged }: Prediction,
  { steps }: Topology,
): void {
  for (const { id } of steps) {
    const found = unjudged.get(id);
    if (found === undefined) continue;
    problems.warning(paths.get(id) ?? [], { code: 'vacuous', ...wordsOf(found) });
    if (found.lasts) return;
  }
}

const wordsOf = ({ why, lasts }: Unjudged) =>
  lasts
    ? {
        message: `from this step on it is not judged who gets a message: ${why}`,
        hint: 'Split the file, or run more of its steps one after another, not in `parallel`.',
      }
    : {
        message: `it is not judged who gets the messages of this step: ${why}`,
        hint: 'Put changes into one branch, where they have an order, or into several steps.',
      };
