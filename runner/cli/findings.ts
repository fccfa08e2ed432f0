// SPDX-License-Identifier: MIT
/** Turns mistakes in files, and what broke in runs, into findings with places. */
import { type Diagnostic, wordsOf } from '../common/diagnostic.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { CHECK_RULES, type Finding, findingsOf, remarksIn, writeSarif } from '../write/sarif.ts';
import { isUnplayed, type Report } from '../write/unplayed.ts';
import { version } from './package.ts';

/** The subject of each kind of diagnostic. */
const DIAGNOSTIC_RULES: Readonly<Record<Diagnostic['code'], string>> = {
  file: 'The file can be read.',
  encoding: 'The file is UTF-8 text.',
  'too-big': 'The file stays within the limits of the language.',
  empty: 'The file holds a topology.',
  syntax: 'The file is YAML.',
  'duplicate-key': 'A key occurs once in its map.',
  'unset-variable': 'Each variable has a value.',
  include: 'Included files exist and are parts of a topology.',
  'wrong-type': 'A value has the type that its key requires.',
  'missing-key': 'A map has all keys that it needs.',
  'unknown-key': 'A map has only keys of the language.',
  'bad-value': 'A value has the form that its key requires.',
  'bad-name': 'Names are lower-case letters, digits and dashes.',
  'unknown-name': 'A name that is used is declared.',
  'duplicate-name': 'A name is declared once.',
  clash: 'Each path, prefix and address has one owner.',
  impossible: 'What the file asks for can come true.',
  'order-dependent': 'What the file asks for does not depend on how branches interleave.',
  unsaid: 'The file says so if a send fails or does not reach its destination.',
  vacuous: 'An expectation can fail, and a fault has an effect.',
  unused: 'What is declared is used.',
};

export const sarifOfFiles = (diagnostics: readonly Diagnostic[]): string =>
  writeSarif(diagnostics.map(findingOf), { version: version(), rules: DIAGNOSTIC_RULES });

export function sarifOfRuns(reports: readonly Report[]): string {
  const findings = reports.flatMap((report): Finding[] => {
    if (!isUnplayed(report)) return [...findingsOf([report]), ...(report.warnings ?? []).map(findingOf)];
    if (report.diagnostics.length > 0) return report.diagnostics.map(findingOf);
    return [{ rule: 'environment', level: 'error', message: report.reason, file: report.file }];
  });
  const complete = findings.every(({ rule }) => rule !== 'environment');
  const remarks = remarksIn(reports.filter((report): report is Verdict => !isUnplayed(report)));
  const rules = { ...DIAGNOSTIC_RULES, ...CHECK_RULES };
  return writeSarif(findings, { version: version(), rules }, { complete, remarks });
}

function findingOf(each: Diagnostic): Finding {
  const { code, severity, file, line, column, endColumn, path } = each;
  return {
    rule: code,
    level: severity,
    message: wordsOf(each).join('\n'),
    ...{ file, line, column, endColumn, path },
  };
}
