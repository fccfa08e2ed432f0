// SPDX-License-Identifier: MIT
/** Batches the reports of sends and deliveries to the runner: many per line. */

import type { Clock } from '../common/clock.ts';
import type { AgentReport, DbusReport, PackedDelivery, PackedSend } from './protocol.ts';

const BATCH = 256;
const LATEST_MS = 250;

export class Reports {
  readonly #clock: Clock;
  readonly #say: (report: AgentReport) => void;
  #deliveries: PackedDelivery[] = [];
  #sends: PackedSend[] = [];
  #dbus: DbusReport[] = [];
  #forget: (() => void) | undefined;
  /** The sends that wait for space now: they are reported early, in case this process is killed. */
  unfinished: () => readonly PackedSend[] = () => [];

  constructor(clock: Clock, say: (report: AgentReport) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  delivery(row: PackedDelivery): void {
    if (this.#deliveries.push(row) >= BATCH) this.flush();
    else this.#soon();
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
    this.#forget?.();
    this.#forget = undefined;
    const sends = [...this.#sends, ...this.unfinished()];
    const deliveries = this.#deliveries;
    this.#sends = [];
    this.#deliveries = [];
    const dbus = this.#dbus;
    this.#dbus = [];
    if (dbus.length > 0) this.#say({ say: 'dbus', list: dbus });
    if (sends.length > 0) this.#say({ say: 'sends', list: sends });
    if (deliveries.length > 0) this.#say({ say: 'deliveries', list: deliveries });
  }

  #soon(): void {
    this.#forget ??= this.#clock.after(LATEST_MS, () => this.flush());
  }
}
