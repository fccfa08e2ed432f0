// SPDX-License-Identifier: MIT
export { denies, matches } from './clients.ts';
export type { Deliveries } from './deliveries.ts';
export { busOfParty } from './parties.ts';
export type { PartyState } from './party-state.ts';
export { type Resolved, resolve } from './resolve.ts';
export { lacks, ruleKey } from './rules.ts';
export { type Scope, validEntries } from './scope.ts';
export type { CheckParallel } from './step-context.ts';
export { Tally } from './tally.ts';
