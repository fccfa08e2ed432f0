// SPDX-License-Identifier: MIT
/** Writes results to stdout in the requested format. Nothing else is ever written there. */

import { writeGithub } from '../write/github.ts';
import { writeJson, writeJsonLines } from '../write/json.ts';
import { writeJunit } from '../write/junit.ts';
import { writeKtap } from '../write/ktap.ts';
import { wantsColor } from '../write/paint.ts';
import { broken, invalid, type Report } from '../write/unplayed.ts';
import { sarifOfRuns } from './findings.ts';
import type { Format } from './options.ts';
import { type FileResult, InvalidTopology, textReport } from './playing.ts';

export function writeResults(results: readonly FileResult[], format: Format): void {
  process.stdout.write(render(results, format));
}

function render(results: readonly FileResult[], format: Format): string {
  const reports = results.map(reportOf);
  switch (format) {
    case 'text':
      return results
        .map((r) =>
          r.played ? textReport(r.played, r.sources, wantsColor(process.stdout, process.env)) : '',
        )
        .join('\n');
    case 'json':
      return writeJson(...reports);
    case 'jsonl':
      return writeJsonLines(reports);
    case 'junit':
      return writeJunit(reports);
    case 'ktap':
      return writeKtap(reports);
    case 'github':
      return writeGithub(reports);
    case 'sarif':
      return sarifOfRuns(reports);
  }
}

function reportOf({ file, played, error }: FileResult): Report {
  if (played) return played.verdict;
  if (error instanceof InvalidTopology) return invalid(file, error.loaded.diagnostics);
  return broken(file, String((error as Error).message));
}
