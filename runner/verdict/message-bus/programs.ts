// SPDX-License-Identifier: MIT
/** `dbus.programs`: each program ended as the file says, and wrote what the file says. */
import {
  expectText,
  firstMissing,
  isWhole,
  needsEnd,
  type ProgramExpect,
  type ProgramStep,
} from '../../topology/program.ts';
import { flat } from '../../topology/steps.ts';
import type { ProgramEvent } from '../../trace/trace.ts';
import { Findings } from '../findings.ts';
import type { CheckResult } from '../verdict.ts';
import { plural } from '../words.ts';
import type { BusFacts } from './facts.ts';

const KINDS = ['wrong-exit', 'wrong-output', 'still-runs', 'too-much-output', 'unplayed'];
/** Characters of an output that a failure shows. */
const SHOWN = 1000;

type Judged = ProgramStep & { readonly expect: ProgramExpect };

export function programs({ plan, trace, cut }: BusFacts): CheckResult[] {
  if (plan.topology.messageBuses?.programs.length === 0) return [];
  const findings = new Findings('dbus.programs', KINDS);
  const states = new Map(trace.programs?.map((event) => [event.step, event]));
  const steps = [...flat(plan.topology.steps)].filter(isJudged);
  const simulated = steps.filter(({ id }) => states.get(id)?.state === 'simulated');
  for (const step of steps) {
    const state = states.get(step.id);
    if (state === undefined && !cut) unplayed(findings, step);
    else if (state !== undefined && state.state !== 'simulated') judge(findings, step, state);
  }
  const checked = steps.length - simulated.length;
  const unit = plural(checked, 'expectation of a program', 'expectations of programs');
  return [findings.result(checked, unit, whyNone(simulated))];
}

const isJudged = (step: { readonly kind: string }): step is Judged =>
  step.kind === 'program' && (step as ProgramStep).expect !== undefined;

/** A simulated system runs no program: the check passes only if it has looked at each expectation. */
function whyNone(simulated: readonly Judged[]): string | undefined {
  if (simulated.length === 0) return undefined;
  const places = simulated.map(({ place: { file, line } }) => `${file}:${line}`);
  return `a program cannot be simulated (${places.join(', ')})`;
}

function judge(findings: Findings, step: Judged, event: ProgramEvent): void {
  const { client, expect } = step;
  const { state, output, errors } = event;
  const add = (kind: string, summary: string, observed: string) =>
    findings.add(kind, step.id, () => ({
      ...{ summary, expected: `${client} ${expectText(expect)}`, observed, step: step.id, place: step.place },
      ...(errors.length > 0 && { detail: errors.map((line) => `stderr: ${line}`) }),
    }));
  if (state === 'wordy') add('too-much-output', `${client} wrote more than is kept`, 'it was killed');
  else if (state === 'late')
    add('still-runs', `${client} did not end in time`, `it still ran after ${expect.within} ms`);
  else if (expect.exit !== undefined && event.exit !== expect.exit)
    add('wrong-exit', `${client} did not end as it must`, `${endText(event)}; ${wrote(output)}`);
  else if (!isAsExpected(expect, output))
    add('wrong-output', `${client} did not write what it must`, wrote(output));
  else if (needsEnd(expect) && state === 'runs') add('still-runs', `${client} did not end`, 'it still runs');
}

function isAsExpected({ output: wanted }: ProgramExpect, output: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? isWhole(output, wanted) : firstMissing(output, wanted) === undefined;
}

const endText = ({ exit, signal }: ProgramEvent): string =>
  exit === undefined ? `it was ended by ${signal ?? 'something unknown'}` : `it exited with ${exit}`;

function wrote(output: string): string {
  if (output === '') return 'it wrote nothing';
  const more = output.length > SHOWN ? ` and ${output.length - SHOWN} characters more` : '';
  return `it wrote ${JSON.stringify(output.slice(0, SHOWN).replace(/\n+$/, ''))}${more}`;
}

function unplayed(findings: Findings, { id, place }: Judged): void {
  findings.add('unplayed', id, () => ({
    summary: `step ${id} was not played`,
    expected: 'an outcome',
    observed: 'none was recorded',
    ...{ step: id, place },
  }));
}
