// SPDX-License-Identifier: MIT
// The graph against the definition: an order that respects everything, looked for among all permutations.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { judge } from '../../../runner/verdict/index.ts';
import { makeRun } from './helpers/make-run.ts';
import { type Random, random } from './helpers/random-run.ts';
import type { Got, Run, Sent } from './helpers/story.ts';

const HISTORIES = 6000;
const AGENTS = ['a', 'b', 'c'];

type Pair = readonly [before: number, after: number];

describe('order checks against brute force', () => {
  it(`agree on ${HISTORIES} random small histories`, () => {
    const seen: Record<string, number> = {};
    for (let seed = 0; seed < HISTORIES; seed++) {
      const run = history(random(seed));
      const expected = naive(run);
      seen[expected] = (seen[expected] ?? 0) + 1;
      assert.equal(blamed(run), expected, `seed ${seed}`);
    }
    for (const kind of ['none', 'lanes', 'session', 'causal', 'realtime']) {
      assert.ok((seen[kind] ?? 0) > 50, `only ${seen[kind]} histories of kind ${kind}`);
    }
  });
});

/** Messages with random times, lanes with random parts of them: now and then in a good order, mostly not. */
function history(r: Random): Run {
  const messages = 2 + r(4);
  const sends = Array.from({ length: messages }, (_, i) => {
    const t0 = r(60);
    return { name: `m${i}`, from: AGENTS[r(AGENTS.length)] as string, t0, t1: t0 + 1 + r(40) };
  });
  const lanes: Record<string, Got[]> = {};
  for (const lane of ['a', 'b', 'r', 's'].slice(0, 1 + r(4))) lanes[lane] = logOf(r, sends);
  const to = (name: string) => Object.keys(lanes).filter((l) => lanes[l]?.some((g) => g.name === name));
  const sent = sends.map((s): Sent => ({ ...s, to: to(s.name) }));
  return makeRun({ clients: ['a', 'b', 'c', 'r', 's'].map((name) => ({ name })), sent, lanes });
}

function logOf(r: Random, sends: readonly { name: string; t0: number }[]): Got[] {
  const noise = [1, 10, 100][r(3)] as number;
  const chosen = sends.filter(() => r(3) > 0).map((s) => ({ s, key: s.t0 + r(noise) }));
  let t = 0;
  return chosen
    .sort((x, y) => x.key - y.key)
    .map(({ s }) => {
      t = Math.max(t + 1, s.t0 + 1 + r(5));
      return { name: s.name, t };
    });
}

/** The weakest of the growing sets of constraints that no permutation satisfies. */
function naive(run: Run): string {
  const all: Pair[] = [];
  const sets = {
    lanes: lanePairs(run),
    session: sessionPairs(run),
    causal: causalPairs(run),
    realtime: timePairs(run),
  };
  for (const [name, pairs] of Object.entries(sets)) {
    all.push(...pairs);
    if (!satisfiable(run.trace.sends.length, all)) return name;
  }
  return 'none';
}

const lanePairs = ({ trace }: Run): Pair[] =>
  [...trace.deliveries.values()].flatMap((log) =>
    log.flatMap((x, i) => log.slice(i + 1).map((y): Pair => [x.message ?? -1, y.message ?? -1])),
  );

const sessionPairs = ({ trace: { sends } }: Run): Pair[] =>
  pairs(sends, (x, y) => x.agent === y.agent && (x.t1 ?? Infinity) <= y.t0);

const causalPairs = ({ trace }: Run): Pair[] =>
  pairs(trace.sends, (x, y) =>
    (trace.deliveries.get(y.agent) ?? []).some((d) => d.message === x.message && d.t < y.t0),
  );

function timePairs({ trace }: Run): Pair[] {
  const receipts = [...trace.deliveries.values()].flat();
  return pairs(trace.sends, (x, y) => {
    const through = Math.min(
      x.t1 ?? Infinity,
      ...receipts.filter((d) => d.message === x.message).map((d) => d.t),
    );
    return through < y.t0;
  });
}

function pairs<T extends { readonly message: number }>(
  list: readonly T[],
  holds: (x: T, y: T) => boolean,
): Pair[] {
  return list.flatMap((x) =>
    list.filter((y) => y !== x && holds(x, y)).map((y): Pair => [x.message, y.message]),
  );
}

function satisfiable(n: number, constraints: readonly Pair[]): boolean {
  for (const order of permutations(Array.from({ length: n }, (_, i) => i))) {
    if (constraints.every(([x, y]) => order.indexOf(x) < order.indexOf(y))) return true;
  }
  return false;
}

function* permutations(items: readonly number[]): Generator<readonly number[]> {
  if (items.length === 0) yield [];
  for (const first of items) {
    for (const rest of permutations(items.filter((x) => x !== first))) yield [first, ...rest];
  }
}

/** What the checks blame, in the same words. A lane may break a stronger promise too; the weakest counts. */
function blamed({ plan, trace }: Run): string {
  const kinds = judge(plan, trace).checks.flatMap((c) => c.failures.map((f) => `${c.name} ${f.kind}`));
  if (kinds.includes('order.total contradiction')) return 'lanes';
  if (kinds.includes('order.fifo contradiction') || kinds.includes('order.fifo inverted')) return 'session';
  if (kinds.includes('order.causal contradiction')) return 'causal';
  return kinds.includes('order.total realtime') ? 'realtime' : 'none';
}
