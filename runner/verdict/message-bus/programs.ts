// SPDX-License-Identifier: MIT
/** `dbus.programs`: each program ended as the file says, and wrote what the file says. */
import { plural } from '../../common/text.ts';
import {
  expectText,
  firstMissing,
  isWhole,
  needsEnd,
  type ProgramExpect,
  type ProgramStep,
} from '../../topology/program.ts';
import { flat } from '../../topology/steps.ts';
import type { Step } from '../../topology/topology.ts';
import type { ProgramEvent } from '../../trace/trace.ts';
import { Findings } from '../findings.ts';
import type { CheckResult } from '../verdict.ts';
import type { BusFacts } from './facts.ts';

const KINDS = ['wrong-exit', 'wrong-output', 'still-runs', 'too-much-output', 'unplayed'];
/** Characters of an output that a failure shows. */
const SHOWN = 1000;

/** What went wrong in a word, in words after the program's name, and what was observed. */
type Wrong = readonly [kind: string, summary: string, observed: string];

export function programs({ plan, trace, cut }: BusFacts): CheckResult[] {
  if (plan.topology.messageBuses?.programs.length === 0) return [];
  const findings = new Findings('dbus.programs', KINDS);
  const [ends = [], events = []] = [true, false].map((last) =>
    trace.programs?.filter(({ atEnd = false }) => atEnd === last),
  );
  const states = new Map(events.map((event) => [event.step, event]));
  const steps = [...flat(plan.topology.steps)].filter(isJudged);
  const played = steps.filter(({ id }) => states.has(id));
  const simulated = played.filter(({ id }) => states.get(id)?.state === 'simulated');
  for (const step of steps) {
    const state = states.get(step.id);
    if (state === undefined && !cut) unplayed(findings, step);
    else if (state !== undefined && state.state !== 'simulated') judge(findings, step, state);
  }
  judgeEnds(findings, plan.topology.steps, ends);
  const checked = played.length - simulated.length;
  const unit = plural(checked, 'expectation of a program', 'expectations of programs');
  return [findings.result(checked, unit, whyNone(steps, played, simulated))];
}

/** A kill expects that the program has not ended by itself. */
const isJudged = (step: Step): step is ProgramStep =>
  step.kind === 'program' && (step.do === 'kill' || step.expect !== undefined);

/** The check passes only if it has looked at something; a simulated system runs no program. */
function whyNone(
  steps: readonly ProgramStep[],
  played: readonly ProgramStep[],
  simulated: readonly ProgramStep[],
): string | undefined {
  if (steps.length === 0) return 'no step runs a program';
  if (played.length === 0) return 'the run ended before the first expectation of a program';
  if (simulated.length === 0) return undefined;
  const places = simulated.map(({ place: { file, line } }) => `${file}:${line}`);
  return `a program cannot be simulated (${places.join(', ')})`;
}

function judge(findings: Findings, { client, expect, id, place }: ProgramStep, event: ProgramEvent): void {
  const wrong = expect ? unexpected(expect, event) : notKilled(event);
  if (wrong === undefined) return;
  const [kind, summary, observed] = wrong;
  findings.add(kind, id, () => ({
    summary: `${client} ${summary}`,
    expected: `${client} ${expect ? expectText(expect) : 'runs until it is killed'}`,
    ...{ observed, step: id, place },
    ...(event.errors.length > 0 && { detail: event.errors.map((line) => `stderr: ${line}`) }),
  }));
}

/** A step that has failed has said how its program ended. */
function judgeEnds(findings: Findings, steps: readonly Step[], ends: readonly ProgramEvent[]): void {
  const wrong = new Set(findings.steps);
  const known = new Map([...flat(steps)].map((step) => [step.id, step]));
  for (const event of ends) {
    const step = known.get(event.step);
    if (step?.kind === 'program' && !wrong.has(step.id)) judgeEnd(findings, step, event);
  }
}

/** A program may end with 0 at any time; that it crashes or fails has to be expected, however late it is. */
function judgeEnd(findings: Findings, { client, id, place }: ProgramStep, event: ProgramEvent): void {
  const failed = event.state === 'ended' && event.exit !== 0;
  if (!failed && event.state !== 'wordy') return;
  const [kind, summary, observed]: Wrong = failed
    ? ['wrong-exit', 'ended after the last expectation of it', endText(event)]
    : WORDY;
  const advice =
    event.exit === undefined ? [] : [`if that is meant: expect: { client: ${client}, exit: ${event.exit} }`];
  findings.add(kind, id, () => ({
    summary: `${client} ${summary}`,
    expected: `${client} runs to the end of the run, or exits with 0`,
    ...{ observed, step: id, place },
    detail: [...event.errors.map((line) => `stderr: ${line}`), ...advice],
  }));
}

function unexpected(expect: ProgramExpect, event: ProgramEvent): Wrong | undefined {
  const { state, output } = event;
  if (state === 'wordy') return WORDY;
  if (state === 'late')
    return ['still-runs', 'did not end in time', `it still ran after ${expect.within} ms`];
  if (crashed(event) || (expect.exit !== undefined && event.exit !== expect.exit))
    return ['wrong-exit', 'did not end as expected', endText(event)];
  const lack = lackOf(expect, output);
  if (lack !== undefined) return ['wrong-output', lack, wrote(output)];
  if (needsEnd(expect) && state === 'runs') return ['still-runs', 'did not end', 'it still runs'];
  return undefined;
}

function notKilled(event: ProgramEvent): Wrong | undefined {
  if (event.state === 'killed') return undefined;
  if (event.state === 'wordy') return WORDY;
  return ['wrong-exit', 'ended before it was killed', endText(event)];
}

const WORDY: Wrong = ['too-much-output', 'wrote more than is kept', 'it was killed'];

/** Whether a signal ended it that neither the file nor a limit has sent. */
const crashed = ({ state, signal }: ProgramEvent): boolean => state === 'ended' && signal !== undefined;

/** What is wrong with the output, after the program's name. */
function lackOf({ output: wanted }: ProgramExpect, output: string): string | undefined {
  if (wanted === undefined) return undefined;
  if (typeof wanted === 'string')
    return isWhole(output, wanted) ? undefined : 'did not write what was expected';
  const missing = firstMissing(output, wanted);
  if (missing === undefined) return undefined;
  const line = `wrote no line with ${JSON.stringify(missing)}`;
  return output.includes(missing) ? `${line} after the lines with the texts before it in the list` : line;
}

function endText({ exit, signal, output }: ProgramEvent): string {
  const end =
    exit === undefined ? `it was ended by ${signal ?? 'something unknown'}` : `it exited with ${exit}`;
  return `${end}; ${wrote(output)}`;
}

function wrote(output: string): string {
  if (output === '') return 'it wrote nothing';
  const more = output.length > SHOWN ? ` and ${output.length - SHOWN} characters more` : '';
  return `it wrote ${JSON.stringify(output.slice(0, SHOWN).replace(/\n+$/, ''))}${more}`;
}

function unplayed(findings: Findings, { id, place }: ProgramStep): void {
  findings.add('unplayed', id, () => ({
    summary: `step ${id} was not played`,
    expected: 'an outcome',
    observed: 'none was recorded',
    ...{ step: id, place },
  }));
}
