// SPDX-License-Identifier: MIT
export { DEFAULT_QUEUE_LENGTH, DEFAULT_SEND_BUFFER, weightOf } from '../model/index.ts';
export { type Allowed, isOpen, type Possibility } from './allowed.ts';
export type { Datagram } from './bus-state.ts';
export type { Datagrams } from './cursor.ts';
export { limitedShares } from './descriptors.ts';
export {
  MAX_PLACES,
  type NotLinearizable,
  notLinearizable,
  type Observed,
  TOO_MANY_PLACES,
  type Witnessed,
} from './linearize.ts';
export {
  type DbusExpected,
  expectedOf,
  expectedText,
  type HeardAt,
  isAnswered,
  isAsking,
  type Operation,
  type Operations,
  predictOperations,
  resultText,
} from './message-bus/index.ts';
export { type Contradictions, type Finding, type Prediction, predict, type Unjudged } from './predict.ts';
export { idleWaits, lanesOf } from './waits.ts';
