// SPDX-License-Identifier: MIT
/** Shared by `up` and `run`: plays a file, writes its results, keeps its artifacts, determines the exit code. */

import { randomInt } from 'node:crypto';
import { Deadline } from '../common/deadline.ts';
import type { Diagnostic } from '../common/diagnostic.ts';
import { EXIT, type ExitCode, InvalidInput, TopoError } from '../common/errors.ts';
import { neutral } from '../common/neutral.ts';
import type { Progress } from '../common/progress.ts';
import { count } from '../common/text.ts';
import type { Lock } from '../host/lock.ts';
import { type Loaded, type LoadOptions, load, renderDiagnostics } from '../load/index.ts';
import { makeRoom, type Played, play } from '../pipeline.ts';
import { plan as makePlan } from '../plan/index.ts';
import type { Contradictions, Plan } from '../plan/plan.ts';
import type { Topology } from '../topology/topology.ts';
import { wantsColor } from '../write/paint.ts';
import { renderText } from '../write/text.ts';
import { folderBelow, keepArtifacts, Room } from './artifacts.ts';
import { inputOf } from './input.ts';
import type { Interrupt } from './interrupt.ts';
import type { PlayFlags } from './options.ts';
import { report, warn } from './report-error.ts';
import { chooseSite } from './site.ts';
import { turnOf } from './turn.ts';
import { Ui } from './ui.ts';

export interface PlayMode {
  readonly keep: boolean;
  readonly replace: boolean;
  readonly interrupt: Pick<Interrupt, 'signal' | 'during'>;
  /** Artifact folders that other files use; absent if there is only one file, which has the whole folder. */
  readonly taken?: Set<string>;
}

export interface FileResult {
  readonly file: string;
  readonly exitCode: ExitCode;
  /** null if the file was invalid, or the environment broke before there was a plan. */
  readonly played: Played | null;
  readonly error: unknown;
  /** File → text, as it was read, for reports that show lines of it. */
  readonly sources: Sources;
}

type Sources = Loaded['sources'];

/** Plays every combination of a file, one after the other; calls `done` with each result as soon as it exists. */
export async function playFile(
  named: string,
  flags: PlayFlags,
  mode: PlayMode,
  done: (result: FileResult) => void,
): Promise<void> {
  const { file, options } = inputOf(named, flags);
  const seeds = seedsOf(flags);
  const room = new Room();
  let loaded: Loaded | undefined;
  let n = 0;
  do {
    const seed = seeds[n % seeds.length] as number;
    const load = (): Combination => {
      loaded ??= loadAll(file, options, mode);
      const written = loaded.topologies[Math.floor(n / seeds.length)] as Topology;
      const contradictions = loaded.contradictions.get(written);
      const topology = seeds.length > 1 ? withSeed(written, seed) : written;
      return { topology, seed, contradictions, warnings: loaded.diagnostics, sources: loaded.sources };
    };
    done(await playOne(file, load, flags, { ...mode, room }));
    n++;
  } while (n < seeds.length * (loaded?.topologies.length ?? 0) && !mode.interrupt.signal.aborted);
}

/** One seed per repeat: the one that was given or drawn, and those after it. */
function seedsOf({ seed = randomInt(2 ** 32), repeat = 1 }: PlayFlags): readonly number[] {
  return Array.from({ length: repeat }, (_, n) => (seed + n) % 2 ** 32);
}

/** Makes a repeat a combination of its own, with its own name, verdict and folder. */
const withSeed = (topology: Topology, seed: number): Topology => ({
  ...topology,
  name: `${topology.name}.seed=${seed}`,
  combination: { ...topology.combination, seed: `${seed}` },
});

/** One of the combinations of a file. */
interface Combination {
  readonly topology: Topology;
  readonly seed: number;
  readonly contradictions: Contradictions | undefined;
  readonly warnings: readonly Diagnostic[];
  readonly sources: Sources;
}

/** Throws InvalidTopology, or InvalidInput if there are more combinations than can be up at a time. */
function loadAll(file: string, options: LoadOptions, { keep }: PlayMode): Loaded {
  const loaded = load(file, options);
  if (loaded.topology === undefined) throw new InvalidTopology(loaded);
  tell(loaded);
  if (keep && loaded.topologies.length > 1) throw tooMany(file, loaded.topologies);
  return loaded;
}

/** A file with mistakes; the message contains all its diagnostics, rendered. */
export class InvalidTopology extends InvalidInput {
  readonly loaded: Loaded;

  constructor(loaded: Loaded) {
    super(renderDiagnostics(loaded.diagnostics, loaded.sources), '');
    this.loaded = loaded;
  }
}

/** Writes diagnostics to stderr, also with `--quiet`, which is about progress. */
function tell({ diagnostics, sources }: Loaded): void {
  const color = wantsColor(process.stderr, process.env);
  process.stderr.write(renderDiagnostics(diagnostics, sources, { color }));
}

/** Worst first: in a batch, a broken machine says more than a failed check. */
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
export function worst(results: readonly Pick<FileResult, 'exitCode'>[]): ExitCode {
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
  load: () => Combination,
  flags: PlayFlags,
  mode: PlayMode & { readonly room: Room },
): Promise<FileResult> {
  const progress = new Ui({ quiet: flags.quiet === true });
  const deadline = new Deadline(flags.timeout);
  try {
    const { plan, warnings, sources } = await progress.stage('load', async (detail) => {
      const prepare = () =>
        deadline.during('the file to be read and planned', () => {
          const { topology, seed, contradictions, warnings, sources } = load();
          return { plan: makePlan(topology, { seed, contradictions }), warnings, sources };
        });
      const made = await mode.interrupt.during(prepare);
      detail(summary(made.plan));
      return made;
    });
    const played = await playAt(plan, warnings, flags, { ...mode, deadline }, progress);
    keep(played, sources, flags, progress, mode);
    if (played.error) report(played.error);
    return { file, exitCode: exitCode(played), played, error: played.error, sources };
  } catch (e) {
    if (e instanceof InvalidTopology) tell(e.loaded);
    else report(e);
    const code = e instanceof TopoError ? e.exitCode : EXIT.environment;
    return { file, exitCode: code, played: null, error: e, sources: new Map() };
  }
}

function summary({ topology, agents, messages, operations }: Plan): string {
  const dbus = operations?.list.length ?? 0;
  const sent = messages.length > 0 || dbus === 0 ? [count(messages.length, 'message')] : [];
  if (dbus > 0) sent.push(`${count(dbus, 'call or signal', 'calls and signals')} of D-Bus`);
  const nodes = count(topology.nodes.length, 'node');
  return `${topology.name}: ${count(agents.length, 'process', 'processes')} on ${nodes}, ${sent.join(', ')}`;
}

/** Plays the topology where the flags say. */
async function playAt(
  plan: Plan,
  warnings: readonly Diagnostic[],
  flags: PlayFlags,
  { keep, replace, interrupt: { signal }, deadline }: PlayMode & { readonly deadline: Deadline },
  progress: Progress,
): Promise<Played> {
  const { topology, seed } = plan;
  const launcher = flags.launcher ?? topology.launcher?.kind ?? 'container';
  // Not counted: the first start of a host builds its image, which takes minutes for any file.
  const site = await deadline.without(() =>
    progress.stage('host', (detail) => chooseSite(flags, { seed, detail, launcher, keep, signal })),
  );
  let turn: Lock | undefined;
  try {
    if (keep) turn = await turnOf(topology.name, { progress, deadline, signal });
    await makeRoom(topology.name, site, { keep, replace, progress, deadline, signal });
    return await play(plan, site, { deadline, keep, signal, progress, warnings });
  } finally {
    await turn?.release();
    site.release();
  }
}

/** Keeps the artifacts. If they cannot be written, the result stays the same. */
function keep(
  played: Played,
  sources: Sources,
  flags: PlayFlags,
  ui: Ui,
  { taken, room }: Pick<PlayMode, 'taken'> & { readonly room: Room },
): void {
  try {
    const { place, tooBig } = keepArtifacts(
      { ...played, report: textReport(played, sources, false) },
      placeOf(played, flags, taken),
      room,
    );
    for (const why of tooBig) warn(`one of the artifacts of this run is not kept: ${why}`);
    if (played.verdict.result !== 'pass') ui.note(`artifacts: ${place}`);
  } catch (error) {
    warn(`the artifacts of this run are not kept: ${(error as Error).message}`);
  }
}

/** The folder for the artifacts. Combinations and several files share the given folder, each with a subfolder. */
function placeOf({ plan }: Played, { artifacts }: PlayFlags, taken?: Set<string>): string | undefined {
  const { combination, name } = plan.topology;
  if (artifacts === undefined || (combination === undefined && taken === undefined)) return artifacts;
  let place = folderBelow(artifacts, name);
  for (let n = 2; taken?.has(place); n++) place = folderBelow(artifacts, `${name}-${n}`);
  taken?.add(place);
  return place;
}

/** The report as text, with the text of the files that it refers to. */
export function textReport(played: Played, sources: Sources, color: boolean): string {
  const printed = new Map(Array.from(sources, ([file, text]) => [neutral(file), text]));
  return renderText(played.verdict, { color, source: (file) => printed.get(file) });
}

function exitCode(played: Played): ExitCode {
  if (played.error) return played.error.exitCode;
  return played.verdict.result === 'pass' ? EXIT.pass : EXIT.fail;
}
