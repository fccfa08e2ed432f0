// SPDX-License-Identifier: MIT
/** Results to stdout, in the format asked for. Nothing else is ever written there. */

import type { Verdict } from '../verdict/verdict.ts';
import { writeGithub } from '../write/github.ts';
import { writeJson } from '../write/json.ts';
import { writeJunit } from '../write/junit.ts';
import { writeKtap } from '../write/ktap.ts';
import { wantsColor } from '../write/paint.ts';
import { sarifOfRuns } from './findings.ts';
import type { Format } from './options.ts';
import { type FileResult, textReport } from './playing.ts';

export function writeResults(results: readonly FileResult[], format: Format): void {
  process.stdout.write(render(results, format));
}

function render(results: readonly FileResult[], format: Format): string {
  const verdicts = results.flatMap((r) => (r.played ? [r.played.verdict] : []));
  switch (format) {
    case 'text':
      return results
        .map((r) => (r.played ? textReport(r.played, wantsColor(process.stdout, process.env)) : ''))
        .join('\n');
    case 'json':
      return json(results, verdicts);
    case 'junit':
      return writeJunit(verdicts);
    case 'ktap':
      return writeKtap(verdicts);
    case 'github':
      return writeGithub(verdicts);
    case 'sarif':
      return sarifOfRuns(results);
  }
}

/** One verdict a line, so that a stream of them can be read; a file that never got one is an object with `error`. */
function json(results: readonly FileResult[], verdicts: readonly Verdict[]): string {
  const [only] = verdicts;
  if (results.length === 1 && only) return writeJson(only);
  return results
    .map((r) =>
      JSON.stringify(
        r.played?.verdict ?? {
          schemaVersion: 1,
          result: 'error',
          file: r.file,
          reason: String((r.error as Error).message),
        },
      ),
    )
    .map((line) => `${line}\n`)
    .join('');
}
