// SPDX-License-Identifier: MIT
/**
 * Predicts the outcomes of every message of a topology, and finds steps that can never end. Pure.
 *
 * If the order of events is not known, the walk continues in every possible state: in one of them a client was evicted
 * because it read too slowly, in another it was not.
 */

import * as model from '../model/index.ts';
import { parseLane } from '../topology/lane.ts';
import { resumption } from '../topology/pauses.ts';
import { faults, sends } from '../topology/steps.ts';
import type { FaultStep, HangupStep, ParallelStep, SendStep, Step, Topology } from '../topology/topology.ts';
import { actorOf } from './actor.ts';
import { type Allowed, PossibilitySet } from './allowed.ts';
import { BusState } from './bus-state.ts';
import { anything, concurrent, evict, type Tell } from './concurrent.ts';
import type { Datagrams, PossibilitiesOf } from './cursor.ts';
import { Effort, Exhausted, TOO_MUCH } from './effort.ts';
import { type Deadlock, Explorer } from './explore.ts';
import { MAX_PLACES, mayHaveTooManyPlaces } from './linearize.ts';
import { play, QUICK, type Schedule } from './play.ts';

export interface Prediction {
  /** The possible outcomes of message `n` of a step, from 0; undefined if it is never sent. */
  readonly of: (step: string, n: number) => Allowed | undefined;
  /** The possible states when a parallel step begins, or a send on a bus that evicts; empty if they are not known. */
  readonly before: (step: string) => readonly BusState[];
  /** Whether the bus may evict the client at some time. */
  readonly mayBeEvicted: (client: string) => boolean;
  readonly findings: readonly Finding[];
  /** Top-level step → why it is not judged who gets its messages. */
  readonly unjudged: ReadonlyMap<string, Unjudged>;
}

export interface Unjudged {
  readonly why: string;
  /** Whether this is so from that step on to the end of the file. */
  readonly lasts: boolean;
}

/** Why an expectation of the file cannot hold according to the model, by the step's id. */
export type Contradictions = ReadonlyMap<string, string>;

/** A step that cannot do what the file wants; `order-dependent`: it can in some orders of the branches. */
export interface Finding {
  readonly step: string;
  readonly kind: 'endless' | 'impossible' | 'order-dependent';
  readonly message: string;
  readonly hint?: string;
}

const SLOW: Schedule = { ...QUICK, readers: 'slow' };
const OWN_FIRST: Schedule = { ...QUICK, readers: 'ownFirst' };
/** If there are more branches, not each of them is tried as the last one. */
const MAX_BRANCHES = 8;

/** The schedules in which the branches are played to find the states in which they may end. */
function schedulesOf({ branches: { length } }: ParallelStep): Schedule[] {
  const late = length > 2 && length <= MAX_BRANCHES ? Array.from({ length: length - 1 }, (_, n) => n) : [];
  return (['quick', 'slow'] as const).flatMap((readers) =>
    (['first', 'last', 'none', ...late] as const).map((ahead): Schedule => ({ readers, ahead })),
  );
}

/** Maximum number of states that are followed; if there are more, anything is allowed. */
const MAX_STATES = 64;
const TOO_MANY = `more than ${MAX_STATES} states of the bus are possible`;

const TOO_MANY_CHANGES: Unjudged = {
  why: `the changes of this step have more than ${MAX_PLACES} combinations`,
  lasts: false,
};

export function predict(topology: Topology, datagrams: Datagrams): Prediction {
  const walk = new Walk(topology, datagrams);
  for (const step of topology.steps) walk.step(step);
  const { possibilities, before, findings, unjudged } = walk;
  return {
    of: (step, n) => possibilities.get(step)?.answer(n),
    before: (step) => before.get(step) ?? [],
    mayBeEvicted: (client) => walk.mayBeEvicted(client),
    findings,
    unjudged,
  };
}

class Walk {
  readonly possibilities: PossibilitiesOf = new Map();
  readonly before = new Map<string, readonly BusState[]>();
  readonly findings: Finding[] = [];
  readonly unjudged = new Map<string, Unjudged>();
  readonly #datagrams: Datagrams;
  readonly #effort = new Effort();
  /** Set when the effort was used up: the states are not known any more. */
  #exhausted = false;
  /** Set when there were more states than are followed. */
  #lost = false;
  readonly #explorer: Explorer;
  /** Clients of buses that evict, and those of them that may have been evicted so far. */
  readonly #evictable: ReadonlySet<string>;
  readonly #victims = new Set<string>();
  #states: readonly BusState[];

  constructor(topology: Topology, datagrams: Datagrams) {
    this.#datagrams = datagrams;
    this.#explorer = new Explorer(datagrams);
    this.#states = [BusState.start(topology)];
    const evicting = topology.buses.flatMap(({ name, overflow }) => (overflow === 'evict' ? [name] : []));
    const evictable = topology.clients.filter(({ bus }) => evicting.includes(bus));
    this.#evictable = new Set(evictable.map(({ name }) => name));
  }

  /** If the states are not known any more, any client may have been evicted. */
  mayBeEvicted(client: string): boolean {
    return this.#evictable.has(client) && (this.#exhausted || this.#lost || this.#victims.has(client));
  }

  step(step: Step): void {
    const lost = this.#lost;
    if (!this.#exhausted) this.#try(step);
    const why = this.#exhausted ? TOO_MUCH : lost ? TOO_MANY : undefined;
    if (why === undefined) return;
    for (const send of sends([step])) {
      this.#allowAnything(send, why);
      this.unjudged.set(step.id, { why, lasts: true });
    }
  }

  #try(step: Step): void {
    const [refused, findings] = [this.#refused, this.findings.length];
    try {
      this.#go(step);
      if (this.#refused > refused && this.findings.length === findings) this.findings.push(refusal(step));
    } catch (error) {
      if (!(error instanceof Exhausted)) throw error;
      this.#exhausted = true;
    }
  }

  /** Number of faults that masters could not carry out, in all states so far. */
  get #refused(): number {
    return this.#states[0]?.refused.length ?? 0;
  }

  #go(step: Step): void {
    switch (step.kind) {
      case 'send':
        this.#watchingVictims(() => this.#send(step));
        break;
      case 'parallel':
        this.#parallel(step);
        break;
      case 'fault':
        this.#fault(step);
        break;
      case 'hangup':
        this.#hangup(step);
        break;
      case 'blocked':
      case 'dbus':
      case 'program':
        break;
      default:
        step satisfies never;
    }
  }

  /** Notes the clients that are out after a send, and were not before. */
  #watchingVictims(send: () => void): void {
    if (this.#evictable.size === 0) {
      send();
      return;
    }
    const parties = () => this.#states.flatMap((state) => [...state.parties.values()]);
    const present = new Set(parties().flatMap(({ name, client }) => (client.out ? [] : [name])));
    send();
    for (const { name, client } of parties()) if (client.out && present.has(name)) this.#victims.add(name);
  }

  #send(step: SendStep): void {
    const evicts = this.#states.some((state) => state.sender(step).bus.overflow === 'evict');
    if (evicts) this.#remember(step);
    if (evicts && step.count > 1) {
      this.#evicting(step);
      return;
    }
    const fails = this.#states.some((state) => state.sender(step).bus.overflow === 'fail');
    const careful = step.nonblocking || fails || evicts;
    // An own queue that is full comes first, with another error: the sender may have read its queue, and others not
    // theirs.
    const ownFirst = step.nonblocking && fails ? [OWN_FIRST] : [];
    this.#play(step, [[step]], careful ? [QUICK, SLOW, ...ownFirst] : [QUICK], this.possibilities);
  }

  /**
   * Which client is evicted, and before which message, depends on when clients read. As long as quick and slow readers
   * lead to the same outcome, that is the only one; from then on the messages are treated as concurrent.
   */
  #evicting(step: SendStep): void {
    const { id, place, count } = step;
    const wide = new PossibilitySet();
    const parallel: ParallelStep = { kind: 'parallel', id, place, branches: [[step]] };
    const { victims, open } = this.#concurrent(parallel, (_, n, possibility) => wide.add(n, possibility));
    const played: PossibilitiesOf = new Map();
    this.#play(step, [[step]], [QUICK, SLOW], played);
    const exact = played.get(id) ?? new PossibilitySet();
    const all = this.possibilities.get(id) ?? new PossibilitySet();
    this.possibilities.set(id, all);
    let certain = true;
    for (let n = 0; n < count; n++) {
      certain &&= exact.at(n).length === 1;
      for (const possibility of (certain ? exact : wide).at(n)) all.add(n, possibility);
    }
    if (!certain && open) this.unjudged.set(id, TOO_MANY_CHANGES);
    this.#evict(victims, (state, name) => state.reads(state.party(name).client));
  }

  /**
   * The outcomes come from comparing branches in any order; the schedules give the states in which the step may end.
   */
  #parallel(step: ParallelStep): void {
    this.#remember(step);
    const { victims, open } = this.#concurrent(step, ({ id }, n, possibility) => {
      const known = this.possibilities.get(id) ?? new PossibilitySet();
      this.possibilities.set(id, known);
      known.add(n, possibility);
    });
    if (open) this.unjudged.set(step.id, TOO_MANY_CHANGES);
    for (const { id, action } of faults([step])) {
      if ('client' in action && victims.has(action.client)) this.findings.push(evicted(id, action));
    }
    if (this.#explored(step)) return;
    const spared = victims.size > 0 ? this.#states.map((state) => this.#spare(state, step)) : [];
    this.#play(step, step.branches, schedulesOf(step), new Map());
    this.#keep([...this.#states, ...spared]);
    this.#evict(victims, () => true);
  }

  /** Keeps nothing for a step before which the model no longer follows all possible states. */
  #remember({ id }: Step): void {
    if (this.#lost) return;
    this.before.set(
      id,
      this.#states.map((state) => state.fork()),
    );
  }

  /** Explores every order of the step, if the order can make a difference; returns whether that was possible. */
  #explored(step: ParallelStep): boolean {
    if (!this.#states.some((state) => isOrderSensitive(state, step))) return false;
    const explored = this.#explorer.explore(this.#states, step);
    if (explored) this.#ended(step, explored.ended, explored.deadlock);
    return explored !== undefined;
  }

  /**
   * Returns the clients that the bus may evict during the step, and whether the changes have too many combinations, or
   * too many places, for all to be followed.
   */
  #concurrent(step: ParallelStep, tell: Tell): { victims: ReadonlySet<string>; open: boolean } {
    const compared = this.#states.map((state) =>
      concurrent(state, step, this.#datagrams, tell, this.#effort),
    );
    const victims = new Set(compared.flatMap((each) => each.victims));
    for (const client of victims) this.#victims.add(client);
    const open =
      compared.some((each) => each.open) ||
      this.#states.some((state) => mayHaveTooManyPlaces(state, step, victims));
    return { victims, open };
  }

  /** The state in which nobody was evicted: whatever did not fit into a queue was not for its client. */
  #spare(before: BusState, step: ParallelStep): BusState {
    const state = before.fork();
    const evicting = [...state.hosts.values()].filter(({ bus }) => bus.overflow === 'evict');
    for (const { bus } of evicting) bus.overflow = 'fail';
    play(state, step.branches, QUICK, this.#datagrams, new Map(), this.#effort);
    for (const { bus } of evicting) bus.overflow = 'evict';
    return state;
  }

  /**
   * Any of the victims may have been evicted. These states are enough for the outcomes: none, all, each alone, all but
   * each.
   */
  #evict(victims: ReadonlySet<string>, may: (state: BusState, name: string) => boolean): void {
    if (victims.size === 0) return;
    this.#keep(this.#evicted([...victims], may));
  }

  *#evicted(
    victims: readonly string[],
    may: (state: BusState, name: string) => boolean,
  ): Generator<BusState> {
    for (const state of this.#states) {
      const there = victims.filter((name) => !state.party(name).client.out && may(state, name));
      for (const gone of choices(there)) {
        const other = state.fork();
        for (const name of gone) evict(name)(other);
        yield other;
      }
    }
  }

  /** Keeps the different states, up to the maximum; it makes no more of them than it keeps. */
  #keep(states: Iterable<BusState>): void {
    if (Array.isArray(states) && states.length === 1) {
      this.#states = states;
      return;
    }
    const byKey = new Map<string, BusState>();
    for (const state of states) {
      byKey.set(state.key(), state);
      this.#lost ||= byKey.size > MAX_STATES;
      if (byKey.size >= MAX_STATES && this.#lost) break;
    }
    this.#states = [...byKey.values()].slice(0, MAX_STATES);
  }

  /** Allows every outcome, since the states are not known. */
  #allowAnything(step: SendStep, because: string): void {
    const possibilities = this.possibilities.get(step.id) ?? new PossibilitySet();
    this.possibilities.set(step.id, possibilities);
    const [state] = this.#states;
    if (state) possibilities.setAll(anything(state, step, because));
  }

  #fault(step: FaultStep): void {
    this.#play(step, [[step]], [QUICK], new Map());
  }

  #hangup({ id, client }: HangupStep): void {
    if (this.#states.some((state) => model.hungUp(state.party(client).client))) return;
    const message = `the socket of "${client}" does not hang up here: nothing expels the client, and only one that has not joined ends with its master (section 5)`;
    this.findings.push({ step: id, kind: 'impossible', message });
  }

  /** Plays a step in every state and every schedule, and keeps the states in which it ends. */
  #play(
    step: Step,
    branches: readonly (readonly Step[])[],
    schedules: readonly Schedule[],
    possibilities: PossibilitiesOf,
  ): void {
    const ended: BusState[] = [];
    let first: Deadlock | undefined;
    for (const before of this.#states) {
      for (const schedule of schedules) {
        const state = schedules.length === 1 ? before : before.fork();
        const stuck = play(state, branches, schedule, this.#datagrams, possibilities, this.#effort);
        if (stuck) first ??= { stuck, state };
        else ended.push(state);
      }
    }
    this.#ended(step, ended, first);
  }

  /** `still`: a state in which the step does not end. */
  #ended(step: Step, ended: readonly BusState[], deadlock: Deadlock | undefined): void {
    if (deadlock) this.findings.push(endless(step, deadlock, ended.length > 0));
    this.#keep(ended.length === 0 && deadlock ? [deadlock.state] : ended);
  }
}

/** Whether the order of the branches may affect more than who gets what. */
const isOrderSensitive = (state: BusState, step: ParallelStep): boolean =>
  [...faults([step])].length > 0 ||
  [...sends([step])].some((send) => send.nonblocking || state.sender(send).bus.overflow !== 'block');

/** No name, all names, each alone, all but each. */
function* choices(names: readonly string[]): Generator<readonly string[]> {
  yield [];
  yield names;
  for (const one of names) {
    yield [one];
    yield names.filter((each) => each !== one);
  }
}

const refusal = ({ id }: Step): Finding => ({
  step: id,
  kind: 'order-dependent',
  message: 'whether the master can do this depends on how the branches interleave',
  hint: 'Run the steps it depends on in sequence, not in `parallel`.',
});

const evicted = (step: string, { fault, client }: { fault: string; client: string }): Finding => ({
  step,
  kind: 'order-dependent',
  message: `"${client}" may be evicted before this: whether ${fault} can be done depends on how the branches interleave`,
  hint: 'Put it before the parallel step, or after it.',
});

/** `order-dependent`: in other orders it ends. */
function endless(top: Step, { stuck: { step, wait }, state }: Deadlock, orderDependent: boolean): Finding {
  const names = wait.map((lane) => parseLane(lane).agent);
  const [name = ''] = names;
  const base = { step: step.id, kind: orderDependent ? 'order-dependent' : 'endless' } as const;
  const never = `this step ${orderDependent ? 'may' : 'would'} never end`;
  const actor = actorOf(state, step);
  if (actor?.paused) {
    const message = `${never}: "${actor.name}" is paused, and does nothing`;
    return {
      ...base,
      message,
      hint: `Put - fault: ${resumption(state.topology, actor.name, top)} before it, or into another branch.`,
    };
  }
  if (step.kind === 'fault' && step.after) {
    const message = `${never}: the sends beside it end before ${step.after.messages} of their messages have returned`;
    return { ...base, message, hint: 'Let the fault come earlier.' };
  }
  if (step.kind !== 'send') {
    const message = `${never}: "${name}" waits for messages that nobody sends`;
    return { ...base, message, hint: 'Read fewer, or leave `count` out to read all that is there.' };
  }
  const [lane] = wait;
  const from = state.sender(step);
  const own = lane === state.laneOf(from);
  if (own && !model.mustReadFirst(from)) {
    const message = `${never}: "${name}" has used up its send buffer with ${from.unread} messages that nobody reads`;
    return {
      ...base,
      message,
      hint: 'Let their recipients read, or resume those that are paused, in another branch, or give the bus a larger `sendBuffer`.',
    };
  }
  const to = lane === undefined ? undefined : state.endpoint(lane);
  const holds = to?.queue.length ?? 0;
  const isPaused = to !== undefined && !state.acts(to);
  const heavy = to && holds <= to.queueLength ? ', which weigh half a send buffer' : '';
  const why = own
    ? `"${name}" has not read its own queue of ${holds} messages, and must read first`
    : `"${name}" ${isPaused ? 'is paused' : 'does not read'}, and its queue is full with ${holds} messages${heavy}`;
  const remedy = isPaused ? resumption(state.topology, name, top) : `{ read: ${name} }`;
  const hint =
    top === step
      ? `Put the send into a branch of \`parallel\`, and - fault: ${remedy} into another.`
      : `Put - fault: ${remedy} into another branch.`;
  return { ...base, message: `${never}: ${why}`, hint };
}
