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
  readonly state: BusState;
}

export interface Explored {
  readonly ended: readonly BusState[];
  /** Found if the step does not end in some order. */
  readonly deadlock?: Deadlock;
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

  /** Undefined if there are too many states. `states` are not changed. */
  explore(states: readonly BusState[], { branches }: ParallelStep): Explored | undefined {
    const known = new Map<string, Explored | undefined>();
    const ended: BusState[] = [];
    let deadlock: Deadlock | undefined;
    for (const state of states) {
      const part = state.fork(new Set(busesOf(state, branches.flat())));
      const key = part.key();
      const explored = known.has(key) ? known.get(key) : this.#explorePart(part, branches);
      known.set(key, explored);
      if (explored === undefined) return undefined;
      for (const each of explored.ended) ended.push(state.with(each));
      if (explored.deadlock)
        deadlock ??= { stuck: explored.deadlock.stuck, state: state.with(explored.deadlock.state) };
    }
    return { ended, ...(deadlock && { deadlock }) };
  }

  #explorePart(part: BusState, branches: readonly Branch[]): Explored | undefined {
    if (atLeast(branches) * part.parties.size > MAX_STATES.step) return undefined;
    const met = new Set<string>();
    const [ended, open]: [BusState[], Configuration[]] = [[], []];
    const meet = (configuration: Configuration) => {
      const { key } = configuration;
      if (!met.has(key)) open.push(configuration);
      met.add(key);
    };
    meet(this.#start(part, branches));
    let deadlock: Deadlock | undefined;
    for (let configuration = open.pop(); configuration; configuration = open.pop()) {
      const weight = configuration.state.parties.size;
      this.#left -= weight;
      if (this.#left < 0 || met.size * weight > MAX_STATES.step) return undefined;
      const next = configuration.next();
      next.forEach(meet);
      if (next.length > 0) continue;
      if (configuration.stuck) deadlock ??= { stuck: configuration.stuck, state: configuration.state };
      else ended.push(configuration.state);
    }
    return { ended, ...(deadlock && { deadlock }) };
  }

  #start(state: BusState, branches: readonly Branch[]): Configuration {
    const steps = branches.flat();
    const slow = new Set(this.#slowReaders(state, steps));
    const timed = new Set(timedReaders(state, steps));
    const counted = countedIn(branches);
    return Configuration.start(state, branches, { datagrams: this.#datagrams, slow, timed, counted });
  }

  /** Readers whose timing matters: their queue may be full, or a sender's buffer used up. */
  *#slowReaders(state: BusState, steps: readonly Step[]): Generator<Lane> {
    const [messages, weights] = [new Map<model.Bus, number>(), new Map<model.Bus, number>()];
    for (const step of sends(steps)) {
      const { bus } = state.sender(step);
      messages.set(bus, (messages.get(bus) ?? 0) + step.count);
      for (let n = 0; n < step.count; n++)
        weights.set(bus, (weights.get(bus) ?? 0) + model.weightOf(this.#datagrams(step, n).length));
    }
    for (const each of state.endpoints()) {
      const coming = messages.get(each.bus) ?? 0;
      const weight = weights.get(each.bus) ?? 0;
      const mayBeFull =
        each.queue.length + coming > each.queueLength ||
        each.queued + weight >= model.maxQueued(each) ||
        each.charged + weight >= each.sendBuffer;
      if (mayBeFull) yield state.laneOf(each);
    }
  }
}

/** The least possible number of states: the combinations of positions in all branches. */
const atLeast = (branches: readonly Branch[]): number =>
  branches.reduce((product, branch) => product * (1 + branch.reduce((sum, step) => sum + stops(step), 0)), 1);

const stops = (step: Step): number =>
  step.kind === 'parallel' ? atLeast(step.branches) : step.kind === 'send' ? step.count : 1;

/** Readers that are told to stop, or how much to read: it matters what they have read by then. */
function* timedReaders(state: BusState, steps: readonly Step[]): Generator<Lane> {
  for (const { action } of faults(steps)) {
    const effect = readingEffect(action);
    if (effect !== undefined && effect !== 'ends' && effect !== 'resumes')
      yield* lanesOf(state, subjectOf(action));
  }
}

function* lanesOf(state: BusState, party: Sender): Generator<Lane> {
  if (party.kind === 'client') yield party.name;
  else
    for (const { bus, accepted } of state.parties.values())
      if (bus === party.bus) yield state.laneOf(accepted);
}

function* busesOf(state: BusState, steps: readonly Step[]): Generator<string> {
  for (const step of flat(steps)) {
    if (step.kind === 'fault') yield state.busOf(step.action);
    else if (step.kind === 'send') yield state.partyAt(state.sender(step)).bus;
    else if (step.kind === 'blocked' || step.kind === 'hangup') yield state.party(step.client).bus;
  }
}

interface Rules {
  readonly datagrams: Datagrams;
  readonly slow: ReadonlySet<Lane>;
  readonly timed: ReadonlySet<Lane>;
  readonly counted: ReadonlySet<string>;
}

/** A state of the buses, and the positions of the branches. */
class Configuration {
  readonly state: BusState;
  readonly #rules: Rules;
  readonly #context: PlayContext;
  #cursors: readonly BranchCursor[] = [];

  private constructor(
    state: BusState,
    rules: Rules,
    { waiting, returned }: Pick<PlayContext, 'waiting' | 'returned'>,
  ) {
    this.state = state;
    this.#rules = rules;
    this.#context = {
      state,
      datagrams: rules.datagrams,
      possibilities: new Map(),
      // Exploring counts states instead.
      effort: new Effort(),
      eager: () => false,
      waiting: new Map(waiting),
      returned: new Map(returned),
      counted: rules.counted,
    };
  }

  static start(state: BusState, branches: readonly Branch[], rules: Rules): Configuration {
    const configuration = new Configuration(state, rules, { waiting: new Map(), returned: new Map() });
    configuration.#cursors = branches.map((steps) => new BranchCursor(configuration.#context, steps));
    configuration.#settle();
    return configuration;
  }

  get key(): string {
    const { waiting, returned, counted } = this.#context;
    // Positions tell how much was sent, except for a sender that has ended meanwhile.
    const sent = [...counted].map((id) => returned.get(id) ?? 0);
    const places = this.#cursors.map(({ place }) => place);
    return JSON.stringify([this.state.key(), places, [...waiting].map(String).sort(), ...sent]);
  }

  /** Where the branches are stuck, if they are. */
  get stuck(): Stuck | undefined {
    // A cursor knows what it waits for after it has tried.
    for (const cursor of this.#cursors) cursor.advance();
    return stuckIn(this.#cursors);
  }

  /**
   * The states after one more action; empty if all branches are over, or stuck. Readers whose timing does not matter
   * read only if a sender needs the room.
   */
  next(): readonly Configuration[] {
    const next = this.#cursors.flatMap((_, n) => this.#advanced(n));
    const { slow, timed } = this.#rules;
    for (const lane of new Set([...slow, ...timed])) {
      if (!this.#isNeeded(lane)) continue;
      const configuration = this.#fork();
      configuration.state.takeOne(lane);
      next.push(configuration);
    }
    if (next.length > 0 || this.state.drain()) return next.length > 0 ? next : [this];
    return this.#cursors.flatMap((_, n) => this.#givenUp(n));
  }

  #isNeeded(lane: Lane): boolean {
    if (!this.state.hasOne(lane)) return false;
    if (this.#rules.timed.has(lane)) return true;
    return model.isFull(this.state.endpoint(lane)) || this.state.anyLacksBudget();
  }

  #fork(): Configuration {
    const twin = new Configuration(this.state.fork(), this.#rules, this.#context);
    twin.#cursors = this.#cursors.map((cursor) => cursor.fork(twin.#context));
    return twin;
  }

  /** The state after branch `n` has done its next thing; empty if it cannot. */
  #advanced(n: number): readonly Configuration[] {
    if (this.#cursors[n]?.isOver !== false) return [];
    const configuration = this.#fork();
    return configuration.#advances(n) ? [configuration] : [];
  }

  /** Beginning to wait counts as progress, since others may notice it. */
  #advances(n: number): boolean {
    const { waiting } = this.#context;
    const before = waiting.size;
    const advances = this.#cursors[n]?.advance() || waiting.size > before;
    if (advances) this.#settle();
    return advances;
  }

  #givenUp(n: number): readonly Configuration[] {
    const configuration = this.#fork();
    if (!configuration.#cursors[n]?.giveUp()) return [];
    configuration.#settle();
    return [configuration];
  }

  /** Lets every reader read whose timing does not matter. */
  #settle(): void {
    const { slow, timed } = this.#rules;
    this.state.drainAll((lane) => !slow.has(lane) && !timed.has(lane));
  }
}
