// SPDX-License-Identifier: MIT
/** fast-check that draws the same each time: what fails is what was changed, not what was drawn. FUZZ_SEED draws others. */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 1) });

export default fc;
