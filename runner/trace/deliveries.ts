// SPDX-License-Identifier: MIT
/**
 * What the lanes of a run received, in columns: a run with a crowd has millions of deliveries, and an object for each
 * would take gigabytes. Fields that rarely differ are stored once for all equal deliveries, as a kind.
 */

import {
  FLAG_CONTROL_TRUNCATED,
  FLAG_FENCE,
  FLAG_INTACT,
  FLAG_TRUNCATED,
  type PackedDeliveries,
  type PackedKind,
} from '../agent/protocol.ts';
import type { Credentials } from '../common/credentials.ts';
import type { Lane } from '../topology/lane.ts';
import type { Deliveries, DeliveryEvent } from './trace.ts';

/** Columns of numbers. NaN means absent. */
const POSITION = 0;
const TIME = 1;
const MESSAGE = 2;
const SEQUENCE = 3;
const LENGTH = 4;
const KIND = 5;
const COLUMNS = 6;

/** Rows per block: nothing is copied when a lane grows, and a lane with few deliveries needs little memory. */
const ROWS = 256;

type Kind = Pick<
  DeliveryEvent,
  'fence' | 'from' | 'intact' | 'truncated' | 'controlTruncated' | 'credentials' | 'fds' | 'lost'
>;

/** The kinds of all lanes of a run, by number. */
export class Kinds {
  readonly #kinds: Kind[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #credentials = new Map<string, Credentials>();

  at(number: number): Kind {
    return this.#kinds[number] as Kind;
  }

  numberOf([flags, from, credentials, fds, lost]: PackedKind): number {
    const key = `${flags} ${from} ${credentials} ${fds} ${lost}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number =
      this.#kinds.push({
        fence: (flags & FLAG_FENCE) !== 0,
        from,
        intact: (flags & FLAG_INTACT) !== 0,
        truncated: (flags & FLAG_TRUNCATED) !== 0,
        controlTruncated: (flags & FLAG_CONTROL_TRUNCATED) !== 0,
        credentials: credentials === null ? undefined : this.#unpack(credentials),
        fds,
        lost,
      }) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  /** One object for equal credentials. */
  #unpack([pid, uid, gid]: NonNullable<PackedKind[2]>): Credentials {
    const key = `${pid} ${uid} ${gid}`;
    const known = this.#credentials.get(key) ?? { pid, uid, gid };
    this.#credentials.set(key, known);
    return known;
  }
}

/** What one lane received, in order. */
export class LaneLog implements Deliveries {
  readonly lane: Lane;
  readonly kinds: Kinds;
  length = 0;
  readonly #blocks: Float64Array[] = [];
  /** Row → checksum. Not a column, since few deliveries have one. */
  readonly #checksums = new Map<number, number>();

  constructor(lane: Lane, kinds: Kinds) {
    this.lane = lane;
    this.kinds = kinds;
  }

  push({ position, taken, message, sequence, length, kind, kinds, checksums }: PackedDeliveries): void {
    const numbers = kinds.map((each) => this.kinds.numberOf(each));
    for (const [at, checksum] of checksums) this.#checksums.set(this.length + at, checksum);
    let i = 0;
    for (const [t, count] of taken) {
      for (const end = i + count; i < end; i++) {
        const block = this.#block();
        const at = (this.length++ % ROWS) * COLUMNS;
        block[at + POSITION] = position + i;
        block[at + TIME] = t;
        block[at + MESSAGE] = message[i] ?? Number.NaN;
        block[at + SEQUENCE] = sequence[i] ?? Number.NaN;
        block[at + LENGTH] = length[i] as number;
        block[at + KIND] = numbers[kind[i] as number] as number;
      }
    }
  }

  at(index: number): DeliveryEvent | undefined {
    const place = index < 0 ? this.length + index : index;
    return place >= 0 && place < this.length ? new Delivery(this, place) : undefined;
  }

  checksum(index: number): number | undefined {
    return this.#checksums.get(index);
  }

  some(test: (delivery: DeliveryEvent) => boolean): boolean {
    for (const delivery of this) if (test(delivery)) return true;
    return false;
  }

  [Symbol.iterator](): Iterator<DeliveryEvent, undefined> {
    return new Rows(this);
  }

  /** The block that the next row goes to. */
  #block(): Float64Array {
    if (this.length % ROWS === 0) this.#blocks.push(new Float64Array(ROWS * COLUMNS));
    return this.#blocks[this.#blocks.length - 1] as Float64Array;
  }

  number(index: number, column: number): number {
    const block = this.#blocks[Math.floor(index / ROWS)] as Float64Array;
    return block[(index % ROWS) * COLUMNS + column] as number;
  }
}

class Rows implements Iterator<DeliveryEvent, undefined> {
  readonly #log: LaneLog;
  #next = 0;

  constructor(log: LaneLog) {
    this.#log = log;
  }

  next(): IteratorResult<DeliveryEvent, undefined> {
    if (this.#next >= this.#log.length) return { done: true, value: undefined };
    return { done: false, value: new Delivery(this.#log, this.#next++) };
  }
}

/** Reads its fields from the columns: it may be kept, and is cheap to make. */
class Delivery implements DeliveryEvent {
  readonly #log: LaneLog;
  readonly #index: number;

  constructor(log: LaneLog, index: number) {
    this.#log = log;
    this.#index = index;
  }

  get lane(): Lane {
    return this.#log.lane;
  }
  get position(): number {
    return this.#log.number(this.#index, POSITION);
  }
  get t(): number {
    return this.#log.number(this.#index, TIME);
  }
  get message(): number | null {
    const number = this.#log.number(this.#index, MESSAGE);
    return Number.isNaN(number) ? null : number;
  }
  get sequence(): number | undefined {
    const number = this.#log.number(this.#index, SEQUENCE);
    return Number.isNaN(number) ? undefined : number;
  }
  get length(): number {
    return this.#log.number(this.#index, LENGTH);
  }
  get fence(): boolean {
    return this.#kind.fence;
  }
  get from(): string {
    return this.#kind.from;
  }
  get intact(): boolean {
    return this.#kind.intact;
  }
  get checksum(): number | undefined {
    return this.#log.checksum(this.#index);
  }
  get truncated(): boolean {
    return this.#kind.truncated;
  }
  get controlTruncated(): boolean {
    return this.#kind.controlTruncated;
  }
  get credentials(): Credentials | undefined {
    return this.#kind.credentials;
  }
  get fds(): number {
    return this.#kind.fds;
  }
  get lost(): number {
    return this.#kind.lost;
  }

  get #kind(): Kind {
    return this.#log.kinds.at(this.#log.number(this.#index, KIND));
  }
}
