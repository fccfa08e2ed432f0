// SPDX-License-Identifier: MIT
export { DEFAULT_QUEUE_LENGTH, DEFAULT_SEND_BUFFER, weightOf } from '../model/index.ts';
export type { Allowed } from './allowed.ts';
export { limitedShares } from './descriptors.ts';
export type { Datagrams } from './player.ts';
export { type Contradictions, type Doubt, type Prediction, predict } from './predict.ts';
export { type Unexplained, unexplained, type Witnessed } from './replay.ts';
export { idleWaits } from './waits.ts';
export type { Datagram } from './world.ts';
