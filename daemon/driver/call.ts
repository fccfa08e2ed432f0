// SPDX-License-Identifier: MIT
/** A method call to the bus itself, while it is handled. */
import type { Arg, Header, Value } from '../../runner/dbus/index.ts';
import type { Driver } from './driver.ts';
import type { Effect, Outgoing } from './effect.ts';
import type { Peer } from './peer.ts';

/** Returns the arguments of the reply; throws DriverError for an error. */
export type Handler = (call: Call) => readonly Arg[] | typeof LATER;

/** The handler sends the reply later. */
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

  /** The argument, which is a string according to the method's signature. */
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
