// SPDX-License-Identifier: MIT
/** How full queues may be while several branches send: from what they held before, up to all that may be under way. */

import * as model from '../model/index.ts';
import { type FaultAction, rowOf, subjectOf } from '../topology/faults.ts';
import type { Lane } from '../topology/lane.ts';
import { faults } from '../topology/steps.ts';
import type { SendStep, Step } from '../topology/topology.ts';
import { type Possibility, WOULD_WAIT } from './allowed.ts';
import type { BusState, Party } from './bus-state.ts';
import type { Datagrams } from './cursor.ts';

const OVERFLOW: Possibility = {
  error: 'ENOBUFS',
  because: 'a recipient may be full, and the bus fails such sends (section 2)',
};

export class Pressure {
  /** The state before the branches began. */
  readonly #state: BusState;
  readonly #faults: readonly FaultAction[];
  /** Messages that may come to a lane. */
  readonly #coming = new Map<Lane, Load>();
  /** Messages that a sender may be charged for, by the sender's lane. */
  readonly #charges = new Map<Lane, Load>();

  constructor(state: BusState, steps: readonly Step[]) {
    this.#state = state;
    this.#faults = [...faults(steps)].map(({ action }) => action);
  }

  add(step: SendStep, lanes: Iterable<Lane>, datagrams: Datagrams): void {
    const load = loadOf(step, datagrams);
    for (const lane of lanes) this.#coming.set(lane, sum(this.#coming.get(lane) ?? NONE, load));
    const lane = this.#state.laneOf(this.#state.sender(step));
    this.#charges.set(lane, sum(this.#charges.get(lane) ?? NONE, load));
  }

  /** Clients that a bus may evict. */
  victims(): string[] {
    return [...this.#state.parties.values()]
      .filter(({ client }) => client.bus.overflow === 'evict' && !client.out && this.#mayBeFull(client))
      .map(({ name }) => name);
  }

  /** The possible outcomes of a send whose outcome is `possibility` if its recipients have room. */
  possibilities(
    step: SendStep,
    state: BusState,
    { copies }: model.Delivered,
    possibility: Possibility,
    watchers: readonly model.Endpoint[],
  ): Possibility[] {
    const from = state.sender(step);
    const { overflow } = from.bus;
    const recipients = copies.filter((each) => !watchers.includes(each));
    const before = (each: model.Endpoint) => this.#before(state, each);
    const full = recipients.filter((each) => this.#mayBeFull(before(each)));
    const surely = recipients.some((each) => this.#isSurelyFull(state, each));
    const lacks = step.nonblocking && this.#mayLackRoom(state, from);
    // The sender's own room is checked first (section 3).
    if (overflow === 'fail' && surely) return lacks ? [OVERFLOW, WOULD_WAIT] : [OVERFLOW];
    const evicts = (each: model.Endpoint) => overflow === 'evict' && each.side === 'client';
    const waits = overflow !== 'fail' && full.some((each) => !evicts(each));
    const possibilities: Possibility[] = [this.#withEvictions(state, possibility, full.filter(evicts))];
    if (overflow === 'fail' && full.length > 0) possibilities.push(OVERFLOW);
    if (!step.nonblocking) return possibilities;
    if (surely && waits) return [WOULD_WAIT];
    return waits || lacks ? [...possibilities, WOULD_WAIT] : possibilities;
  }

  /** Each recipient that has room gets a copy; one that has none gets no copy, and is evicted. */
  #withEvictions(state: BusState, possibility: Possibility, full: readonly model.Endpoint[]): Possibility {
    if (full.length === 0 || 'error' in possibility) return possibility;
    const may = full.map((each) => state.laneOf(each));
    return {
      lanes: possibility.lanes.filter((lane) => !may.includes(lane)),
      may,
      because: `${possibility.because}; a full recipient is evicted`,
    };
  }

  /** Whether the sender may lack room of its own: its queue or its send buffer may be full. */
  #mayLackRoom(state: BusState, from: model.Endpoint): boolean {
    const before = this.#before(state, from);
    const lane = this.#state.laneOf(before);
    const { messages } = this.#coming.get(lane) ?? NONE;
    if (from.side === 'client' && before.queue.length + messages > before.queueLength) return true;
    // On a bus that evicts, queued messages are not charged.
    const coming = from.bus.overflow === 'evict' ? 0 : beside(this.#charges.get(lane) ?? NONE);
    return before.charged + coming >= before.sendBuffer;
  }

  /** Whether the queue may be full for one of the messages, after all others. */
  #mayBeFull(before: model.Endpoint): boolean {
    const load = this.#coming.get(this.#state.laneOf(before)) ?? NONE;
    if (model.isFull(before) || before.queue.length + load.messages - 1 > before.queueLength) return true;
    return before.queued + beside(load) >= model.maxQueued(before);
  }

  /** Whether it was full, is not read, and is affected by nothing that happens meanwhile. */
  #isSurelyFull(state: BusState, endpoint: model.Endpoint): boolean {
    const before = this.#before(state, endpoint);
    if (!model.isFull(before) || this.#state.reads(before)) return false;
    const party = this.#state.partyAt(before);
    return !this.#faults.some((fault) => isAbout(fault, party));
  }

  #before(state: BusState, endpoint: model.Endpoint): model.Endpoint {
    return this.#state.endpoint(state.laneOf(endpoint));
  }
}

/** A number of messages, and their weight. */
interface Load {
  readonly messages: number;
  readonly weight: number;
  /** Weight of the lightest message. */
  readonly lightest: number;
}

const NONE: Load = { messages: 0, weight: 0, lightest: 0 };

function loadOf(step: SendStep, datagrams: Datagrams): Load {
  const weights = Array.from({ length: step.count }, (_, n) => model.weightOf(datagrams(step, n).length));
  const weight = weights.reduce((total, each) => total + each, 0);
  return {
    messages: step.count,
    weight,
    lightest: weights.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
  };
}

const sum = (a: Load, b: Load): Load => ({
  messages: a.messages + b.messages,
  weight: a.weight + b.weight,
  lightest: a.messages === 0 ? b.lightest : Math.min(a.lightest, b.lightest),
});

/** The greatest possible weight of all but one message. */
const beside = ({ weight, lightest }: Load): number => weight - lightest;

/** Whether a fault affects the queue of a party: a limit of its process does not. */
function isAbout(fault: FaultAction, { name, bus }: Party): boolean {
  if (rowOf(fault).changes === 'process') return false;
  const subject = subjectOf(fault);
  return subject.kind === 'client' ? subject.name === name : subject.bus === bus;
}
