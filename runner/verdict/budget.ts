// SPDX-License-Identifier: MIT
/**
 * `budget`: the limits of latency and throughput in the file.
 *
 * A copy's latency is the time from the call of its send until its reader had it. Throughput is the number of messages
 * that were sent with success, divided by the time in which sends were in progress: for each step from its first call
 * to its last return or delivery. All times are from one clock (trace.ts), and only copies at clients that read by
 * themselves count.
 */

import { count, plural } from '../common/text.ts';
import type { Where } from '../provision/where.ts';
import { canFail } from '../topology/budgets.ts';
import type { Budget } from '../topology/topology.ts';
import type { SendEvent } from '../trace/trace.ts';
import { type Facts, messageOf, outcomeOf } from './facts.ts';
import { aboutStep } from './failure-text.ts';
import { Findings } from './findings.ts';
import type { CheckResult } from './verdict.ts';

/**
 * Checks the file's budgets; undefined if it has none. Times of a simulated run measure nothing, so it is skipped
 * there.
 */
export function budget(
  facts: Facts,
  where?: Pick<Where, 'backend' | 'accelerator'>,
): CheckResult | undefined {
  const { topology } = facts.plan;
  if (topology.budgets.length === 0) return undefined;
  const budgets = topology.budgets.filter((each) => canFail(each, topology));
  const findings = new Findings('budget', ['throughput', 'latency', 'unmeasured']);
  if (where?.backend === 'sim') return findings.result(0, plural(0, 'limit'), 'simulated time');
  if (budgets.length === 0) return findings.result(0, plural(0, 'limit'), 'no limit can be exceeded');
  const times = measure(facts);
  const said = budgets.map((each) => judge(facts, findings, each, times));
  const unit = `${plural(budgets.length, 'limit')}: ${said.join(', ')}${where?.accelerator === 'tcg' ? '; under emulation (TCG)' : ''}`;
  return findings.result(budgets.length, unit);
}

/** The times of one step. */
interface Times {
  /** Latency of each copy, in ms. */
  readonly latencies: number[];
  sent: number;
  /** In ns. */
  first: number;
  last: number;
}

function measure(facts: Facts): ReadonlyMap<string, Times> {
  const times = new Map<string, Times>();
  const of = (step: string): Times => {
    const known = times.get(step) ?? { latencies: [], sent: 0, first: Infinity, last: -Infinity };
    times.set(step, known);
    return known;
  };
  facts.plan.messages.forEach(({ number, step }) => {
    const send = facts.sends[number];
    if (outcomeOf(facts, number) !== 'ok' || send?.t1 === undefined) return;
    const here = of(step);
    here.sent++;
    here.first = Math.min(here.first, send.t0);
    here.last = Math.max(here.last, send.t1);
  });
  for (const lane of facts.lanes) {
    if (!lane.accepted && facts.clients.get(lane.client)?.receive === 'manual') continue;
    for (const d of lane.deliveries) {
      const message = messageOf(facts, d);
      if (message === undefined || outcomeOf(facts, message.number) !== 'ok') continue;
      const here = of(message.step);
      here.latencies.push((d.t - (facts.sends[message.number] as SendEvent).t0) / 1e6);
      here.last = Math.max(here.last, d.t);
    }
  }
  return times;
}

/** Checks one limit; returns the figure to print. */
function judge(facts: Facts, findings: Findings, limit: Budget, times: ReadonlyMap<string, Times>): string {
  const { step } = limit;
  const chosen = step === undefined ? [...times.values()] : [times.get(step)].filter((t) => t !== undefined);
  const figure = limit.figure === 'throughput' ? throughput(chosen) : percentile(chosen, limit.figure);
  const where = step === undefined ? '' : ` of step ${step}`;
  const name = `${limit.figure}${where}`;
  const about = { ...(step === undefined ? {} : aboutStep(facts, step)), place: limit.place };
  if (figure === undefined) {
    findings.add('unmeasured', name, () => ({
      summary: `${name} could not be measured: no message came through`,
      expected: wordsOf(limit, limit.limit),
      observed: 'nothing',
      ...about,
    }));
    return `${name} unmeasured`;
  }
  const held = limit.figure === 'throughput' ? figure >= limit.limit : figure <= limit.limit;
  if (!held) {
    const kind = limit.figure === 'throughput' ? 'throughput' : 'latency';
    findings.add(kind, name, () => ({
      summary: `${kind === 'latency' ? 'latency ' : ''}${name} misses its budget`,
      expected: wordsOf(limit, limit.limit),
      observed: show(limit.figure, figure),
      detail: [basis(limit.figure, chosen)],
      ...about,
    }));
  }
  return `${name} ${show(limit.figure, figure)} (${wordsOf(limit, limit.limit)})`;
}

/** Nearest rank: the smallest latency that is not exceeded by that percentage of copies. */
function percentile(
  times: readonly Times[],
  figure: Exclude<Budget['figure'], 'throughput'>,
): number | undefined {
  const sorted = Float64Array.from(times.flatMap((each) => each.latencies)).sort();
  const share = { p50: 0.5, p90: 0.9, p99: 0.99, max: 1 }[figure];
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** Messages per second while sends were in progress; concurrent steps share their time. */
function throughput(times: readonly Times[]): number | undefined {
  const active = times.filter((each) => each.sent > 0).sort((a, b) => a.first - b.first);
  let [total, until] = [0, -Infinity];
  for (const { first, last } of active) {
    total += Math.max(0, last - Math.max(first, until));
    until = Math.max(until, last);
  }
  const sent = active.reduce((sum, each) => sum + each.sent, 0);
  return sent === 0 ? undefined : sent / Math.max(total / 1e9, 1e-9);
}

function basis(figure: Budget['figure'], times: readonly Times[]): string {
  if (figure === 'throughput')
    return `over ${count(
      times.reduce((sum, each) => sum + each.sent, 0),
      'message',
    )} that were sent`;
  return `over ${count(
    times.reduce((sum, each) => sum + each.latencies.length, 0),
    'copy',
    'copies',
  )}`;
}

const wordsOf = ({ figure }: Budget, value: number): string =>
  `${figure === 'throughput' ? 'at least' : 'at most'} ${show(figure, value)}`;

/** Rounds to three significant digits. */
function show(figure: Budget['figure'], value: number): string {
  if (figure === 'throughput') return `${digits(value)}/s`;
  if (value >= 1000) return `${digits(value / 1000)} s`;
  return value < 1 ? `${digits(value * 1000)} us` : `${digits(value)} ms`;
}

const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
