// SPDX-License-Identifier: MIT
/**
 * What may happen to sends of concurrent branches. The order of branches is not known, so the result holds for every
 * order: any number of the other branches' policy changes may have happened, and any number of the messages under way
 * may be in a queue.
 */

import * as model from '../model/index.ts';
import { rowOf } from '../topology/faults.ts';
import { acceptedLane, senderLane } from '../topology/lane.ts';
import { sends, strands } from '../topology/steps.ts';
import type { ParallelStep, Progress, SendStep, Step } from '../topology/topology.ts';
import { type Possibility, possibilityOf } from './allowed.ts';
import type { BusState, Datagram } from './bus-state.ts';
import type { Datagrams } from './cursor.ts';
import type { Effort } from './effort.ts';
import { Pressure } from './pressure.ts';

/** Maximum number of combinations of changes; if there are more, anything is allowed. */
const MAX_STATES = 512;

/** Effort of comparing one branch with another, counted in copies. */
const PAIR = 4;

/** A change of policy. */
type Change = (state: BusState) => void;

/** A change in another branch. `after`: it is made only after that many of these messages have returned. */
interface Beside {
  readonly change: Change;
  readonly after?: Progress;
}

/** A send, with the changes that its own branch made before it, and those of the other branches, each list in order. */
interface Place {
  readonly step: SendStep;
  readonly before: readonly Change[];
  readonly beside: readonly (readonly Beside[])[];
  /** Whether another branch sends through the same socket. */
  readonly shared: boolean;
}

export type Tell = (step: SendStep, n: number, possibility: Possibility) => void;

interface Compared {
  /** The clients that the bus may evict. */
  readonly victims: readonly string[];
  /** Whether anything is allowed for some messages, since too many combinations of changes are possible. */
  readonly open: boolean;
}

/** Calls `tell` with the possible outcomes of each message. Throws Exhausted. */
export function concurrent(
  state: BusState,
  step: ParallelStep,
  datagrams: Datagrams,
  tell: Tell,
  effort: Effort,
): Compared {
  const branches = step.branches.flatMap(strands);
  effort.spend(PAIR * branches.length ** 2);
  const places = branches.flatMap((branch) => placesOf(branch, branches));
  const base = state.fork();
  empty(base);
  const pressed = (all: readonly Place[]) => {
    const pressure = new Pressure(state, branches.flat());
    for (const place of all) pressure.add(place.step, reach(base, place, datagrams), datagrams);
    return pressure;
  };
  const victims = pressed(places).victims();
  const evictions = victims.map((client) => [{ change: evict(client) }]);
  // What was for an evicted client goes to its master, and may fill the master's queue.
  const evicting = places.map((place) => ({ ...place, beside: [...place.beside, ...evictions] }));
  const pressure = pressed(evicting);
  let open = false;
  for (const place of evicting) {
    const filters = state.topology.clients.some(({ filter }) => filter !== undefined);
    const byLength = new Map<number, readonly Possibility[]>();
    const moments = momentsOf(place);
    let states: readonly BusState[] | undefined;
    for (let n = 0; n < place.step.count; n++) {
      if (moments.has(n)) {
        const beside = place.beside.map((changes) => openAt(changes, place.step, n));
        states = combinations(base, place.before, beside);
        open ||= states === undefined;
        byLength.clear();
      }
      const datagram = datagrams(place.step, n);
      const known = filters ? undefined : byLength.get(datagram.length);
      if (known === undefined) effort.spend(state.parties.size * (states?.length ?? 1));
      const possibilities =
        known ??
        states?.flatMap((each) => attempt(each, place.step, datagram, pressure)) ??
        anything(state, place.step);
      byLength.set(datagram.length, possibilities);
      effort.spend(possibilities.length);
      for (const possibility of possibilities) tell(place.step, n, possibility);
      if (place.shared && place.step.nonblocking) tell(place.step, n, BEHIND);
    }
  }
  return { victims, open };
}

/**
 * One socket's messages are sent in the order of the calls (docs/decisions/binding.md, "May a nonblocking send pass
 * those that wait?").
 */
const BEHIND: Possibility = {
  error: 'EAGAIN',
  because: 'another send of its socket may be under way, which it does not pass',
};

function placesOf(branch: readonly Step[], all: readonly (readonly Step[])[]): Place[] {
  const others = all.filter((other) => other !== branch);
  const beside = others.map(changesOf);
  const elsewhere = new Set([...sends(others.flat())].map(({ from }) => senderLane(from)));
  return branch.flatMap((step, n) =>
    step.kind === 'send'
      ? [
          {
            step,
            before: changesOf(branch.slice(0, n)).map(({ change }) => change),
            beside,
            shared: elsewhere.has(senderLane(step.from)),
          },
        ]
      : [],
  );
}

/** Changes that the bus can notice: a limit of a process is none. */
const changesOf = (steps: readonly Step[]): Beside[] =>
  steps.flatMap((step) =>
    step.kind === 'fault' && rowOf(step.action).changes !== 'process'
      ? [{ change: (state: BusState) => state.apply(step.action), ...(step.after && { after: step.after }) }]
      : [],
  );

/** How many messages of this step must return before the change is made; 0 if it does not depend on this step alone. */
const notBefore = ({ after }: Beside, { id }: SendStep): number =>
  after?.sends.length === 1 && after.sends[0] === id ? after.messages : 0;

/** Indexes of the messages before which further changes become possible, and 0. */
const momentsOf = ({ step, beside }: Place): ReadonlySet<number> =>
  new Set([0, ...beside.flat().map((each) => notBefore(each, step))]);

/**
 * Changes that may have been made when message `n` of this step is sent: those before the first that needs it to have
 * returned.
 */
function openAt(changes: readonly Beside[], step: SendStep, n: number): readonly Beside[] {
  const shut = changes.findIndex((each) => n < notBefore(each, step));
  return shut < 0 ? changes : changes.slice(0, shut);
}

/** Evicts a client: a message of another sender has found its queue full. */
export const evict =
  (client: string): Change =>
  (state) =>
    model.expelClient(state.party(client).client, 'ENOBUFS');

/** The states in which a send may find the bus; undefined if there are too many. */
function combinations(
  base: BusState,
  before: readonly Change[],
  beside: readonly (readonly Beside[])[],
): readonly BusState[] | undefined {
  const lists = beside.filter((changes) => changes.length > 0);
  if (lists.reduce((product, { length }) => product * (length + 1), 1) > MAX_STATES) return undefined;
  const start = base.fork();
  for (const change of before) change(start);
  return lists.reduce<readonly BusState[]>(
    (states, changes) => states.flatMap((each) => prefixes(each, changes)),
    [start],
  );
}

/** The state before the changes, after the first, after the first two … */
function prefixes(state: BusState, changes: readonly Beside[]): BusState[] {
  const all = [state];
  for (const { change } of changes) {
    const next = (all.at(-1) as BusState).fork();
    change(next);
    all.push(next);
  }
  return all;
}

/** Lanes that may get a copy of a send. */
function reach(base: BusState, { step, before, beside }: Place, datagrams: Datagrams): ReadonlySet<string> {
  const states = combinations(base, before, beside);
  if (states === undefined) return new Set(lanesOf(base, step));
  const lanes = states.flatMap((state) => {
    const outcome = state.send(step, datagrams(step, 0));
    empty(state);
    return 'copies' in outcome ? outcome.copies.map((each) => state.laneOf(each)) : [];
  });
  return new Set(lanes);
}

function attempt(state: BusState, step: SendStep, datagram: Datagram, pressure: Pressure): Possibility[] {
  const from = state.sender(step);
  if (from.closed) return step.from.kind === 'master' ? CLOSED : [];
  const pending = from.error;
  const outcome = state.send(step, datagram);
  if ('wait' in outcome) throw new Error('nobody is full in an empty state');
  const watchers = 'copies' in outcome ? outcome.copies.filter((each) => model.peek(each)?.eavesdropped) : [];
  empty(state);
  const possibility = possibilityOf(state, outcome);
  from.error = pending;
  if ('copies' in outcome) return pressure.possibilities(step, state, outcome, possibility, watchers);
  return pending === undefined
    ? [possibility]
    : [possibility, { error: 'EPIPE', because: 'it was expelled (section 5)' }];
}

const CLOSED: Possibility[] = ['EBADF', 'ECANCELED', 'EPIPE'].map((error) => ({
  error,
  because: 'the master closes the socket meanwhile (section 5)',
}));

export function empty(state: BusState): void {
  for (const each of state.endpoints()) while (model.receive(each));
}

/** Lanes of all clients that ever exist. */
function lanesOf({ topology: { clients } }: BusState, { from }: SendStep): string[] {
  const bus = from.kind === 'master' ? from.bus : clients.find(({ name }) => name === from.name)?.bus;
  const members = clients.filter((client) => client.bus === bus);
  return members.flatMap(({ name }) => [name, acceptedLane(bus ?? '', name)]);
}

/** Allows every outcome, because there are too many possibilities to compare. */
export function anything(
  state: BusState,
  step: SendStep,
  because = `more than ${MAX_STATES} combinations of changes may be in force`,
): Possibility[] {
  const errors = ['EAGAIN', 'ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'EMSGSIZE', 'ENOBUFS', 'EPIPE'];
  return [
    { lanes: [], may: lanesOf(state, step), because, open: true },
    ...errors.map((error) => ({ error, because })),
  ];
}
