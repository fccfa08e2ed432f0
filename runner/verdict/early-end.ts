// SPDX-License-Identifier: MIT
/** What ended a run before its last step: the end of a process, the deadline, or a node that broke. */

import type { Trace } from '../trace/trace.ts';
import type { Findings } from './findings.ts';

/** Kinds of failures that follow from a run's early end, and prove nothing about the bus. Worst first. */
export const EARLY_END: readonly string[] = ['crashed', 'cut'];

/** Adds it to one check of a run, which tells the reader of a report what was not judged. */
export function addEarlyEnd(findings: Findings, { exits, cut }: Trace): void {
  for (const { agent, code, signal, wanted } of exits) {
    if (!wanted)
      addCrash(findings, agent, signal ? `it was killed by ${signal}` : `it exited with code ${code}`);
  }
  if (cut !== undefined) addCut(findings, cut);
}

function addCrash(findings: Findings, agent: string, how: string): void {
  findings.add('crashed', agent, () => ({
    summary: `${agent} ended, and no step had ended it`,
    expected: 'it lives until the end of the run',
    observed: how,
    detail: ['what it would have sent and read after that is not judged'],
  }));
}

function addCut(findings: Findings, why: string): void {
  findings.add('cut', undefined, () => ({
    summary: 'the run ended before its last step',
    expected: 'every step is played and settled',
    observed: why,
    detail: ['steps that had not settled by then are not judged'],
  }));
}
