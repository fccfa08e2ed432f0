// SPDX-License-Identifier: MIT
/**
 * What may come of sends that play at the same time. Nobody knows in which order branches go, so what is said holds in
 * all of them: of the changes of policy in other branches any number may have happened, and of the messages that are
 * under way any number may be in a queue.
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

/** Combinations of changes that are looked at; beyond them nothing is said. */
const MAX_STATES = 512;

/** What it takes to hold a branch against another one, in copies. */
const PAIR = 4;

/** A change of policy. */
type Change = (world: BusState) => void;

/** A change in another branch; `after` says that it is not made before that many of these messages have returned. */
interface Beside {
  readonly change: Change;
  readonly after?: Progress;
}

/** A send, with the changes that its own branch has made before, and those of the others, which come in their order. */
interface Place {
  readonly step: SendStep;
  readonly before: readonly Change[];
  readonly beside: readonly (readonly Beside[])[];
  /** Another branch sends through the same socket. */
  readonly shared: boolean;
}

export type Tell = (step: SendStep, n: number, way: Possibility) => void;

/** Tells the ways that each message may go; returns the clients that the bus may evict meanwhile. Throws Exhausted. */
export function concurrent(
  world: BusState,
  step: ParallelStep,
  datagrams: Datagrams,
  tell: Tell,
  effort: Effort,
): readonly string[] {
  const branches = step.branches.flatMap(strands);
  effort.spend(PAIR * branches.length ** 2);
  const places = branches.flatMap((branch) => placesOf(branch, branches));
  const base = world.fork();
  empty(base);
  const pressed = (all: readonly Place[]) => {
    const pressure = new Pressure(world, branches.flat());
    for (const place of all) pressure.add(place.step, reach(base, place, datagrams), datagrams);
    return pressure;
  };
  const victims = pressed(places).victims();
  const evictions = victims.map((client) => [{ change: evict(client) }]);
  // What was for somebody who is evicted goes to its master, and may fill that queue.
  const evicting = places.map((place) => ({ ...place, beside: [...place.beside, ...evictions] }));
  const pressure = pressed(evicting);
  for (const place of evicting) {
    const filters = world.topology.clients.some(({ filter }) => filter !== undefined);
    const byLength = new Map<number, readonly Possibility[]>();
    const moments = momentsOf(place);
    let worlds: readonly BusState[] | undefined;
    for (let n = 0; n < place.step.count; n++) {
      if (moments.has(n)) {
        const beside = place.beside.map((changes) => openAt(changes, place.step, n));
        worlds = combinations(base, place.before, beside);
        byLength.clear();
      }
      const datagram = datagrams(place.step, n);
      const known = filters ? undefined : byLength.get(datagram.length);
      if (known === undefined) effort.spend(world.parties.size * (worlds?.length ?? 1));
      const ways =
        known ??
        worlds?.flatMap((each) => attempt(each, place.step, datagram, pressure)) ??
        anything(world, place.step);
      byLength.set(datagram.length, ways);
      effort.spend(ways.length);
      for (const way of ways) tell(place.step, n, way);
      if (place.shared && place.step.nonblocking) tell(place.step, n, BEHIND);
    }
  }
  return victims;
}

/** One socket's sends stay in the order of the calls (docs/decisions/binding.md, "May a nonblocking send pass those that wait?"). */
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

/** What a process may open is nothing to the bus. */
const changesOf = (steps: readonly Step[]): Beside[] =>
  steps.flatMap((step) =>
    step.kind === 'fault' && rowOf(step.action).changes !== 'process'
      ? [{ change: (world: BusState) => world.apply(step.action), ...(step.after && { after: step.after }) }]
      : [],
  );

/** How many messages of this step alone have returned before the change is made; 0 if it may be made at any time. */
const notBefore = ({ after }: Beside, { id }: SendStep): number =>
  after?.sends.length === 1 && after.sends[0] === id ? after.messages : 0;

/** The messages of the step, from 0, from which on more changes may have been made than before; the first among them. */
const momentsOf = ({ step, beside }: Place): ReadonlySet<number> =>
  new Set([0, ...beside.flat().map((each) => notBefore(each, step))]);

/** Those that may have been made when this step's `n`th message is sent: up to the first that waits for it to return. */
function openAt(changes: readonly Beside[], step: SendStep, n: number): readonly Beside[] {
  const shut = changes.findIndex((each) => n < notBefore(each, step));
  return shut < 0 ? changes : changes.slice(0, shut);
}

/** A full client is expelled by a message of somebody else. */
export const evict =
  (client: string): Change =>
  (world) =>
    model.expelClient(world.party(client).client, 'ENOBUFS');

/** The worlds that a send may find; undefined where they are too many. */
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
    (worlds, changes) => worlds.flatMap((each) => prefixes(each, changes)),
    [start],
  );
}

/** As it is, and after the first change, and after the first two … */
function prefixes(world: BusState, changes: readonly Beside[]): BusState[] {
  const all = [world];
  for (const { change } of changes) {
    const next = (all.at(-1) as BusState).fork();
    change(next);
    all.push(next);
  }
  return all;
}

/** Lanes that a send may put a copy into. */
function reach(base: BusState, { step, before, beside }: Place, datagrams: Datagrams): ReadonlySet<string> {
  const worlds = combinations(base, before, beside);
  if (worlds === undefined) return new Set(lanesOf(base, step));
  const lanes = worlds.flatMap((world) => {
    const outcome = world.send(step, datagrams(step, 0));
    empty(world);
    return 'copies' in outcome ? outcome.copies.map((each) => world.laneOf(each)) : [];
  });
  return new Set(lanes);
}

function attempt(world: BusState, step: SendStep, datagram: Datagram, pressure: Pressure): Possibility[] {
  const from = world.sender(step);
  if (from.closed) return step.from.kind === 'master' ? CLOSED : [];
  const pending = from.error;
  const outcome = world.send(step, datagram);
  if ('wait' in outcome) throw new Error('nobody is full in an empty world');
  const watchers = 'copies' in outcome ? outcome.copies.filter((each) => model.peek(each)?.eavesdropped) : [];
  empty(world);
  const way = possibilityOf(world, outcome);
  from.error = pending;
  if ('copies' in outcome) return pressure.ways(step, world, outcome, way, watchers);
  return pending === undefined ? [way] : [way, { error: 'EPIPE', because: 'it was expelled (section 5)' }];
}

const CLOSED: Possibility[] = ['EBADF', 'ECANCELED', 'EPIPE'].map((error) => ({
  error,
  because: 'the master closes the socket meanwhile (section 5)',
}));

export function empty(world: BusState): void {
  for (const each of world.endpoints()) while (model.receive(each));
}

/** Of all the clients that there ever are. */
function lanesOf({ topology: { clients } }: BusState, { from }: SendStep): string[] {
  const bus = from.kind === 'master' ? from.bus : clients.find(({ name }) => name === from.name)?.bus;
  const members = clients.filter((client) => client.bus === bus);
  return members.flatMap(({ name }) => [name, acceptedLane(bus ?? '', name)]);
}

/** Too much goes on at once to say anything. */
export function anything(
  world: BusState,
  step: SendStep,
  because = `more than ${MAX_STATES} combinations of changes may be in force`,
): Possibility[] {
  const errors = ['EAGAIN', 'ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'EMSGSIZE', 'ENOBUFS', 'EPIPE'];
  return [{ lanes: [], may: lanesOf(world, step), because }, ...errors.map((error) => ({ error, because }))];
}
