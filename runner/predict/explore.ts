// SPDX-License-Identifier: MIT
/**
 * Finds the states in which a parallel step may end, by trying every order of its branches and readers, unless there
 * are too many. Two orders that lead to the same state continue as one.
 */

import * as model from '../model/index.ts';
import { readingEffect, subjectOf } from '../topology/faults.ts';
import type { Lane } from '../topology/lane.ts';
import { faults, flat, sends } from '../topology/steps.ts';
import type { ParallelStep, Sender, Step } from '../topology/topology.ts';
import type { BusState } from './bus-state.ts';
import {
  type Branch,
  BranchCursor,
  countedIn,
  type Datagrams,
  type PlayContext,
  type Stuck,
  stuckIn,
} from './cursor.ts';
import { Effort } from './effort.ts';

/** A state in which no branch can go on. */
export interface Deadlock {
  readonly stuck: Stuck;
  readonly world: BusState;
}

export interface Explored {
  readonly ended: readonly BusState[];
  /** Found if the step does not end in some order. */
  readonly stuck?: Deadlock;
}

/** Maximum effort for a step and for a file: the number of states, each multiplied by the number of clients. */
const MAX_STATES = { step: 2000, file: 20_000 };

export class Explorer {
  readonly #datagrams: Datagrams;
  /** Effort that is left for all further steps. */
  #left = MAX_STATES.file;

  constructor(datagrams: Datagrams) {
    this.#datagrams = datagrams;
  }

  /** Undefined if there are too many states. `worlds` are not changed. */
  explore(worlds: readonly BusState[], { branches }: ParallelStep): Explored | undefined {
    const known = new Map<string, Explored | undefined>();
    const ended: BusState[] = [];
    let stuck: Deadlock | undefined;
    for (const world of worlds) {
      const part = world.fork(new Set(busesOf(world, branches.flat())));
      const key = part.key();
      const explored = known.has(key) ? known.get(key) : this.#explorePart(part, branches);
      known.set(key, explored);
      if (explored === undefined) return undefined;
      for (const each of explored.ended) ended.push(world.with(each));
      if (explored.stuck) stuck ??= { stuck: explored.stuck.stuck, world: world.with(explored.stuck.world) };
    }
    return { ended, ...(stuck && { stuck }) };
  }

  #explorePart(part: BusState, branches: readonly Branch[]): Explored | undefined {
    if (atLeast(branches) * part.parties.size > MAX_STATES.step) return undefined;
    const met = new Set<string>();
    const [ended, open]: [BusState[], State[]] = [[], []];
    const meet = (state: State) => {
      const { key } = state;
      if (!met.has(key)) open.push(state);
      met.add(key);
    };
    meet(this.#start(part, branches));
    let stuck: Deadlock | undefined;
    for (let state = open.pop(); state; state = open.pop()) {
      const weight = state.world.parties.size;
      this.#left -= weight;
      if (this.#left < 0 || met.size * weight > MAX_STATES.step) return undefined;
      const next = state.next();
      next.forEach(meet);
      if (next.length > 0) continue;
      if (state.stuck) stuck ??= { stuck: state.stuck, world: state.world };
      else ended.push(state.world);
    }
    return { ended, ...(stuck && { stuck }) };
  }

  #start(world: BusState, branches: readonly Branch[]): State {
    const steps = branches.flat();
    const slow = new Set(this.#slowReaders(world, steps));
    const timed = new Set(timedReaders(world, steps));
    const counted = countedIn(branches);
    return State.start(world, branches, { datagrams: this.#datagrams, slow, timed, counted });
  }

  /** Readers whose timing matters: their queue may be full, or a sender's buffer used up. */
  *#slowReaders(world: BusState, steps: readonly Step[]): Generator<Lane> {
    const [messages, weights] = [new Map<model.Bus, number>(), new Map<model.Bus, number>()];
    for (const step of sends(steps)) {
      const { bus } = world.sender(step);
      messages.set(bus, (messages.get(bus) ?? 0) + step.count);
      for (let n = 0; n < step.count; n++)
        weights.set(bus, (weights.get(bus) ?? 0) + model.weightOf(this.#datagrams(step, n).length));
    }
    for (const each of world.endpoints()) {
      const coming = messages.get(each.bus) ?? 0;
      const weight = weights.get(each.bus) ?? 0;
      const mayBeFull =
        each.queue.length + coming > each.queueLength ||
        each.queued + weight >= model.maxQueued(each) ||
        each.charged + weight >= each.sendBuffer;
      if (mayBeFull) yield world.laneOf(each);
    }
  }
}

/** The least possible number of states: the combinations of positions in all branches. */
const atLeast = (branches: readonly Branch[]): number =>
  branches.reduce((product, branch) => product * (1 + branch.reduce((sum, step) => sum + stops(step), 0)), 1);

const stops = (step: Step): number =>
  step.kind === 'parallel' ? atLeast(step.branches) : step.kind === 'send' ? step.count : 1;

/** Readers that are told to stop, or how much to read: it matters what they have read by then. */
function* timedReaders(world: BusState, steps: readonly Step[]): Generator<Lane> {
  for (const { action } of faults(steps)) {
    const effect = readingEffect(action);
    if (effect !== undefined && effect !== 'ends' && effect !== 'resumes')
      yield* lanesOf(world, subjectOf(action));
  }
}

function* lanesOf(world: BusState, party: Sender): Generator<Lane> {
  if (party.kind === 'client') yield party.name;
  else
    for (const { bus, accepted } of world.parties.values())
      if (bus === party.bus) yield world.laneOf(accepted);
}

function* busesOf(world: BusState, steps: readonly Step[]): Generator<string> {
  for (const step of flat(steps)) {
    if (step.kind === 'fault') yield world.busOf(step.action);
    else if (step.kind === 'send') yield world.partyAt(world.sender(step)).bus;
    else if (step.kind !== 'parallel' && step.kind !== 'dbus') yield world.party(step.client).bus;
  }
}

interface Rules {
  readonly datagrams: Datagrams;
  readonly slow: ReadonlySet<Lane>;
  readonly timed: ReadonlySet<Lane>;
  readonly counted: ReadonlySet<string>;
}

/** A state of the buses, and the positions of the branches. */
class State {
  readonly world: BusState;
  readonly #rules: Rules;
  readonly #context: PlayContext;
  #cursors: readonly BranchCursor[] = [];

  private constructor(
    world: BusState,
    rules: Rules,
    { waiting, returned }: Pick<PlayContext, 'waiting' | 'returned'>,
  ) {
    this.world = world;
    this.#rules = rules;
    this.#context = {
      world,
      datagrams: rules.datagrams,
      ways: new Map(),
      // Exploring counts states instead.
      effort: new Effort(),
      eager: () => false,
      waiting: new Map(waiting),
      returned: new Map(returned),
      counted: rules.counted,
    };
  }

  static start(world: BusState, branches: readonly Branch[], rules: Rules): State {
    const state = new State(world, rules, { waiting: new Map(), returned: new Map() });
    state.#cursors = branches.map((steps) => new BranchCursor(state.#context, steps));
    state.#settle();
    return state;
  }

  get key(): string {
    const { waiting, returned, counted } = this.#context;
    // Positions tell how much was sent, except for a sender that has ended meanwhile.
    const sent = [...counted].map((id) => returned.get(id) ?? 0);
    const places = this.#cursors.map(({ place }) => place);
    return JSON.stringify([this.world.key(), places, [...waiting].map(String).sort(), ...sent]);
  }

  /** Where the branches are stuck, if they are. */
  get stuck(): Stuck | undefined {
    // A cursor knows what it waits for after it has tried.
    for (const cursor of this.#cursors) cursor.advance();
    return stuckIn(this.#cursors);
  }

  /**
   * The states after one more action; empty if all branches are over, or stuck. Readers whose timing does not matter
   * read only if a sender needs the space.
   */
  next(): readonly State[] {
    const next = this.#cursors.flatMap((_, n) => this.#advanced(n));
    const { slow, timed } = this.#rules;
    for (const lane of new Set([...slow, ...timed])) {
      if (!this.#isNeeded(lane)) continue;
      const state = this.#fork();
      state.world.takeOne(lane);
      next.push(state);
    }
    if (next.length > 0 || this.world.drain()) return next.length > 0 ? next : [this];
    return this.#cursors.flatMap((_, n) => this.#givenUp(n));
  }

  #isNeeded(lane: Lane): boolean {
    if (!this.world.hasOne(lane)) return false;
    if (this.#rules.timed.has(lane)) return true;
    return model.isFull(this.world.endpoint(lane)) || this.world.anyLacksBudget();
  }

  #fork(): State {
    const twin = new State(this.world.fork(), this.#rules, this.#context);
    twin.#cursors = this.#cursors.map((cursor) => cursor.fork(twin.#context));
    return twin;
  }

  /** The state after branch `n` has done its next thing; empty if it cannot. */
  #advanced(n: number): readonly State[] {
    if (this.#cursors[n]?.isOver !== false) return [];
    const state = this.#fork();
    return state.#advances(n) ? [state] : [];
  }

  /** Beginning to wait counts as progress, since others may notice it. */
  #advances(n: number): boolean {
    const { waiting } = this.#context;
    const before = waiting.size;
    const advances = this.#cursors[n]?.advance() || waiting.size > before;
    if (advances) this.#settle();
    return advances;
  }

  #givenUp(n: number): readonly State[] {
    const state = this.#fork();
    if (!state.#cursors[n]?.giveUp()) return [];
    state.#settle();
    return [state];
  }

  /** Lets every reader read whose timing does not matter. */
  #settle(): void {
    const { slow, timed } = this.#rules;
    this.world.drainAll((lane) => !slow.has(lane) && !timed.has(lane));
  }
}
