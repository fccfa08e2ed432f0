// SPDX-License-Identifier: MIT
/** How the kernel begins to tell of a fault of its own; throw-away guests (`images/scratch`) look for the same. */
import splats from '../../images/scratch/splats.json' with { type: 'json' };

/** A line that opens a splat, at any level. */
export const SPLAT = new RegExp(splats.join('|'));
