// SPDX-License-Identifier: MIT
/** Numbers for `getOption`, `setOption` and `flags`. */
import type { Constants } from './addon.ts';
import { loadedAddon } from './load.ts';

/** As compiled in from linux/bus.h and the C library. Throws AddonLoadError without the addon. */
export const constants = (): Constants => loadedAddon().constants;
