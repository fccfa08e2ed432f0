// SPDX-License-Identifier: MIT
/** An agent's answer that it could not carry out an order. */

import type { SystemErrorData } from '../agent/protocol.ts';
import type { Purpose } from './waits.ts';

export class OrderFailed extends Error {
  override readonly name = 'OrderFailed';
  /** errno name, if a system call failed. */
  readonly code: string;

  constructor({ what, place }: Purpose, error: SystemErrorData) {
    super(`${what}${place ? ` (${place.file}:${place.line})` : ''}: ${error.message}`);
    this.code = error.code;
  }
}
