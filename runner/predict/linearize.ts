// SPDX-License-Identifier: MIT
/**
 * Explains what was observed of concurrent sends: the bus has one sequence of messages (af_bus.md section 4), and each
 * change of policy has a place in it. Going through the messages in the order of the kernel's numbers, it keeps all
 * combinations of places that agree with who got each message. If none is left, the observation has no explanation.
 * A message of which nobody got a copy has no number, but it has a place too: somewhere between its sender's others.
 */

import * as model from '../model/index.ts';
import { rowOf } from '../topology/faults.ts';
import type { Lane } from '../topology/lane.ts';
import { sends, strands } from '../topology/steps.ts';
import type { ParallelStep, SendStep, Step } from '../topology/topology.ts';
import type { BusState } from './bus-state.ts';
import { empty, evict } from './concurrent.ts';
import type { Datagrams } from './cursor.ts';
import { Neighbours } from './neighbours.ts';

/** A message of the step that was sent with success, as it was observed. */
export interface Observed {
  readonly step: string;
  /** Index among the step's messages, from 0. */
  readonly n: number;
  readonly lanes: ReadonlySet<Lane>;
  /**
   * Whether a change had happened before the send began (`after`), or began after the send had ended (`before`), judged
   * by time stamps.
   */
  readonly after: (fault: string) => boolean;
  readonly before: (fault: string) => boolean;
}

export interface Witnessed extends Observed {
  /** Its number in the sequence. */
  readonly seq: number;
}

export interface NotLinearizable {
  readonly message: Observed;
  /** The recipients that were possible, one list for each combination of places. */
  readonly instead: readonly (readonly Lane[])[];
}

/** Maximum number of combinations of places; if there are more, nothing is explained. */
export const MAX_PLACES = 512;

/** There are too many combinations of places to go through. */
export const TOO_MANY_PLACES = 'too many places';

/**
 * The first message of a bus that no combination of places explains; undefined if all are explained. `unplaced` messages
 * have no known number. `unsure` lanes may have had a copy that nobody observed. Only clients that are `evictable` may
 * have been evicted, if the bus evicts.
 */
export function notLinearizable(
  state: BusState,
  step: ParallelStep,
  bus: string,
  { seen, unplaced }: { readonly seen: readonly Witnessed[]; readonly unplaced: readonly Observed[] },
  { unsure, evictable }: { unsure: (lane: Lane) => boolean; evictable: (client: string) => boolean },
  datagrams: Datagrams,
): NotLinearizable | typeof TOO_MANY_PLACES | undefined {
  const tracks = tracksOf(state, step, bus, evictable);
  const size = sizeOf(tracks);
  // If nothing changes, each message has one outcome, and may be judged by itself; unless the bus evicts.
  const certain = size === 1 && state.host(bus)?.bus.overflow !== 'evict';
  if (certain) return undefined;
  if (size > MAX_PLACES) return TOO_MANY_PLACES;
  const sequence = new Sequence(state, tracks, unsure, datagrams);
  return sequence.explain(
    seen.toSorted((a, b) => a.seq - b.seq),
    unplaced,
  );
}

/** Whether the changes on a bus to which a step sends may have too many places, if any of these clients may be evicted. */
export function mayHaveTooManyPlaces(
  state: BusState,
  step: ParallelStep,
  victims: ReadonlySet<string>,
): boolean {
  const used = new Set([...sends([step])].map((send) => state.sender(send).bus));
  return [...state.hosts].some(
    ([bus, host]) =>
      used.has(host.bus) && sizeOf(tracksOf(state, step, bus, (client) => victims.has(client))) > MAX_PLACES,
  );
}

/** The number of combinations of places. */
const sizeOf = (tracks: readonly Track[]): number =>
  tracks.reduce((product, { changes }) => product * (changes.length + 1), 1);

interface Change {
  /** Id of the fault; absent for changes that the bus makes itself. */
  readonly fault?: string;
  readonly apply: (state: BusState) => void;
}

/** Changes that happen in this order, and the sends between them, each with the number of changes before it. */
interface Track {
  /** The evicted client, for a track that consists of one eviction. */
  readonly victim?: Lane;
  readonly changes: readonly Change[];
  readonly sends: ReadonlyMap<string, { readonly step: SendStep; readonly done: number }>;
}

function tracksOf(
  state: BusState,
  { branches }: ParallelStep,
  bus: string,
  evictable: (client: string) => boolean,
): Track[] {
  const evictions = [...state.parties.values()]
    .filter((party) => party.bus === bus && party.client.bus.overflow === 'evict')
    .filter(({ name }) => evictable(name))
    .map(({ name }): Track => ({ victim: name, changes: [{ apply: evict(name) }], sends: new Map() }));
  return [...branches.flatMap(strands).map((steps) => trackOf(state, steps, bus)), ...evictions];
}

function trackOf(state: BusState, steps: readonly Step[], bus: string): Track {
  const changes: Change[] = [];
  const sends = new Map<string, { step: SendStep; done: number }>();
  for (const step of steps) {
    if (step.kind === 'send') sends.set(step.id, { step, done: changes.length });
    if (step.kind !== 'fault') continue;
    const { action } = step;
    // Faults that only change when messages are read do not affect who gets them.
    if (rowOf(action).changes !== 'routes' || state.busOf(action) !== bus) continue;
    changes.push({ fault: step.id, apply: (each) => each.apply(action) });
  }
  return { changes, sends };
}

/** For each track, how many of its changes have happened. */
type Places = readonly number[];

/** Lanes that must get a message, and eavesdroppers that may. */
interface Reach {
  readonly must: ReadonlySet<Lane>;
  readonly may: ReadonlySet<Lane>;
}

/** The combination of places at which a message is sent, and the one after the evictions that it causes. */
interface Move {
  readonly at: Places;
  readonly after: Places;
}

/** Between two messages: the combinations that explain those before, and those that leave the later ones explained. */
interface Gap {
  readonly possible: readonly Places[];
  /** Undefined if every combination does. */
  readonly open: ReadonlySet<string> | undefined;
}

class Sequence {
  readonly #state: BusState;
  readonly #tracks: readonly Track[];
  readonly #unsure: (lane: Lane) => boolean;
  readonly #datagrams: Datagrams;
  readonly #states = new Map<string, BusState>();
  readonly #reaches = new Map<string, Reach | undefined>();

  constructor(
    state: BusState,
    tracks: readonly Track[],
    unsure: (lane: Lane) => boolean,
    datagrams: Datagrams,
  ) {
    this.#state = state;
    this.#tracks = tracks;
    this.#unsure = unsure;
    this.#datagrams = datagrams;
  }

  explain(seen: readonly Observed[], unplaced: readonly Observed[]): NotLinearizable | undefined {
    const moves: (readonly Move[])[] = [];
    let now: readonly Places[] = [this.#tracks.map(() => 0)];
    for (const message of seen) {
      const possible = this.#later(now);
      const next = this.#moves(possible, message);
      if (next.length === 0) return this.#unexplained(possible, message);
      if (unplaced.length > 0) moves.push(next);
      now = next.map(({ after }) => after);
    }
    return unplaced.length === 0 ? undefined : this.#place(seen, moves, unplaced);
  }

  /** Finds, for each message by itself, a gap among the seen ones that explains it and leaves them explained. */
  #place(
    seen: readonly Observed[],
    moves: readonly (readonly Move[])[],
    unplaced: readonly Observed[],
  ): NotLinearizable | undefined {
    const gaps = this.#gaps(moves);
    const neighbours = new Neighbours(
      this.#tracks.map(({ sends }) => [...sends.keys()]),
      seen,
    );
    const between = new Map<string, ReadonlySet<Gap>>();
    for (const message of unplaced) {
      const [first, last] = neighbours.of(message);
      const tried = between.get(`${first} ${last}`) ?? new Set(gaps.slice(first, last + 1));
      between.set(`${first} ${last}`, tried);
      // The sender's messages came out of order, which is for the check of the order to say.
      if (tried.size === 0) continue;
      const fits = ({ possible, open }: Gap) =>
        this.#moves(possible, message).some(({ after }) => open?.has(after.join()) ?? true);
      if ([...tried].some(fits)) continue;
      const possible = [...tried].flatMap((gap) => gap.possible);
      return this.#unexplained(possible, message);
    }
    return undefined;
  }

  /** The gap before each message, and the one after the last. Gaps with the same combinations are the same object. */
  #gaps(moves: readonly (readonly Move[])[]): readonly Gap[] {
    const known = new Map<string, Gap>();
    const gaps: Gap[] = [];
    let open: ReadonlySet<string> | undefined;
    for (let n = moves.length; n >= 0; n--) {
      const live = (each: readonly Move[]) => each.filter(({ after }) => open?.has(after.join()) ?? true);
      const earlier = n === 0 ? undefined : live(moves[n - 1] as readonly Move[]);
      const from = earlier?.map(({ after }) => after) ?? [this.#tracks.map(() => 0)];
      const key = [from.map((each) => each.join()).join(' '), ...(open ?? ['any'])].join('|');
      const gap = known.get(key) ?? { possible: this.#later(from), open };
      known.set(key, gap);
      gaps.push(gap);
      if (earlier) open = this.#earlier(earlier);
    }
    return gaps.reverse();
  }

  /** These combinations, and those after any further changes. */
  #later(now: readonly Places[]): readonly Places[] {
    const all = new Map(now.map((places) => [places.join(), places]));
    for (const places of all.values()) {
      this.#tracks.forEach(({ changes }, t) => {
        if ((places[t] ?? 0) >= changes.length) return;
        const next = places.map((place, each) => (each === t ? place + 1 : place));
        if (!all.has(next.join())) all.set(next.join(), next);
      });
    }
    return [...all.values()];
  }

  /** The combinations from which these moves can be reached by further changes. */
  #earlier(moves: readonly Move[]): ReadonlySet<string> {
    const all = new Map(moves.map(({ at }) => [at.join(), at]));
    for (const places of all.values()) {
      places.forEach((place, t) => {
        const previous = places.with(t, place - 1);
        if (place > 0 && !all.has(previous.join())) all.set(previous.join(), previous);
      });
    }
    return new Set(all.keys());
  }

  /** Where the message can be among these combinations. */
  #moves(possible: readonly Places[], message: Observed): readonly Move[] {
    const sent = this.#sent(message);
    return possible
      .filter((places) => this.#inTime(places, message, sent))
      .flatMap((at) => {
        const after = this.#with(at, message, sent);
        return after ? [{ at, after }] : [];
      });
  }

  #unexplained(possible: readonly Places[], message: Observed): NotLinearizable {
    const sent = this.#sent(message);
    const inTime = possible.filter((places) => this.#inTime(places, message, sent));
    return { message, instead: this.#instead(inTime, message, sent) };
  }

  readonly #sent = ({ step }: Observed): number => this.#tracks.findIndex(({ sends }) => sends.has(step));

  /** Whether the combination agrees with the order in the branch and with the time stamps. */
  #inTime(places: Places, message: Observed, sent: number): boolean {
    return this.#tracks.every(({ changes, sends }, t) => {
      const place = places[t] ?? 0;
      if (t === sent) return place === sends.get(message.step)?.done;
      return changes.every(({ fault }, n) => {
        if (fault === undefined) return true;
        return n < place ? !message.before(fault) : !message.after(fault);
      });
    });
  }

  /**
   * The combination after this message and the evictions that it causes; undefined if it does not explain the
   * recipients.
   */
  #with(places: Places, message: Observed, sent: number): Places | undefined {
    const reach = this.#reach(places, message, sent);
    if (reach === undefined) return undefined;
    const after = [...places];
    for (const lane of reach.must) {
      if (message.lanes.has(lane) || this.#unsure(lane)) continue;
      const eviction = this.#tracks.findIndex(({ victim }) => victim === lane);
      if (eviction < 0) return undefined;
      after[eviction] = 1;
    }
    for (const lane of message.lanes) if (!reach.must.has(lane) && !reach.may.has(lane)) return undefined;
    return after;
  }

  /** Undefined if the send fails. Messages of one step differ only if their lengths do. */
  #reach(places: Places, { step: id, n }: Observed, sent: number): Reach | undefined {
    const step = this.#tracks[sent]?.sends.get(id)?.step;
    if (step === undefined) return undefined;
    const datagram = this.#datagrams(step, n);
    const key = `${places.join()} ${id} ${this.#filters ? n : datagram.length}`;
    if (!this.#reaches.has(key)) {
      const state = this.#at(places);
      const outcome = state.send(step, datagram);
      this.#reaches.set(key, 'copies' in outcome ? reachOf(state, outcome) : undefined);
      empty(state);
    }
    return this.#reaches.get(key);
  }

  get #filters(): boolean {
    return this.#state.topology.clients.some(({ filter }) => filter !== undefined);
  }

  #at(places: Places): BusState {
    const key = places.join();
    const known = this.#states.get(key);
    if (known) return known;
    const state = this.#state.fork();
    this.#tracks.forEach(({ changes }, t) => {
      for (const { apply } of changes.slice(0, places[t])) apply(state);
    });
    empty(state);
    for (const each of state.endpoints()) each.error = undefined;
    this.#states.set(key, state);
    return state;
  }

  #instead(possible: readonly Places[], message: Observed, sent: number): readonly (readonly Lane[])[] {
    const sets = possible.flatMap((places) => {
      const reach = this.#reach(places, message, sent);
      return reach ? [[...reach.must].toSorted()] : [];
    });
    return [...new Map(sets.map((lanes) => [lanes.join(), lanes])).values()];
  }
}

/** The eavesdroppers are optional: a copy that one of them misses is its own loss, which is checked elsewhere. */
function reachOf(state: BusState, { copies }: model.Delivered): Reach {
  const watching = (each: model.Endpoint) => model.peek(each)?.eavesdropped === true;
  const lanes = (some: readonly model.Endpoint[]) => new Set(some.map((each) => state.laneOf(each)));
  return {
    must: lanes(copies.filter((each) => !watching(each))),
    may: lanes(copies.filter(watching)),
  };
}
