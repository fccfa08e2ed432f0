// SPDX-License-Identifier: MIT
/** `kernel`: nothing alarming in the host's kernel log, and no socket of the family left at the end. */

import { SPLAT } from '../common/splat.ts';
import { count, plural } from '../common/text.ts';
import type { KernelLine } from '../trace/trace.ts';
import type { Facts } from './facts.ts';
import { Findings } from './findings.ts';
import type { CheckResult } from './verdict.ts';

const OURS = /\baf_?bus\b|\bnfdbus\b/i;
/** Begins the block of a warning, whose next line names it. */
const CUT_HERE = /-+\[ cut here \]-+/;
const KERN_CRIT = 2;
const KERN_WARNING = 4;
const DETAIL_LINES = 12;

export const UNUSED = 'no other check saw anything done to it; the log shows nothing';
export const SIMULATED = 'a simulated bus has no kernel';
const UNCOUNTED = 'the sockets left behind were not counted; the log shows nothing';

/**
 * Begins and ends the report of a process that the kernel killed for lack of memory. Its stack trace may lead through a
 * send.
 */
const OUT_OF_MEMORY = { begins: /\binvoked oom-killer\b/, ends: /\bout of memory: Killed process\b/i };

const isSplat = (line: KernelLine): boolean =>
  SPLAT.test(line.text) || line.level <= KERN_CRIT || isOurWarning(line);

const isOurWarning = ({ level, text }: KernelLine): boolean => level <= KERN_WARNING && OURS.test(text);

/** Checks the kernel log and the number of sockets left; `idle` says why an empty log proves nothing. */
export function kernel(facts: Facts, idle: string | undefined): CheckResult {
  const findings = new Findings('kernel', ['splat', 'sockets-left']);
  const { kernel: lines, socketsLeft } = facts.trace;
  const others = judgeLog(findings, lines);
  if (others > 0) findings.note(`${count(others, 'line')} of other parts of the kernel, not judged`);
  if (socketsLeft !== null && socketsLeft > 0) {
    findings.add('sockets-left', undefined, () => ({
      summary: `${count(socketsLeft, 'bus socket')} left after every process had ended`,
      expected: '0',
      observed: String(socketsLeft),
    }));
  }
  const unit = `${plural(lines.length, 'kernel log line')}, ${count(socketsLeft ?? 0, 'socket')} left behind`;
  return findings.result(lines.length, unit, idle ?? (socketsLeft === null ? UNCOUNTED : undefined));
}

/** Reports each splat with the lines that follow it; returns how many lines belong to none. */
function judgeLog(findings: Findings, lines: readonly KernelLine[]): number {
  let others = 0;
  let detail: string[] | undefined;
  for (const line of splatsAndOthers(lines)) {
    if (CUT_HERE.test(line.text)) detail = undefined;
    else if (!detail && isSplat(line)) detail = addSplat(findings, line);
    else if (detail) detail = follow(findings, detail, line);
    else others++;
  }
  return others;
}

/** Leaves out the lines of reports about lack of memory that mention our modules. */
function* splatsAndOthers(lines: readonly KernelLine[]): Generator<KernelLine> {
  let report = false;
  for (const line of lines) {
    if (OUT_OF_MEMORY.begins.test(line.text)) report = true;
    if (!report || !isOurWarning(line) || SPLAT.test(line.text)) yield line;
    if (OUT_OF_MEMORY.ends.test(line.text)) report = false;
  }
}

function addSplat(findings: Findings, line: KernelLine): string[] {
  const detail: string[] = [];
  // Splats with the same beginning are alike, so each kind is shown once.
  findings.add('splat', line.text.replace(/[\d.[\]]+/g, ' ').slice(0, 60), () => ({
    summary: line.text.trim(),
    expected: 'no warning, oops, lockdep, KASAN or refcount line',
    observed: `a line of level ${line.level}`,
    detail,
  }));
  return detail;
}

/** The block of a splat ends with its trace, or when another splat begins. */
function follow(findings: Findings, detail: string[], line: KernelLine): string[] | undefined {
  if (/---\[ end/.test(line.text)) return undefined;
  if (detail.length >= DETAIL_LINES && isSplat(line)) return addSplat(findings, line);
  if (detail.length < DETAIL_LINES) detail.push(line.text.trim());
  return detail;
}
