// SPDX-License-Identifier: MIT
/**
 * The run that the mutants damage. Clients a and c send, r1, r2 and r3 are the group, ear eavesdrops and reads late,
 * out is not admitted. The bus's sequence, with the times of the sends:
 *
 *   a#1 10–20 │ a#2 30–40  c#1 35–50  a#3 41–60  c#2 51–65, some at the same time │ a#4 100–125 to c, with a pipe
 *   c#3 120–130, after a#4 │ out#1 140–141 EHOSTUNREACH │ a#5 150–160 to the master │ fence 1
 */
import { makeRun, renumber } from './make-run.ts';
import type { Got, OpenDelivery, Party, Run, Sent, Story } from './story.ts';

const GROUP = ['r1', 'r2', 'r3', 'ear'];

const clients: readonly Party[] = [
  { name: 'a', node: 'n1' },
  { name: 'c', node: 'n1' },
  { name: 'r1', node: 'n1', groups: ['g'] },
  { name: 'r2', node: 'n2', groups: ['g'] },
  { name: 'r3', node: 'n2', groups: ['g'] },
  { name: 'ear', node: 'n2', eavesdrop: true },
  { name: 'out', node: 'n2', join: false },
  { name: 'far', node: 'n2', bus: 'x' },
];

const sent: readonly Sent[] = [
  { name: 'a#1', from: 'a', to: GROUP, t0: 10, t1: 20, step: '1' },
  { name: 'a#2', from: 'a', to: GROUP, t0: 30, t1: 40, step: '2.b1.1' },
  { name: 'a#3', from: 'a', to: GROUP, t0: 41, t1: 60, step: '2.b1.1' },
  { name: 'c#1', from: 'c', to: GROUP, t0: 35, t1: 50, step: '2.b2.1' },
  { name: 'c#2', from: 'c', to: GROUP, t0: 51, t1: 65, step: '2.b2.1' },
  {
    name: 'a#4',
    from: 'a',
    to: ['c', 'ear'],
    t0: 100,
    t1: 125,
    step: '3',
    fds: 1,
    destination: { kind: 'client', name: 'c' },
  },
  { name: 'c#3', from: 'c', to: GROUP, t0: 120, t1: 130, step: '4' },
  {
    name: 'out#1',
    from: 'out',
    to: [],
    t0: 140,
    t1: 141,
    error: 'EHOSTUNREACH',
    expectedError: 'EHOSTUNREACH',
    step: '5',
  },
  {
    name: 'a#5',
    from: 'a',
    to: ['b.master@a', 'ear'],
    t0: 150,
    t1: 160,
    step: '6',
    destination: { kind: 'master', bus: 'b' },
  },
];

const SEQUENCE = ['a#1', 'a#2', 'c#1', 'a#3', 'c#2', 'a#4', 'c#3', 'a#5', 'fence1'];
const READ: Readonly<Record<string, number>> = { 'a#1': 22, 'a#4': 112, 'c#3': 132, 'a#5': 162, fence1: 170 };
const JOINED = ['a', 'c', 'r1', 'r2', 'r3', 'ear'];

function log(lane: string, late: boolean): Got[] {
  const own = SEQUENCE.filter((name) =>
    name === 'fence1' ? JOINED.includes(lane) : sent.some((s) => s.name === name && s.to.includes(lane)),
  );
  return own.map((name, i) => ({
    name,
    t: late ? 300 + i : (READ[name] ?? 70 + i),
    sequence: 10 * (SEQUENCE.indexOf(name) + 1),
  }));
}

/** A fresh copy. */
export function baseStory(): Story {
  const lanes = Object.fromEntries(
    [...JOINED, 'b.master@a'].map((lane) => [lane, log(lane, lane === 'ear')]),
  );
  return { clients, sent, lanes };
}

export const baseRun = (): Run => makeRun(baseStory());

/** A lane's log, to be damaged. */
export function logOf(run: Run, lane: string): OpenDelivery[] {
  const known = run.trace.deliveries.get(lane);
  if (known) return known;
  const fresh: OpenDelivery[] = [];
  run.trace.deliveries.set(lane, fresh);
  return fresh;
}

export const numberOf = (run: Run, name: string): number =>
  run.plan.messages.findIndex((m) => m.name === name);

/** Where a lane got a message; -1 where it did not. */
export const indexIn = (run: Run, lane: string, name: string): number =>
  logOf(run, lane).findIndex((d) => !d.fence && d.message === numberOf(run, name));

/** A lane's delivery of a message. */
export function got(run: Run, lane: string, name: string): OpenDelivery {
  const d = logOf(run, lane)[indexIn(run, lane, name)];
  if (!d) throw new Error(`${lane} did not get ${name}`);
  return d;
}

/** Two messages change places in a lane; times, places and numbers stay with the places. */
export function swapIn(run: Run, lane: string, x: string, y: string): void {
  const log = logOf(run, lane);
  const [i, j] = [indexIn(run, lane, x), indexIn(run, lane, y)];
  const [a, b] = [log[i] as OpenDelivery, log[j] as OpenDelivery];
  const slot = ({ position, t, sequence }: OpenDelivery) => ({
    position,
    t,
    ...(sequence === undefined ? {} : { sequence }),
  });
  log[i] = { ...b, ...slot(a) };
  log[j] = { ...a, ...slot(b) };
}

/** Two messages change places in the bus's sequence. */
export function swapOnBus(run: Run, x: string, y: string): void {
  const numbers = new Map<string, number>();
  for (const log of run.trace.deliveries.values()) {
    for (const d of log) {
      const name = d.fence ? '' : (run.plan.messages[d.message ?? -1]?.name ?? '');
      if (d.sequence !== undefined) numbers.set(name, d.sequence);
    }
  }
  for (const lane of run.trace.deliveries.keys()) {
    const [hasX, hasY] = [indexIn(run, lane, x) >= 0, indexIn(run, lane, y) >= 0];
    if (hasX && hasY) swapIn(run, lane, x, y);
    else if (hasX) got(run, lane, x).sequence = numbers.get(y) as number;
    else if (hasY) got(run, lane, y).sequence = numbers.get(x) as number;
  }
}

/** Takes the kernel's numbers away: the lanes alone must show what is wrong. */
export function unnumber(run: Run): void {
  for (const log of run.trace.deliveries.values()) for (const d of log) delete d.sequence;
}

/** A lane does not get a message. */
export function lose(run: Run, lane: string, name: string): void {
  logOf(run, lane).splice(indexIn(run, lane, name), 1);
  renumber(logOf(run, lane));
}

/** Puts a copy of another lane's delivery behind the first `at` of a lane. */
export function insert(run: Run, lane: string, at: number, copy: OpenDelivery): void {
  logOf(run, lane).splice(at, 0, { ...copy, lane });
  renumber(logOf(run, lane));
}
