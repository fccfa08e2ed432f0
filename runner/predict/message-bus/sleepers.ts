// SPDX-License-Identifier: MIT
/** The clients of message buses that are paused, and the messages for which there may be no room. */
import type { DbusClientSpec } from '../../topology/message-bus.ts';
import { mayBeCutOff, type Sleep, sleepsIn } from '../../topology/sleeps.ts';
import type { Step } from '../../topology/topology.ts';
import { type Arrival, Sleeper, type Waiting } from './sleeper.ts';

export class Sleepers {
  readonly #sleeps: readonly Sleep[];
  /** The clients that are paused now. */
  readonly #asleep = new Map<string, Sleeper>();
  /** Client and number of each message for which there may be no room. */
  readonly #unsure = new Set<string>();
  /** Id of the step that pauses a client → what waits for the client when it goes on. */
  readonly waiting = new Map<string, Waiting>();

  constructor(steps: readonly Step[]) {
    this.#sleeps = sleepsIn(steps);
  }

  pause({ name, connect }: DbusClientSpec, step: string | undefined, outgoing: number): void {
    const sleep = this.#sleeps.find(({ pause }) => pause.id === step);
    if (sleep) this.#asleep.set(name, new Sleeper(sleep, connect, outgoing));
  }

  /** It reads what waits for it; if it was cut off, that is what there was room for. */
  resume(client: string): void {
    const sleeper = this.#asleep.get(client);
    if (sleeper === undefined) return;
    this.#asleep.delete(client);
    this.waiting.set(sleeper.sleep.pause.id, sleeper.waiting);
    if (sleeper.sleep.hangup) for (const number of sleeper.unsure) this.#unsure.add(`${client} ${number}`);
  }

  /** The first step in which the bus may remove a client that it has cut off by this step. */
  cutOffSince(client: string, top: number): number | undefined {
    return this.#sleeps.find((each) => each.client === client && each.to === top)?.from;
  }

  /** Those of these clients that the bus cuts off, at some moment, in the sleep that contains this step. */
  cutOffAround(clients: readonly string[], top: number): readonly string[] {
    return clients.filter((name) => mayBeCutOff(this.#sleeps, name, top));
  }

  sleeps(client: string): boolean {
    return this.#asleep.has(client);
  }

  /** Something that the bus has for a client: it waits if the client sleeps. */
  add(client: string, arrival: Arrival): void {
    this.#asleep.get(client)?.add(arrival);
  }

  /** A client that is about to sleep and to be cut off may miss this message. */
  doubt(client: string, number: number): void {
    if (!this.sleeps(client)) this.#unsure.add(`${client} ${number}`);
  }

  isUnsure(client: string, number: number): boolean {
    return this.#unsure.has(`${client} ${number}`);
  }
}
