// SPDX-License-Identifier: MIT
/** The only place that makes errors of socket calls: an errno becomes an error like those of Node's own calls. */
import type { BusAddress } from './address.ts';
import { loadedAddon } from './load.ts';

export interface ErrorContext {
  readonly syscall: string;
  readonly address?: BusAddress;
  readonly path?: string;
  readonly rule?: string;
  /** What the kernel says in addition to the errno. */
  readonly reason?: string;
}

/**
 * A failed call on a bus socket, e.g. `EHOSTUNREACH: no route to host, sendmsg 0002/f00ddeadbeef`.
 * docs/af_bus.md, sections 2 to 5, say what each code means.
 */
export class BusError extends Error {
  override readonly name = 'BusError';
  /** errno name: `EHOSTUNREACH`, … */
  readonly code: string;
  /** Negative errno, as in Node's own errors. */
  readonly errno: number;
  /** `socket`, `bind`, `connect`, `sendmsg`, `recvmsg`, `nfdbus`, … */
  readonly syscall: string;
  /** Destination of a send, or the address in an option call. */
  declare readonly address?: BusAddress;
  /** Bus path of a bind, connect, send, or of a request to nfdbus. */
  declare readonly path?: string;
  /** Match rule of a request to nfdbus. */
  declare readonly rule?: string;

  constructor(errno: number, code: string, text: string, context: ErrorContext) {
    const target = context.address ?? (context.path === undefined ? undefined : `'${context.path}'`);
    const reason = context.reason === undefined ? '' : ` (${context.reason})`;
    super(`${code}: ${text}${reason}, ${context.syscall}${target === undefined ? '' : ` ${target}`}`);
    this.code = code;
    this.errno = -Math.abs(errno);
    this.syscall = context.syscall;
    if (context.address !== undefined) this.address = context.address;
    if (context.path !== undefined) this.path = context.path;
    if (context.rule !== undefined) this.rule = context.rule;
  }
}

/** The error for a negative errno. */
export function busError(errno: number, context: ErrorContext): BusError {
  const [code, text] = loadedAddon().describeErrno(-errno);
  return new BusError(errno, code, text.charAt(0).toLowerCase() + text.slice(1), context);
}

/** Returns a result ≥ 0, throws for a negative errno. */
export function check(result: number, syscall: string, more: Omit<ErrorContext, 'syscall'> = {}): number {
  if (result < 0) throw busError(result, { syscall, ...more });
  return result;
}

/** The error of calls on a socket that was closed, and of waits that the close ended. */
export function closedError(syscall: string, waiting: boolean): BusError {
  const { EBADF, ECANCELED } = loadedAddon().constants;
  return busError(waiting ? -ECANCELED : -EBADF, { syscall });
}
