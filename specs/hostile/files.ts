// SPDX-License-Identifier: MIT
/** Topology files of strangers, drawn by the thousand, each held to what no file may bring about. */

import { mix } from '../../runner/common/envelope.ts';
import { draw } from './draw.ts';
import { violations } from './oracles.ts';
import type { Player } from './play.ts';
import { makeSandbox } from './sandbox.ts';

export interface Files {
  readonly seed: number;
  /** The first run, and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly player: Player;
  readonly progress?: (run: number) => void;
}

/** A line for each violation, with the run that shows it. */
export async function playFiles({ seed, from, to, player, progress }: Files): Promise<readonly string[]> {
  using sandbox = makeSandbox();
  const found: string[] = [];
  for (let run = from; run < to; run++) {
    progress?.(run);
    const each = await violations(sandbox.set(draw(seed, run)), player, mix(seed, run));
    found.push(...each.map((violation) => `seed ${seed}, run ${run}: ${violation}`));
  }
  return found;
}
