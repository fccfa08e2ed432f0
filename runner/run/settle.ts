// SPDX-License-Identifier: MIT
/**
 * The end of a step: every delivery of it has been seen, or will never come. Proved, never waited for.
 *
 * - A *drain* of a lane is a read that finds nothing. After a send has returned, its copies are in the queues
 *   (af_bus.md section 4), so a drain takes them all.
 * - A *fence* is a message to every joined client, after the step in the one order of the bus: a client that has it has
 *   everything before it. It also catches a kernel that delivers late, which a drain alone would call a loss.
 *
 * Fences fill queues, so a bus with a joined client that does not read gets none, and none is sent while branches of
 * a parallel step play; nor does one that speaks D-Bus and whose master cannot send, as from a client a fence would be
 * a multicast that is no D-Bus message, which reaches nobody (docs/dbus.md section 3). Where a full queue fails or evicts instead of holding up, the lanes are drained first.
 */

import { EVERYONE } from '../common/address.ts';
import { encode, IDENTITY_SIZE } from '../common/envelope.ts';
import { runFilter } from '../common/filter.ts';
import { acceptedLane, masterOf } from '../topology/lane.ts';
import type { Step } from '../topology/topology.ts';
import type { RunContext } from './context.ts';
import { OrderFailed } from './order-failed.ts';
import type { BusState, ClientState } from './parties.ts';

export class Settler {
  readonly #stage: RunContext;
  #lastFence = 0;

  constructor(stage: RunContext) {
    this.#stage = stage;
  }

  /** Nothing else is on: fences where they are possible, drains elsewhere. */
  async whole(step?: Step): Promise<void> {
    const { buses } = this.#stage.parties;
    await Promise.all(Array.from(buses.values(), (bus) => this.#settle(bus, step)));
  }

  /** Other branches play on: what this one sent is in the queues, so reading them empty is enough. */
  async drain(step?: Step): Promise<void> {
    const { buses } = this.#stage.parties;
    await Promise.all(Array.from(buses.values(), (bus) => this.#drain(bus, bus.clients, step)));
  }

  async #settle(bus: BusState, step: Step | undefined): Promise<void> {
    const { parties } = this.#stage;
    const joined = parties.joined(bus).filter((c) => this.#hears(c));
    const sender = this.#sender(bus, joined);
    if (!sender || !joined.every((c) => parties.reads(c))) return this.#drain(bus, bus.clients, step);
    if (bus.spec.overflow !== 'block') await this.#drain(bus, joined, step);
    const others = bus.clients.filter((c) => !joined.includes(c));
    const [fenced] = await Promise.all([
      this.#fence(bus, sender, joined, step),
      this.#drain(bus, others, step),
    ]);
    if (!fenced) await this.#drain(bus, joined, step);
  }

  /** Its filter, where it has one, lets the next fence through, or as much of it as tells what it is. */
  #hears({ spec }: ClientState): boolean {
    if (spec.filter === undefined) return true;
    const fence = encode('fence', this.#stage.nonce, this.#lastFence + 1, new Uint8Array());
    return runFilter(spec.filter, fence) >= IDENTITY_SIZE;
  }

  /** Sends a fence and waits for it on every lane; false where it could not be sent. */
  async #fence(bus: BusState, sender: FenceSender, joined: readonly ClientState[], step: Step | undefined) {
    const { agents, collector } = this.#stage;
    const number = ++this.#lastFence;
    const name = bus.spec.name;
    const t0 = collector.now;
    try {
      const { agent, via, lane } = sender;
      const what = `the fence after it, sent by ${agent}`;
      await agents.call(
        agent,
        { do: 'fence', to: EVERYONE, number, ...(via !== undefined && { via }) },
        purpose(what, step),
      );
      collector.fence({ bus: name, number, t0, sender: lane, lanes: joined.map((c) => c.spec.name) });
    } catch (error) {
      if (error instanceof OrderFailed) return false;
      throw error;
    }
    const names = joined.map(({ spec }) => spec.name);
    const awaited = agents.callAll(names, { do: 'await-fence', number }, (client) =>
      purpose(`${client} to receive the fence of bus ${name}`, step),
    );
    await Promise.all(awaited);
    return true;
  }

  /**
   * Reads empty: the master's accepted sockets, and those of these clients that read by themselves. Who is paused
   * meanwhile, by another branch, reads no further, and is looked at again after the last step.
   */
  async #drain(bus: BusState, clients: readonly ClientState[], step: Step | undefined): Promise<void> {
    const { agents, parties } = this.#stage;
    const readers = clients.filter((c) => parties.reads(c)).map((c) => c.spec.name);
    if (parties.masterActs(bus)) readers.push(masterOf(bus.spec.name));
    const what = (agent: string) =>
      ({ ...purpose(`${agent} to read all it has`, step), untilPaused: true }) as const;
    await Promise.all(agents.callAll(readers, { do: 'drain' }, what));
  }

  /**
   * The master through its first accepted socket of a joined client; one of these where there is no master, unless rules
   * would judge what it sends.
   */
  #sender(bus: BusState, joined: readonly ClientState[]): FenceSender | null {
    const [first] = joined;
    if (!first) return null;
    const client = first.spec.name;
    if (!this.#stage.parties.masterActs(bus))
      return bus.spec.protocol === 'dbus' ? null : { agent: client, lane: client };
    const agent = masterOf(bus.spec.name);
    return { agent, via: client, lane: acceptedLane(bus.spec.name, client) };
  }
}

interface FenceSender {
  readonly agent: string;
  readonly via?: string;
  readonly lane: string;
}

const purpose = (what: string, step: Step | undefined) => (step ? { what, step } : { what });
