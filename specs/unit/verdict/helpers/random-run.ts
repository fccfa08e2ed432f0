// SPDX-License-Identifier: MIT
/** Random runs of a bus that keeps its promises: one queue a lane, one number a message, everything in between at random. */

import assert from 'node:assert/strict';
import { acceptedLane, masterOf } from '../../../../runner/topology/lane.ts';
import type { Destination } from '../../../../runner/topology/topology.ts';
import { makeRun } from './make-run.ts';
import type { Got, Party, Run, Sent } from './story.ts';

export type Random = (below: number) => number;

/** A small generator with a seed (mulberry32). */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % below;
  };
}

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

type Draft = Omit<Sent, 't0' | 't1'>;

interface Simulation {
  readonly random: Random;
  readonly clients: readonly Party[];
  readonly queues: Map<string, { name: string; sequence: number }[]>;
  readonly lanes: Record<string, Got[]>;
  readonly sequences: Map<string, number>;
  now: number;
}

/** A run that passes every check. */
export function generate(seed: number): Run {
  const r = random(seed);
  const buses = ['b', 'c'].slice(0, 1 + r(2));
  const clients = buses.flatMap((bus) => partiesOf(r, bus));
  const simulation: Simulation = {
    random: r,
    clients,
    queues: new Map(),
    lanes: {},
    sequences: new Map(),
    now: 0,
  };
  const sent: Sent[] = [];
  const steps = 1 + r(4);
  for (let step = 1; step <= steps; step++) {
    sent.push(...play(simulation, branchesOf(simulation, step)));
    fence(simulation, step, buses);
  }
  return makeRun({ clients, sent, lanes: simulation.lanes });
}

function partiesOf(r: Random, bus: string): Party[] {
  return Array.from({ length: 2 + r(5) }, (_, i) => ({
    name: `${bus}${i}`,
    bus,
    node: `n${r(3)}`,
    join: i < 2 || r(6) > 0,
    eavesdrop: i > 1 && r(5) === 0,
    groups: ['g', 'h'].filter(() => r(3) > 0),
  }));
}

/** Some parties send at the same time, each its own messages in a row. */
function branchesOf(simulation: Simulation, step: number): Draft[][] {
  const senders = simulation.clients.filter(() => simulation.random(2) === 0);
  return senders.map((sender, branch) => {
    const count = 1 + simulation.random(6);
    const id = `${step}.b${branch + 1}.1`;
    const fails = simulation.random(8) === 0;
    const fds = simulation.random(6) === 0 ? 1 : 0;
    const from = simulation.random(6) === 0 ? masterOf(sender.bus as string) : sender.name;
    const to = destination(simulation, sender);
    return Array.from({ length: count }, (_, n): Draft => {
      const common = { name: `${from}:${id}#${n + 1}`, from, destination: to, step: id };
      if (fails) return { ...common, to: [], error: 'EHOSTUNREACH', expectedError: 'EHOSTUNREACH' };
      return { ...common, to: recipients(simulation, sender, from, to), fds };
    });
  });
}

function destination(simulation: Simulation, { bus }: Party): Destination {
  const others = simulation.clients.filter((c) => c.bus === bus && c.join);
  return pick(simulation.random, [
    { kind: 'group', name: 'g' },
    { kind: 'group', name: 'h' },
    { kind: 'bus', name: bus as string },
    { kind: 'master', bus: bus as string },
    { kind: 'client', name: pick(simulation.random, others).name },
  ]);
}

function recipients(simulation: Simulation, sender: Party, from: string, to: Destination): string[] {
  const joined = simulation.clients.filter((c) => c.bus === sender.bus && c.join);
  const lanes = joined.filter((c) => c.eavesdrop || reaches(to, c)).map((c) => c.name);
  if (to.kind !== 'master') return lanes;
  return [
    ...lanes,
    acceptedLane(sender.bus as string, from === sender.name ? sender.name : (joined[0] as Party).name),
  ];
}

const reaches = (to: Destination, client: Party): boolean =>
  to.kind === 'bus' ||
  (to.kind === 'group' && client.groups?.includes(to.name)) ||
  (to.kind === 'client' && to.name === client.name);

interface Active {
  readonly rest: Draft[];
  at: 'idle' | 'called' | 'queued';
  t0: number;
}

/** Plays branches to their end: at each turn some sender goes on, or some lane is read. */
function play(simulation: Simulation, branches: readonly Draft[][]): Sent[] {
  const times = new Map<Draft, { t0: number; t1: number }>();
  const active: Active[] = branches.map((b) => ({ rest: [...b], at: 'idle', t0: 0 }));
  const busy = new Set<string>();
  const left = () =>
    active.filter((a) => a.rest.length > 0 && (a.at !== 'idle' || !busy.has((a.rest[0] as Draft).from)));
  const full = () => [...simulation.queues].filter(([, q]) => q.length > 0).map(([lane]) => lane);
  for (;;) {
    const [senders, lanes] = [left(), full()];
    if (senders.length + lanes.length === 0) break;
    const turn = simulation.random(senders.length + lanes.length);
    if (turn < senders.length) goOn(simulation, senders[turn] as Active, times, busy);
    else read(simulation, lanes[turn - senders.length] as string);
  }
  return branches.flat().map((draft) => ({ ...draft, ...(times.get(draft) as { t0: number; t1: number }) }));
}

function goOn(
  simulation: Simulation,
  sender: Active,
  times: Map<Draft, { t0: number; t1: number }>,
  busy: Set<string>,
): void {
  const draft = sender.rest[0] as Draft;
  simulation.now++;
  if (sender.at === 'idle') {
    Object.assign(sender, { at: 'called', t0: simulation.now });
    busy.add(draft.from);
  } else if (sender.at === 'called') {
    sender.at = 'queued';
    if (draft.error === undefined) queue(simulation, busOf(draft.from), draft.name, draft.to);
  } else {
    times.set(draft, { t0: sender.t0, t1: simulation.now });
    sender.rest.shift();
    sender.at = 'idle';
    busy.delete(draft.from);
  }
}

const busOf = (from: string): string => from[0] as string;

function queue(simulation: Simulation, bus: string, name: string, lanes: readonly string[]): void {
  const sequence = (simulation.sequences.get(bus) ?? 0) + 1 + simulation.random(3);
  simulation.sequences.set(bus, sequence);
  for (const lane of lanes)
    simulation.queues.set(lane, [...(simulation.queues.get(lane) ?? []), { name, sequence }]);
}

function read(simulation: Simulation, lane: string): void {
  const next = simulation.queues.get(lane)?.shift();
  assert.ok(next);
  simulation.lanes[lane] ??= [];
  simulation.lanes[lane].push({ ...next, t: ++simulation.now });
}

function fence(simulation: Simulation, step: number, buses: readonly string[]): void {
  buses.forEach((bus, i) => {
    const lanes = simulation.clients.filter((c) => c.bus === bus && c.join).map((c) => c.name);
    queue(simulation, bus, `fence${step * buses.length + i}`, lanes);
  });
  for (const [lane, q] of simulation.queues) while (q.length > 0) read(simulation, lane);
}
