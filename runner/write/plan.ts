// SPDX-License-Identifier: MIT
/** Prints an overview: a table of nodes, a table of steps, and the totals. */

import { neutralData } from '../common/neutral.ts';
import { count } from '../common/text.ts';
import { parseLane } from '../topology/lane.ts';
import type { Outcome, Overview, Process, SendView, StepView } from './overview.ts';

export interface PlanOptions {
  /** Also print the rules of the contract from which the model's expectations follow. */
  readonly why: boolean;
}

export function renderPlan(strange: Overview, { why }: PlanOptions): string {
  const overview = neutralData(strange);
  const { topology, description, nodes } = overview;
  const processes = nodes.map(({ name, processes }) => [name, inWords(processes)]);
  const steps = overview.steps.flatMap((step) => rowsOf(step, why));
  return [
    description === undefined ? topology : `${topology}: ${description}`,
    '',
    ...columns([['NODE', 'PROCESSES'], ...processes]),
    '',
    ...columns([['STEP', 'LINE', 'WHAT', 'MESSAGES', 'BYTES', 'MUST HAPPEN'], ...steps]),
    '',
    sums(overview),
    '',
  ].join('\n');
}

/** Agents that share a process stand in brackets. */
function inWords(processes: readonly Process[]): string {
  const packs = [...Map.groupBy(processes, ({ pack }) => pack)].map(([pack, members]) => {
    const names = fold(members.map(({ name }) => name)).join(', ');
    return pack !== undefined && members.length > 1 ? `[${names}]` : names;
  });
  return packs.join(', ');
}

function sums({ totals }: Overview): string {
  const started = `${count(totals.processes, 'process', 'processes')} on ${count(totals.nodes, 'node')}`;
  if (totals.dbus === 0) return `${started}; ${sent(totals)}`;
  const dbus = `${count(totals.dbus, 'call or signal', 'calls and signals')} of D-Bus`;
  return `${started}; ${totals.messages === 0 ? dbus : `${sent(totals)}; ${dbus}`}`;
}

function sent({ messages, bytes, deliveries: { must, may } }: Overview['totals']): string {
  const extra = may > 0 ? ` and up to ${may} more` : '';
  return `${count(messages, 'message')} of ${bytes} bytes in all, ${count(must, 'delivery', 'deliveries')}${extra}`;
}

function rowsOf(step: StepView, why: boolean): string[][] {
  const head = [step.id, String(step.line), step.text];
  if (step.kind === 'program') return [[...head, '', '', step.must]];
  if (step.kind === 'dbus') return [[...head, step.count > 0 ? String(step.count) : '', '', step.must]];
  if (step.kind !== 'send') return [head];
  const [first, ...others] = step.expected;
  const bytes =
    step.bytes.min === step.bytes.max ? `${step.bytes.min}` : `${step.bytes.min}..${step.bytes.max}`;
  const rows = [[...head, range(first, step.count), bytes, outcome(first, step)]];
  if (why) rows.push(...reason(first));
  for (const other of others) {
    rows.push(['', '', '', range(other, step.count), '', outcome(other, step)]);
    if (why) rows.push(...reason(other));
  }
  return rows;
}

/** How many messages an outcome is for: `500`, or their numbers, `1-3`. */
function range(of: Outcome | undefined, all: number): string {
  if (of === undefined || of.count === all) return String(all);
  return of.count === 1 ? `${of.first}` : `${of.first}-${of.first + of.count - 1}`;
}

function outcome(of: Outcome | undefined, send: SendView): string {
  if (of === undefined) return '';
  if (of.mustFail) return of.errors.join(' or ');
  const names = (lanes: readonly string[]) => fold(lanes.map((lane) => receiver(lane, send))).join(', ');
  const certain = names(of.recipients) || 'nobody';
  const maybe = of.may.length > 0 ? [`perhaps ${names(of.may)}`] : [];
  return [certain, ...maybe, ...of.errors.map((errno) => `or ${errno}`)].join('; ');
}

const reason = (of: Outcome | undefined): string[][] =>
  of?.because === undefined ? [] : [['', '', `  because ${of.because}`]];

/** The master's sockets are all printed as the master. */
function receiver(lane: string, { fds, fdsAt }: SendView): string {
  const counts = fdsAt?.[lane];
  return counts ? `${lane} (${counts.join(' or ')} of ${count(fds, 'descriptor')})` : parseLane(lane).agent;
}

/** `tool-0, tool-1, tool-2` → `tool-0 … tool-2` */
export function fold(names: readonly string[]): string[] {
  const out: string[] = [];
  for (let n = 0; n < names.length; ) {
    let end = n;
    while (follows(names[end], names[end + 1])) end++;
    if (end - n >= 2) out.push(`${names[n]} … ${names[end]}`);
    else out.push(...names.slice(n, end + 1));
    n = end + 1;
  }
  return out;
}

function follows(one: string | undefined, next: string | undefined): boolean {
  const [, base, number] = /^(.+-)(\d+)$/.exec(one ?? '') ?? [];
  return base !== undefined && next === `${base}${Number(number) + 1}`;
}

/** Pads the cells to columns. The last cell of each row is not padded, and may be longer than its column. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((row) => (i < row.length - 1 ? [...(row[i] ?? '')].length : 0))),
  );
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
