// SPDX-License-Identifier: MIT
/** Writes results to stdout in the requested format. Nothing else is ever written there. */

import type { ExitCode } from '../common/errors.ts';
import { writeGithub } from '../write/github.ts';
import { writeJson, writeJsonLines } from '../write/json.ts';
import { writeJunit } from '../write/junit.ts';
import { writeKtap } from '../write/ktap.ts';
import { wantsColor } from '../write/paint.ts';
import { broken, invalid, type Report } from '../write/unplayed.ts';
import { DocumentRoom } from './document-room.ts';
import { sarifOfRuns } from './findings.ts';
import type { Format } from './options.ts';
import { type FileResult, InvalidTopology, textReport } from './playing.ts';

/** What stays known of a result that was written: the traces of ten thousand files would fill any memory. */
export interface Outline {
  readonly file: string;
  readonly exitCode: ExitCode;
  readonly combination: Readonly<Record<string, string>>;
  readonly provesNothing: boolean;
}

/** Formats that are written result by result; the others are one document. */
const EACH_AT_ONCE = ['text', 'jsonl'] as const;
type Document = Exclude<Format, (typeof EACH_AT_ONCE)[number]>;

const isDocument = (format: Format): format is Document => !EACH_AT_ONCE.some((each) => each === format);

/** The results of a command that plays many files. What stays of them is a copy that keeps no text of a file alive. */
export class Results {
  readonly #format: Format;
  readonly #outlines: Outline[] = [];
  readonly #reports: Report[] = [];
  readonly #room = new DocumentRoom();

  constructor(format: Format) {
    this.#format = format;
  }

  get outlines(): readonly Outline[] {
    return this.#outlines;
  }

  /** Writes the result, or keeps what the document will hold of it. */
  add(result: FileResult): void {
    const { file, exitCode, played } = result;
    const combination = played?.plan.topology.combination ?? {};
    const provesNothing = played?.verdict.result === 'skip';
    this.#outlines.push(structuredClone({ file, exitCode, combination, provesNothing }));
    if (isDocument(this.#format)) this.#reports.push(this.#room.fit(reportOf(result)));
    else writeResults([result], this.#format);
  }

  /** Writes the document, if the format is one. */
  end(): void {
    if (isDocument(this.#format)) process.stdout.write(renderReports(this.#reports, this.#format));
  }
}

export function writeResults(results: readonly FileResult[], format: Format): void {
  process.stdout.write(render(results, format));
}

function render(results: readonly FileResult[], format: Format): string {
  if (format !== 'text') return renderReports(results.map(reportOf), format);
  const color = wantsColor(process.stdout, process.env);
  return results.map((r) => (r.played ? textReport(r.played, r.sources, color) : '')).join('\n');
}

function renderReports(reports: readonly Report[], format: Exclude<Format, 'text'>): string {
  switch (format) {
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
