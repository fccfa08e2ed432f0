// SPDX-License-Identifier: MIT
/** What waits for a client of a message bus that sleeps, and for which of it there is certainly room. Pure. */
import { DEFAULT_LIMITS, NATIVE_QUEUE } from '../../../daemon/driver/limits.ts';
import type { Sleep } from '../../topology/sleeps.ts';

/** What waits for a client when it goes on, and how much the bus keeps for it. */
export interface Waiting {
  readonly have: number;
  readonly most: number;
  /** How much of it its socket may hold, which does not count; 0 for a native client. */
  readonly held: number;
  readonly unit: 'messages' | 'bytes';
}

export interface Arrival {
  readonly top: number;
  /** Its number; absent for a signal of the bus. */
  readonly number?: number;
  readonly bytes: number;
  /** Whether other branches send beside it. */
  readonly concurrent: boolean;
}

interface Amount {
  readonly messages: number;
  readonly bytes: number;
}

const MIB = 1024 * 1024;
/** Far less than the weight at which the kernel's queue is full (docs/af_bus.md, "Weight"). */
const SURE_NATIVE: Amount = { messages: NATIVE_QUEUE, bytes: MIB };
/** The daemon forgets what it keeps when it cuts a client off. Each socket holds more than this, whatever its size. */
const SURE_SOCKET = 16 * 1024;

/** Linux lets a socket hold messages up to this weight, unless the machine is told otherwise (net.core.wmem_default). */
const SOCKET_WEIGHT = 212_992;
/** The least that the kernel adds to the length of a message. */
const MESSAGE_WEIGHT = 512;

export class Sleeper {
  readonly sleep: Sleep;
  readonly #native: boolean;
  readonly #outgoing: number;
  readonly #arrivals: Arrival[] = [];

  constructor(
    sleep: Sleep,
    connect: 'native' | 'legacy',
    outgoing: number = DEFAULT_LIMITS.max_outgoing_bytes,
  ) {
    this.sleep = sleep;
    this.#native = connect === 'native';
    this.#outgoing = outgoing;
  }

  add(arrival: Arrival): void {
    this.#arrivals.push(arrival);
  }

  get waiting(): Waiting {
    if (this.#native) return { have: this.#arrivals.length, most: NATIVE_QUEUE, held: 0, unit: 'messages' };
    const have = this.#arrivals.reduce((sum, { bytes }) => sum + bytes, 0);
    return { have, most: this.#outgoing, held: this.#held, unit: 'bytes' };
  }

  /** Bytes that its socket may hold at most. */
  get #held(): number {
    let [held, weight] = [0, 0];
    for (const { bytes } of this.#arrivals) {
      if (weight >= SOCKET_WEIGHT) break;
      held += bytes;
      weight += bytes + MESSAGE_WEIGHT;
    }
    return held;
  }

  /** Numbers of the messages for which there may be no room. In `parallel`, any of them may be the last. */
  get unsure(): readonly number[] {
    const sure = this.#native
      ? SURE_NATIVE
      : { messages: Number.POSITIVE_INFINITY, bytes: Math.min(this.#outgoing, SURE_SOCKET) };
    const sums: Amount[] = [];
    const ends = new Map<number, Amount>();
    let sum: Amount = { messages: 0, bytes: 0 };
    for (const { top, bytes } of this.#arrivals) {
      sum = { messages: sum.messages + 1, bytes: sum.bytes + bytes };
      sums.push(sum);
      ends.set(top, sum);
    }
    return this.#arrivals.flatMap(({ top, concurrent, number }, at) => {
      const { messages, bytes } = (concurrent ? ends.get(top) : sums[at]) as Amount;
      const fits = messages <= sure.messages && bytes <= sure.bytes;
      return fits || number === undefined ? [] : [number];
    });
  }
}
