// SPDX-License-Identifier: MIT
/**
 * JUnit XML: one suite per topology, one case per check. Some readers keep only the name and body of a case, so these
 * contain everything; and the schema of Jenkins' xUnit plugin does not allow the file and line of a case.
 */

import { type Diagnostic, wordsOf } from '../common/diagnostic.ts';
import { neutralData } from '../common/neutral.ts';
import type { CheckResult, Verdict } from '../verdict/verdict.ts';
import { isUnplayed, placed, type Report, type Unplayed } from './unplayed.ts';
import { inWords, plainLines, remarksOf, resultWord, secondsOf, unshown, whereOf } from './verdict-text.ts';

/** One document for all files. */
export function writeJunit(strange: readonly Report[]): string {
  const reports = neutralData(strange);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...reports.flatMap((report) => (isUnplayed(report) ? unplayedSuite(report) : suite(report))),
    '</testsuites>',
    '',
  ].join('\n');
}

function suite(verdict: Verdict): string[] {
  const broken = verdict.result === 'error';
  const nothing = verdict.result === 'skip';
  const failed = verdict.checks.filter((c) => c.result === 'fail').length + (nothing ? 1 : 0);
  const skipped = verdict.checks.filter((c) => c.result === 'skip').length;
  const head = attributes({
    name: verdict.topology,
    file: verdict.file,
    tests: verdict.checks.length + (broken || nothing ? 1 : 0),
    failures: failed,
    errors: broken ? 1 : 0,
    skipped,
    time: secondsOf(verdict).toFixed(3),
  });
  return [
    `  <testsuite ${head}>`,
    ...properties(verdict),
    ...(broken ? environmentCase(verdict) : []),
    ...(nothing ? nothingCase(verdict) : []),
    ...verdict.checks.flatMap((check) => testcase(verdict, check)),
    ...remarks(verdict),
    ...warningsOf(verdict),
    '  </testsuite>',
  ];
}

function remarks(verdict: Verdict): string[] {
  const lines = remarksOf(verdict);
  return lines.length === 0 ? [] : [`    <system-out>${escapeXml(lines.join('\n'))}</system-out>`];
}

/** Warnings, which are no result but must be seen. */
function warningsOf({ warnings = [] }: Verdict): string[] {
  if (warnings.length === 0) return [];
  return [`    <system-err>${escapeXml(warnings.map(linesOf).join('\n\n'))}</system-err>`];
}

/** One case, so that a file that was never played counts as an error. */
function unplayedSuite({ file, reason, diagnostics }: Unplayed): string[] {
  const head = attributes({ name: file, file, tests: 1, failures: 0, errors: 1, skipped: 0, time: '0.000' });
  const [first] = diagnostics;
  const type = first === undefined ? 'environment' : 'invalid';
  const body = diagnostics.map(linesOf).join('\n\n') || reason;
  return [
    `  <testsuite ${head}>`,
    `    <testcase ${attributes({ name: `${file} ${type}`, classname: file })}>`,
    `      <error ${attributes({ type, message: reason })}>${escapeXml(body)}</error>`,
    '    </testcase>',
    '  </testsuite>',
  ];
}

function linesOf(each: Diagnostic): string {
  const [, ...more] = wordsOf(each);
  return [`${each.severity}: ${placed(each)}`, ...more].join('\n');
}

function properties(verdict: Verdict): string[] {
  const all = {
    result: resultWord(verdict),
    where: whereOf(verdict.where),
    kernel: verdict.where.kernel,
    seed: verdict.seed,
    run: verdict.run,
  };
  const lines = Object.entries(all).map(
    ([name, value]) => `      <property ${attributes({ name, value })}/>`,
  );
  return ['    <properties>', ...lines, '    </properties>'];
}

function environmentCase(verdict: Verdict): string[] {
  const reason = escapeXml(inWords(verdict));
  return [
    `    <testcase ${caseOf(verdict, 'environment')}>`,
    `      <error type="environment" message="${reason}">${reason}</error>`,
    '    </testcase>',
  ];
}

/** A failed case for a run that proves nothing: readers take a suite without a failure for a success, as the exit code does not. */
function nothingCase(verdict: Verdict): string[] {
  const reason = escapeXml(inWords(verdict));
  return [
    `    <testcase ${caseOf(verdict, 'verdict')}>`,
    `      <failure type="nothing-proved" message="${reason}">${reason}</failure>`,
    '    </testcase>',
  ];
}

const caseOf = ({ topology }: Verdict, name: string): string =>
  attributes({ name: `${topology} ${name}`, classname: topology });

function testcase(verdict: Verdict, check: CheckResult): string[] {
  const head = caseOf(verdict, check.name);
  if (check.result === 'pass') return [`    <testcase ${head}/>`];
  return [`    <testcase ${head}>`, `      ${outcome(check)}`, '    </testcase>'];
}

function outcome(check: CheckResult): string {
  if (check.result === 'skip') return `<skipped message="${escapeXml(check.reason ?? '')}"/>`;
  const more = unshown(check);
  const body = check.failures.map((f) => [f.summary, ...plainLines(f)].join('\n'));
  if (more > 0) body.push(`and ${more} more that are not shown`);
  const message = check.failures[0]?.summary ?? '';
  return `<failure ${attributes({ type: check.name, message })}>${escapeXml(body.join('\n\n'))}</failure>`;
}

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}="${escapeXml(String(value))}"`)
    .join(' ');

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML cannot represent most control characters. */
const escapeXml = (s: string): string =>
  s
    .toWellFormed()
    .replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"]/g, (c) => ENTITIES[c] as string);
