// SPDX-License-Identifier: MIT
/** Gathers the reports of sends and deliveries to the runner: many per line. */

import type { Clock, Time } from '../common/clock.ts';
import type { Envelope } from '../common/envelope.ts';
import type { Lane } from '../topology/lane.ts';
import type { Batches } from './batches.ts';
import { Deliveries } from './delivery.ts';
import type { AgentReport, DbusReport, PackedBatch, PackedSend } from './protocol.ts';
import type { Columns, Message } from './system.ts';

const BATCH = 256;
const LATEST_MS = 250;

export class Reports {
  readonly #clock: Clock;
  readonly #say: (report: AgentReport) => void;
  readonly #batches: Batches;
  #deliveries = new Map<Lane, Deliveries>();
  #delivered = 0;
  #sends: PackedSend[] = [];
  #dbus: DbusReport[] = [];
  #forget: (() => void) | undefined;
  /** The sends that wait for room now: they are reported early, in case this process is killed. */
  unfinished: () => readonly PackedSend[] = () => [];

  constructor(clock: Clock, say: (report: AgentReport) => void, batches: Batches) {
    this.#clock = clock;
    this.#say = say;
    this.#batches = batches;
  }

  /** Positions of a lane come one after another. */
  delivery(lane: Lane, position: number, t: Time, message: Message, envelope: Envelope | null): void {
    this.#deliveriesOf(lane, position).add(t, message, envelope);
    if (++this.#delivered >= BATCH) this.flush();
    else this.#soon();
  }

  /** The messages that the lane took before them are reported first. */
  columns(columns: Columns, taker: PackedBatch['takers'][number]): void {
    if (this.#deliveries.size > 0) this.flush();
    this.#batches.add(columns, taker);
  }

  dbus(row: DbusReport): void {
    if (this.#dbus.push(row) >= BATCH) this.flush();
    else this.#soon();
  }

  send(row: PackedSend): void {
    if (this.#sends.push(row) >= BATCH) this.flush();
    else this.#soon();
  }

  /** A send has begun to wait: flushes soon, which reports it. */
  touch(): void {
    this.#soon();
  }

  /** Sends this report after everything that is batched. */
  say(report: AgentReport): void {
    this.flush();
    this.#say(report);
  }

  flush(): void {
    this.#batches.flush();
    this.#forget?.();
    this.#forget = undefined;
    const sends = [...this.#sends, ...this.unfinished()];
    const deliveries = [...this.#deliveries.values()];
    this.#sends = [];
    this.#deliveries.clear();
    this.#delivered = 0;
    const dbus = this.#dbus;
    this.#dbus = [];
    if (dbus.length > 0) this.#say({ say: 'dbus', list: dbus });
    if (sends.length > 0) this.#say({ say: 'sends', list: sends });
    if (deliveries.length > 0) this.#say({ say: 'deliveries', list: deliveries });
  }

  #deliveriesOf(lane: Lane, position: number): Deliveries {
    let deliveries = this.#deliveries.get(lane);
    if (!deliveries) {
      deliveries = new Deliveries(lane, position);
      this.#deliveries.set(lane, deliveries);
    }
    return deliveries;
  }

  #soon(): void {
    this.#forget ??= this.#clock.after(LATEST_MS, () => this.flush());
  }
}
