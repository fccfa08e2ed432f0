// SPDX-License-Identifier: MIT
/** What `up` and `run` share: play a file, write its results, keep their artifacts, give their exit codes. */

import { EXIT, type ExitCode, InvalidInput, TopoError } from '../common/errors.ts';
import { type Loaded, renderDiagnostics } from '../load/index.ts';
import {
  InvalidTopology,
  loadTopologies,
  type Played,
  type PlayOptions,
  play,
  sourceOf,
} from '../pipeline.ts';
import type { Topology } from '../topology/topology.ts';
import { wantsColor } from '../write/paint.ts';
import { renderText } from '../write/text.ts';
import { folderBelow, keepArtifacts } from './artifacts.ts';
import { inputOf } from './input.ts';
import type { PlayFlags } from './options.ts';
import { report, warn } from './report-error.ts';
import { chooseSite } from './site.ts';
import { Ui } from './ui.ts';

export interface PlayMode {
  readonly keep: boolean;
  readonly replace: boolean;
  readonly signal: AbortSignal;
}

export interface FileResult {
  readonly file: string;
  readonly exitCode: ExitCode;
  /** null when the file was invalid or the environment broke before anything was planned. */
  readonly played: Played | null;
  readonly error: unknown;
}

/** Plays every combination of a file, one after the other; `done` is told each result as soon as it is there. */
export async function playFile(
  named: string,
  flags: PlayFlags,
  mode: PlayMode,
  done: (result: FileResult) => void,
): Promise<void> {
  const { file, options } = inputOf(named, flags);
  let loaded: Loaded | undefined;
  const load = () => {
    if (loaded !== undefined) return loaded;
    const all = loadTopologies(file, options);
    tell(all);
    if (mode.keep && all.topologies.length > 1) throw tooMany(file, all.topologies);
    loaded = all;
    return all;
  };
  const warnings = () => load().diagnostics;
  done(await playOne(file, { topology: () => load().topology as Topology, warnings }, flags, mode));
  for (const topology of loaded?.topologies.slice(1) ?? []) {
    if (mode.signal.aborted) break;
    done(await playOne(file, { topology: () => topology, warnings }, flags, mode));
  }
}

/** What is wrong with a file, or odd: on stderr, `--quiet` or not, since that is about progress. */
function tell({ diagnostics, sources }: Loaded): void {
  const color = wantsColor(process.stderr, process.env);
  process.stderr.write(renderDiagnostics(diagnostics, sources, { color }));
}

/** Worst first: a broken machine says more about a batch than a failed check. */
const SEVERITY: readonly ExitCode[] = [
  EXIT.interrupted,
  EXIT.hostDied,
  EXIT.environment,
  EXIT.timeout,
  EXIT.invalid,
  EXIT.fail,
  EXIT.pass,
];

/** The exit code of several results. */
export function worst(results: readonly FileResult[]): ExitCode {
  const codes = new Set(results.map((r) => r.exitCode));
  return SEVERITY.find((code) => codes.has(code)) ?? EXIT.pass;
}

function tooMany(file: string, topologies: readonly Topology[]): InvalidInput {
  const [set] = topologies.map(({ combination = {} }) =>
    Object.entries(combination).map(([name, value]) => `--set ${name}=${value}`),
  );
  const message = `${file} has ${topologies.length} combinations, and one can be up at a time`;
  return new InvalidInput(message, `pick one: ${set?.join(' ')}; or play them all with "afbus-topo run"`);
}

async function playOne(
  file: string,
  { topology, warnings }: Required<Pick<PlayOptions, 'topology' | 'warnings'>>,
  flags: PlayFlags,
  mode: PlayMode,
): Promise<FileResult> {
  const ui = new Ui({ quiet: flags.quiet === true });
  const launcher = () => flags.launcher ?? topology().launcher?.kind ?? 'container';
  try {
    const played = await play({
      ...mode,
      file,
      topology,
      warnings,
      timeout: flags.timeout,
      ...(flags.seed === undefined ? {} : { seed: flags.seed }),
      site: (seed, detail) => chooseSite(flags, { seed, detail, launcher: launcher(), signal: mode.signal }),
      stage: (title, work) => ui.stage(title, work),
      timings: ui.timings,
    });
    keep(played, flags, ui);
    if (played.error) report(played.error);
    return { file, exitCode: exitCode(played), played, error: played.error };
  } catch (e) {
    if (e instanceof InvalidTopology) tell(e.loaded);
    else report(e);
    return { file, exitCode: e instanceof TopoError ? e.exitCode : EXIT.environment, played: null, error: e };
  }
}

/** What was proved stays so where nothing can be written. */
function keep(played: Played, flags: PlayFlags, ui: Ui): void {
  try {
    const place = keepArtifacts({ ...played, report: textReport(played, false) }, placeOf(played, flags));
    if (played.verdict.result !== 'pass') ui.note(`artifacts: ${place}`);
  } catch (error) {
    warn(`the artifacts of this run are not kept: ${(error as Error).message}`);
  }
}

/** Combinations share the directory that was asked for, each with one of its own in it. */
function placeOf({ plan }: Played, { artifacts }: PlayFlags): string | undefined {
  const { combination, name } = plan.topology;
  return artifacts !== undefined && combination !== undefined ? folderBelow(artifacts, name) : artifacts;
}

export function textReport(played: Played, color: boolean): string {
  return renderText(played.verdict, { color, source: sourceOf });
}

function exitCode(played: Played): ExitCode {
  if (played.error) return played.error.exitCode;
  return played.verdict.result === 'pass' ? EXIT.pass : EXIT.fail;
}
