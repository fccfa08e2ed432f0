// SPDX-License-Identifier: MIT
/**
 * The reference model: docs/af_bus.md as a state machine. Pure, deterministic, synchronous: no I/O, no clock, no
 * chance.
 *
 *     const bus = listen();
 *     const { client, accepted } = attach(bus);
 *     join(accepted);
 *     send(client, { to: EVERYONE, length: 5 });   // { sent: 3, copies: [client], … }
 *
 * The caller does the waiting: `send` returns the full recipients, and the caller tries again, in any fair order.
 */
export {
  clientAddress,
  EVERYONE,
  groupAddress,
  isAssignable,
  isMulticast,
  MASTER,
  NOBODYS,
  prefixOf,
} from '../common/address.ts';
export {
  accept,
  attach,
  type BusOptions,
  connect,
  DEFAULT_QUEUE_LENGTH,
  DEFAULT_SEND_BUFFER,
  listen,
} from './bus.ts';
export { type Fork, fork } from './fork.ts';
export { close, closeListener, type Direction, expel, expelClient, leave, shutdown } from './life.ts';
export { type Heard, MessageBus, type RuleUse } from './message-bus.ts';
export { addMatch, removeMatch, setName, unsetName } from './nfdbus.ts';
export { addAddress, delAddress, join, setEavesdrop, setOverflow } from './policy.ts';
export {
  atEnd,
  hasBudget,
  hungUp,
  isFull,
  maxQueued,
  mustReadFirst,
  peek,
  readable,
  receive,
  takeError,
  weightOf,
  writable,
} from './queue.ts';
export { send } from './send.ts';
export type * from './types.ts';
