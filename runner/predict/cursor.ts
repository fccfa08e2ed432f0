// SPDX-License-Identifier: MIT
/** The position of one branch while it is played on a state: it does one thing after the other, or waits. */

import * as model from '../model/index.ts';
import type { Lane } from '../topology/lane.ts';
import { faults } from '../topology/steps.ts';
import type { FaultStep, ParallelStep, SendStep, Step } from '../topology/topology.ts';
import { actorOf } from './actor.ts';
import { type Possibility, PossibilitySet, possibilityOf, WOULD_WAIT } from './allowed.ts';
import type { BusState, Datagram } from './bus-state.ts';
import type { Effort } from './effort.ts';

/** Message `n` of a step, counted from 0. */
export type Datagrams = (step: SendStep, n: number) => Datagram;

/** A step that can never end, and the lanes for which it waits. */
export interface Stuck {
  readonly step: Step;
  readonly wait: readonly Lane[];
}

/** Step id → the outcomes of its messages. */
export type PossibilitiesOf = Map<string, PossibilitySet>;

export interface PlayContext {
  readonly state: BusState;
  readonly datagrams: Datagrams;
  readonly possibilities: PossibilitiesOf;
  readonly effort: Effort;
  /** Whether this reader takes a message from that sender at once. */
  readonly eager: (reader: model.Endpoint, from: model.Endpoint) => boolean;
  /** Senders that wait for room, and the send step in which each waits; its other sends follow that one. */
  readonly waiting: Map<Lane, string>;
  /** Send step → number of its messages that have returned, for faults with `after`. */
  readonly returned: Map<string, number>;
  /** Send steps that such a fault counts. */
  readonly counted: ReadonlySet<string>;
}

export type Branch = readonly Step[];

export class BranchCursor {
  readonly #context: PlayContext;
  readonly #steps: Branch;
  #at = 0;
  /** Number of messages of the current step that were sent, or read. */
  #done = 0;
  #wait: readonly model.Endpoint[] = [];
  #inner: readonly BranchCursor[] | undefined;

  constructor(context: PlayContext, steps: Branch) {
    this.#context = context;
    this.#steps = steps;
  }

  /** A copy of this cursor that plays on another state. */
  fork(context: PlayContext): BranchCursor {
    const twin = new BranchCursor(context, this.#steps);
    twin.#at = this.#at;
    twin.#done = this.#done;
    twin.#inner = this.#inner?.map((each) => each.fork(context));
    return twin;
  }

  /** The position as text: cursors with equal positions go on alike in equal states. */
  get place(): string {
    return `${this.#at}.${this.#done}${this.#inner ? `(${this.#inner.map((each) => each.place)})` : ''}`;
  }

  get isOver(): boolean {
    return this.#step === undefined;
  }

  get #step(): Step | undefined {
    return this.#steps[this.#at];
  }

  get stuck(): Stuck | undefined {
    if (this.#isQueued) return undefined; // the earlier send of this socket is the one that is stuck
    const step = this.#step;
    const inner = this.#inner?.map((each) => each.stuck).find((each) => each !== undefined);
    const { state } = this.#context;
    return inner ?? (step && { step, wait: this.#wait.map((each) => state.laneOf(each)) });
  }

  /** Endpoints at which an action would let this branch go on. */
  get waits(): readonly model.Endpoint[] {
    return [...this.#wait, ...(this.#inner?.flatMap((each) => each.waits) ?? [])];
  }

  /** Does the next thing; false if it has to wait, or nothing is left. */
  advance(): boolean {
    const step = this.#step;
    if (this.#isPaused) return false;
    switch (step?.kind) {
      case undefined:
        return false;
      case 'send':
        return this.#send(step);
      case 'fault':
        return this.#hasCome(step) && this.#fault(step);
      case 'blocked':
        return this.#when(this.#context.waiting.has(step.client) === step.blocked);
      case 'hangup':
        return this.#when(model.hungUp(this.#client(step.client)));
      case 'dbus':
      case 'program':
        // Message buses have their own model.
        return this.#next();
      case 'parallel':
        return this.#inner ? this.#goInside(this.#inner) : this.#enter(step);
    }
  }

  #enter({ branches }: ParallelStep): true {
    this.#inner = branches.map((branch) => new BranchCursor(this.#context, branch));
    return true;
  }

  #goInside(inner: readonly BranchCursor[]): boolean {
    return inner.some((each) => each.advance()) || this.#when(inner.every(({ isOver }) => isOver));
  }

  /** Ends an `expect` step that has not come true: it fails, and the branch goes on. */
  giveUp(): boolean {
    const quiet = this.#step?.kind === 'blocked' || this.#step?.kind === 'hangup';
    return quiet && !this.#isPaused ? this.#next() : (this.#inner?.some((each) => each.giveUp()) ?? false);
  }

  /** Whether the process that has to act next is paused. */
  get #isPaused(): boolean {
    return this.#step !== undefined && actorOf(this.#context.state, this.#step)?.paused === true;
  }

  /** Whether the sender already waits in another branch: a socket sends one message after another. */
  get #isQueued(): boolean {
    const step = this.#step;
    if (step?.kind !== 'send') return false;
    const { state, waiting } = this.#context;
    const before = waiting.get(state.laneOf(state.sender(step)));
    return before !== undefined && before !== step.id;
  }

  #next(): true {
    this.#at++;
    this.#done = 0;
    this.#wait = [];
    this.#inner = undefined;
    return true;
  }

  #when(true_: boolean): boolean {
    return true_ && this.#next();
  }

  #client(name: string): model.Endpoint {
    return this.#context.state.party(name).client;
  }

  /** Whether the sends that the fault counts have got far enough. */
  #hasCome({ after }: FaultStep): boolean {
    const { returned } = this.#context;
    return after === undefined || sum(after.sends.map((id) => returned.get(id) ?? 0)) >= after.messages;
  }

  #fault(step: FaultStep): boolean {
    return step.action.fault === 'read' ? this.#read(step, step.action) : this.#apply(step);
  }

  #apply({ action }: FaultStep): true {
    this.#context.state.apply(action);
    return this.#next();
  }

  /** Reads messages one by one, and waits for each, until the count or the end of the socket is reached. */
  #read(step: FaultStep, { client, count }: { client: string; count: number | 'all' }): boolean {
    const { state } = this.#context;
    const party = state.party(client);
    const { client: endpoint } = party;
    this.#wait = [endpoint];
    if (count === 'all') return this.#apply(step);
    // A client that reads a number of messages stops reading by itself.
    party.reading = false;
    if (this.#done === count || model.atEnd(endpoint)) return this.#next();
    const came = model.receive(endpoint) !== undefined;
    if (came) this.#done++;
    return came;
  }

  #send(step: SendStep): boolean {
    const { state, waiting, eager } = this.#context;
    const from = state.sender(step);
    const lane = state.laneOf(from);
    // The process of the sender has ended, or has closed the socket.
    if (from.closed || this.#done === step.count) {
      if (!this.#isQueued) waiting.delete(lane);
      return this.#next();
    }
    if (this.#isQueued) return step.nonblocking && this.#tell(step, WOULD_WAIT);
    const datagram = this.#context.datagrams(step, this.#done);
    const known = state.known(step, datagram);
    if (known) return this.#repeat(step, known, datagram);
    const outcome = this.#attempt(step, from, datagram);
    if ('wait' in outcome && !step.nonblocking) {
      this.#wait = outcome.wait;
      waiting.set(lane, step.id);
      return false;
    }
    waiting.delete(lane);
    const possibility = 'wait' in outcome ? WOULD_WAIT : possibilityOf(state, outcome);
    if ('copies' in outcome) state.drain(outcome.copies.filter((each) => eager(each, from)));
    if (isSteady(state, outcome)) {
      // On a bus with a protocol, the next outcome may depend on more than the message's length.
      if ('copies' in outcome && !from.bus.verdict) state.remember(step, datagram, possibility);
      return this.#repeat(step, possibility, datagram);
    }
    state.forget();
    return this.#tell(step, possibility);
  }

  #attempt(step: SendStep, from: model.Endpoint, datagram: Datagram): model.Outcome {
    const { state, possibilities, effort } = this.#context;
    effort.spend(reachable(step, from));
    // SO_ERROR is reported to the next call on the socket, which may be the reader's.
    const pending = model.takeError(from);
    const because = 'the socket has an error to tell (SO_ERROR)';
    if (pending !== undefined)
      possibilitiesOf(possibilities, step).add(this.#done, { error: pending, because });
    return state.send(step, datagram);
  }

  #tell(step: SendStep, possibility: Possibility): true {
    const { possibilities, returned } = this.#context;
    possibilitiesOf(possibilities, step).add(this.#done++, possibility);
    returned.set(step.id, this.#done);
    return true;
  }

  /**
   * The state has not changed, so the next messages have the same outcome, as long as their length is equal and no
   * fault counts them.
   */
  #repeat(step: SendStep, possibility: Possibility, { length }: Datagram): true {
    const { datagrams, counted } = this.#context;
    do this.#tell(step, possibility);
    while (!counted.has(step.id) && this.#done < step.count && datagrams(step, this.#done).length === length);
    return true;
  }
}

/** The first branch that is stuck; a fault with `after` comes last, since it waits for others. */
export function stuckIn(cursors: readonly BranchCursor[]): Stuck | undefined {
  const all = cursors.map(({ stuck }) => stuck).filter((stuck) => stuck !== undefined);
  return all.find(({ step }) => !(step.kind === 'fault' && step.after)) ?? all[0];
}

/** Send steps that a fault in these branches counts. */
export const countedIn = (branches: readonly Branch[]): ReadonlySet<string> =>
  new Set([...faults(branches.flat())].flatMap(({ after }) => after?.sends ?? []));

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

function possibilitiesOf(possibilities: PossibilitiesOf, { id }: SendStep): PossibilitySet {
  const known = possibilities.get(id) ?? new PossibilitySet();
  possibilities.set(id, known);
  return known;
}

/** Number of sockets that a message may reach. */
const reachable = ({ to }: SendStep, { bus }: model.Endpoint): number =>
  to.kind === 'client' || to.kind === 'master' ? 1 : 1 + bus.joined.size;

/** Whether the send left the bus unchanged: all recipients have taken their copies, or there were none. */
function isSteady(state: BusState, outcome: model.Outcome): boolean {
  // A filter may drop the next message, which then does not wait.
  if ('wait' in outcome) return outcome.wait.some(({ filter }) => !filter);
  if ('error' in outcome) return true;
  if (outcome.dropped.length > 0 || outcome.copies.some(({ filter }) => filter)) return false;
  const settled = outcome.copies.every((each) => each.queue.length === 0 && state.reads(each));
  return settled && outcome.evicted.length === 0 && outcome.lost.length === 0;
}
