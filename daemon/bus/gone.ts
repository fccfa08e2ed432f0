// SPDX-License-Identifier: MIT
/** Errors that mean that a client has left meanwhile. */
import { BusError } from '../../native/lib/index.ts';

const GONE = new Set([
  'EPIPE',
  'ENOTCONN',
  'ECONNREFUSED',
  'ECANCELED',
  'EBADF',
  'EADDRNOTAVAIL',
  'ENOENT',
  'ENOBUFS',
]);

export const isGone = (error: unknown): boolean => error instanceof BusError && GONE.has(error.code);
