// SPDX-License-Identifier: MIT
/**
 * The end of a step: every delivery of the step has been seen, or will never come. This is proved; no time is waited.
 *
 * - A *drain* of a lane is a read that finds nothing. After a send has returned, its copies are in the queues
 *   (af_bus.md section 4), so a drain reads them all.
 * - A *fence* is a message to every joined client, sent after the step. The bus has one order, so a client that has the
 *   fence has everything before it. A fence also catches a kernel that delivers late, which a drain would call a loss.
 *
 * Fences fill queues, so a bus with a joined client that does not read gets none, and none is sent while the branches
 * of a parallel step play. Nor is one sent on a bus with a D-Bus protocol whose master cannot send: sent by a client, a
 * fence would be a multicast that is no D-Bus message, which reaches nobody (docs/dbus.md section 3). If a full queue
 * fails or evicts instead of making the sender wait, the lanes are drained first.
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
  readonly #context: RunContext;
  #lastFence = 0;

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** Settles everything while no other step is in progress: by a fence if possible, else by drains. */
  async whole(step?: Step): Promise<void> {
    const { buses } = this.#context.parties;
    await Promise.all(Array.from(buses.values(), (bus) => this.#settle(bus, step)));
  }

  /** Settles one branch while others go on: its messages are in the queues, so it is enough to drain these. */
  async drain(step?: Step): Promise<void> {
    const { buses } = this.#context.parties;
    await Promise.all(Array.from(buses.values(), (bus) => this.#drain(bus, bus.clients, step)));
  }

  async #settle(bus: BusState, step: Step | undefined): Promise<void> {
    const { parties } = this.#context;
    const joined = parties.joined(bus).filter((c) => this.#hears(c));
    const sender = this.#sender(bus, joined);
    if (!sender || !joined.every((c) => parties.reads(c))) return this.#drain(bus, bus.clients, step);
    if (bus.spec.overflow !== 'block') await this.#drain(bus, joined, step);
    const fencing = new Set(joined);
    const others = bus.clients.filter((c) => !fencing.has(c));
    const [fenced] = await Promise.all([
      this.#fence(bus, sender, joined, step),
      this.#drain(bus, others, step),
    ]);
    if (!fenced) await this.#drain(bus, joined, step);
  }

  /** Whether its filter, if it has one, passes enough of the next fence to identify it. */
  #hears({ spec }: ClientState): boolean {
    if (spec.filter === undefined) return true;
    const fence = encode('fence', this.#context.nonce, this.#lastFence + 1, new Uint8Array());
    return runFilter(spec.filter, fence) >= IDENTITY_SIZE;
  }

  /** Sends a fence and waits for it on every lane; false if it could not be sent. */
  async #fence(bus: BusState, sender: FenceSender, joined: readonly ClientState[], step: Step | undefined) {
    const { agents, collector } = this.#context;
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
   * Drains the master's accepted sockets, and those of these clients that read by themselves. A client that another
   * branch pauses meanwhile stops reading, and is drained after the last step.
   */
  async #drain(bus: BusState, clients: readonly ClientState[], step: Step | undefined): Promise<void> {
    const { agents, parties } = this.#context;
    const readers = clients.filter((c) => parties.reads(c)).map((c) => c.spec.name);
    if (parties.masterActs(bus)) readers.push(masterOf(bus.spec.name));
    const what = (agent: string) =>
      ({ ...purpose(`${agent} to read all it has`, step), untilPaused: true }) as const;
    await Promise.all(agents.callAll(readers, { do: 'drain' }, what));
  }

  /**
   * Who sends the fence: the master, through its first accepted socket of a joined client. Without a master it is one
   * of the clients, unless match rules would be applied to what it sends.
   */
  #sender(bus: BusState, joined: readonly ClientState[]): FenceSender | null {
    const [first] = joined;
    if (!first) return null;
    const client = first.spec.name;
    if (!this.#context.parties.masterActs(bus))
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
