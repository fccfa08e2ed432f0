// SPDX-License-Identifier: MIT
/** How the kernel's reports about its own faults begin; throw-away guests (`images/scratch`) use the same list. */
import splats from '../../images/scratch/splats.json' with { type: 'json' };

/** A line that opens a splat, at any level. */
export const SPLAT = new RegExp(splats.join('|'));
