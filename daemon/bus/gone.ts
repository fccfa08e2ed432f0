// SPDX-License-Identifier: MIT
/** Errors that mean that a client has left meanwhile, or takes nothing any more. */
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

/** Either end may be the one that is not there. */
const UNREACHABLE = new Set(['EPIPE', 'EHOSTUNREACH']);

export const isUnreachable = (error: unknown): boolean =>
  error instanceof BusError && UNREACHABLE.has(error.code);
