// SPDX-License-Identifier: MIT
/**
 * The room of one document about many files or combinations. JavaScript makes no text of more than 512 Mi characters, and a format may
 * write six for one; without a bound, some files of strangers would leave all others without a result.
 *
 * What it gives back is a copy. For JavaScript, a name is a part of the text in which it was found, and keeps all of that
 * in memory: up to 2 MiB for each file.
 */

import type { Diagnostic } from '../common/diagnostic.ts';
import { LIMITS } from '../common/limits.ts';
import { count } from '../common/text.ts';
import type { CheckResult, Verdict } from '../verdict/verdict.ts';
import { isUnplayed, type Report } from '../write/unplayed.ts';

const noRoom = (what: string): string =>
  `this document has no room for ${what}: it has ${LIMITS.documentBytes.most} bytes at most`;

export class DocumentRoom {
  #left: number;

  constructor(bytes: number = LIMITS.documentBytes.most) {
    this.#left = bytes;
  }

  /** The report; in a few words if there is no room for all of it. */
  fit(report: Report): Report {
    if (this.#takes(report)) return structuredClone(report);
    return structuredClone(
      isUnplayed(report)
        ? { ...report, diagnostics: inShort(report.file, report.diagnostics) }
        : verdictInShort(report),
    );
  }

  /** The diagnostics of one file; one about all of them if there is no room for them. */
  fitAll(file: string, diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
    return structuredClone(this.#takes(diagnostics) ? diagnostics : inShort(file, diagnostics));
  }

  #takes(value: unknown): boolean {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
}

function inShort(file: string, diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  if (diagnostics.length === 0) return [];
  const isError = diagnostics.some(({ severity }) => severity === 'error');
  return [
    {
      code: 'too-big',
      severity: isError ? 'error' : 'warning',
      message: noRoom(`${count(diagnostics.length, 'mistake')} of the file`),
      hint: 'Validate the file alone to see them.',
      ...{ file, line: 0, column: 0, endColumn: 0, path: '' },
    },
  ];
}

function verdictInShort({ account: _, warnings, checks, ...rest }: Verdict): Verdict {
  return {
    ...rest,
    checks: checks.map(checkInShort),
    ...(warnings && { warnings: inShort(rest.file, warnings) }),
  };
}

/** A check that broke keeps one failure: in some formats nothing else says that it broke. */
function checkInShort({ notes: _, failures, ...rest }: CheckResult): CheckResult {
  const [first] = failures;
  if (first === undefined) return { ...rest, failures: [] };
  const { check, kind, step, place } = first;
  const summary = noRoom(`${count(rest.failed, 'failure')} of the check`);
  const short = { check, kind, summary, expected: '', observed: '', alike: rest.failed };
  return {
    ...rest,
    failures: [{ ...short, ...(step !== undefined && { step }), ...(place && { place }) }],
  };
}
