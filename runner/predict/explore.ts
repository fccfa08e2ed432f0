// SPDX-License-Identifier: MIT
/**
 * Where the world may be when branches have ended: every order is gone through in which they and the readers
 * can go, as long as that is not too much. Two ways that meet in one state go on as one.
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

/** Where nobody gets on any more. */
export interface Deadlock {
  readonly stuck: Stuck;
  readonly world: BusState;
}

export interface Explored {
  readonly ended: readonly BusState[];
  /** A way in which it does not end. */
  readonly stuck?: Deadlock;
}

/** States of a step, each weighing as much as there are clients; and those of all steps. */
const MAX_STATES = { step: 2000, file: 20_000 };

export class Explorer {
  readonly #datagrams: Datagrams;
  /** States that may still be looked at, in all steps. */
  #left = MAX_STATES.file;

  constructor(datagrams: Datagrams) {
    this.#datagrams = datagrams;
  }

  /** Undefined where there is too much to look at. `worlds` stay as they are. */
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

  /** Readers with whom it makes a difference when they read: their queue may be full, or a send buffer used up. */
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

/** States that there are in any case: how far each branch has come. */
const atLeast = (branches: readonly Branch[]): number =>
  branches.reduce((product, branch) => product * (1 + branch.reduce((sum, step) => sum + stops(step), 0)), 1);

const stops = (step: Step): number =>
  step.kind === 'parallel' ? atLeast(step.branches) : step.kind === 'send' ? step.count : 1;

/** Readers that are told to stop, or how much to read: what they have read by then is to be seen. */
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

/** A world with branches on their way through it. */
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
      // States are counted instead.
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
    // How far a branch is says how much it has sent, unless its sender has ended meanwhile.
    const sent = [...counted].map((id) => returned.get(id) ?? 0);
    const places = this.#cursors.map(({ place }) => place);
    return JSON.stringify([this.world.key(), places, [...waiting].map(String).sort(), ...sent]);
  }

  /** Where it stands still; of one that does. */
  get stuck(): Stuck | undefined {
    // What each waits for is known when it has tried.
    for (const cursor of this.#cursors) cursor.advance();
    return stuckIn(this.#cursors);
  }

  /**
   * What may be the case one thing later; nothing where all is over, or stands still. When somebody read makes a
   * difference only to those who need the room, so that nobody reads before.
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

  /** The branch has done its next thing. */
  #advanced(n: number): readonly State[] {
    if (this.#cursors[n]?.isOver !== false) return [];
    const state = this.#fork();
    return state.#advances(n) ? [state] : [];
  }

  /** To begin to wait is something that others may see. */
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

  /** Each reader that need not be waited for has read. */
  #settle(): void {
    const { slow, timed } = this.#rules;
    this.world.drainAll((lane) => !slow.has(lane) && !timed.has(lane));
  }
}
