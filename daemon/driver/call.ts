// SPDX-License-Identifier: MIT
/** A method call of the bus itself, while it is answered. */
import type { Arg, Header, Value } from '../../runner/dbus/index.ts';
import type { Driver } from './driver.ts';
import type { Effect, Outgoing } from './effect.ts';
import type { Peer } from './peer.ts';

/** Answers a call with the arguments of its reply; throws DriverError instead. */
export type Handler = (call: Call) => readonly Arg[] | typeof LATER;

/** The reply is sent by what a handler has begun. */
export const LATER = Symbol('later');

export class Call {
  readonly driver: Driver;
  readonly peer: Peer;
  readonly header: Header;
  readonly #args: readonly Arg[];
  /** Effects that come before the reply. */
  readonly before: Effect[] = [];
  /** Effects that come after the reply. */
  readonly after: Effect[] = [];

  constructor(driver: Driver, peer: Peer, header: Header, args: readonly Arg[]) {
    this.driver = driver;
    this.peer = peer;
    this.header = header;
    this.#args = args;
  }

  /** Its signature says that there is a string here. */
  string(n: number): string {
    return this.value(n) as string;
  }

  uint32(n: number): number {
    return this.value(n) as number;
  }

  value(n: number): Value {
    return (this.#args[n] as Arg).value;
  }

  send(to: Peer, message: Outgoing): void {
    this.before.push({ do: 'send', to, message });
  }
}
