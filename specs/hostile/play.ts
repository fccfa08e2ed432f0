// SPDX-License-Identifier: MIT
/** Plays a stranger's file as the command does: in this process, or by the command itself. */

import { config } from '../../runner/cli/config.ts';
import { graph } from '../../runner/cli/graph.ts';
import { FORMATS, type Format } from '../../runner/cli/options.ts';
import { plan } from '../../runner/cli/plan.ts';
import { type FileResult, type PlayMode, playFile } from '../../runner/cli/playing.ts';
import { writeResults } from '../../runner/cli/results.ts';
import { validate } from '../../runner/cli/validate.ts';
import { Random } from '../../runner/common/random.ts';
import { BUGS } from '../../runner/sim/index.ts';
import { cli } from '../helpers/cli.ts';
import { captured, ENVIRONMENT, type Said } from './captured.ts';
import type { Sandbox } from './sandbox.ts';

/** The same seed plays in the same way. */
export type Player = (sandbox: Sandbox, seed: number) => Promise<readonly Said[]>;

const TIMEOUT_MS = 20_000;

/** `run` in all formats, of one play, and one of the verbs that start nothing. */
export const playHere: Player = async (sandbox, seed) => {
  const random = new Random(seed);
  const bug = random.oneIn(4) ? random.pick(Object.keys(BUGS)) : undefined;
  const flags = {
    ...({ backend: 'sim', kernel: '6.12', format: 'text' } as const),
    ...{ timeout: TIMEOUT_MS, seed, artifacts: sandbox.out, quiet: random.oneIn(2) },
    ...(bug && { simBug: bug }),
  };
  const results: FileResult[] = [];
  const mode = { keep: false, replace: false, interrupt: UNHANDLED };
  const played = await captured(() => playFile(sandbox.file, flags, mode, (result) => results.push(result)));
  const worst = Math.max(played.code, ...results.map(({ exitCode }) => exitCode));
  const said: Said[] = [{ ...played, by: 'run', format: 'text', code: worst }];
  for (const format of FORMATS) {
    const written = await captured(async () => writeResults(results, format));
    said.push({ ...written, by: `run ${format}`, format });
  }
  const [by, format, work] = random.pick(VERBS);
  said.push({ ...(await captured(async () => work(sandbox.file))), by, format });
  return said;
};

/** Ctrl-C ends the fuzzer, not a play. */
const UNHANDLED: PlayMode['interrupt'] = {
  signal: new AbortController().signal,
  during: async (work) => work(),
};

const VERBS: readonly (readonly [by: string, format: string, work: (file: string) => void])[] = [
  ['plan', 'text', (file) => plan(file, { format: 'text', seed: 1 })],
  ['plan --why', 'text', (file) => plan(file, { format: 'text', seed: 1, why: true })],
  ['plan json', 'jsonl', (file) => plan(file, { format: 'json', seed: 1 })],
  ['graph mermaid', 'mermaid', (file) => graph(file, { format: 'mermaid' })],
  ['graph dot', 'dot', (file) => graph(file, { format: 'dot' })],
  ['graph svg', 'svg', (file) => graph(file, { format: 'svg' })],
  ['config', 'yaml', (file) => config(file, {})],
  ['config --explain', 'yaml', (file) => config(file, { explain: true })],
  ['config json', 'jsonl', (file) => config(file, { format: 'json' })],
  ['validate', 'text', (file) => validate([file], { format: 'text' })],
  ['validate json', 'json', (file) => validate([file], { format: 'json' })],
  ['validate github', 'github', (file) => validate([file], { format: 'github' })],
  ['validate sarif', 'sarif', (file) => validate([file], { format: 'sarif', strict: true })],
];

/** The command itself, in one format. */
export const playByCommand: Player = async (sandbox, seed) => {
  const format = new Random(seed).pick<Format>(FORMATS);
  const options = ['--backend', 'sim', '--timeout', '20s', '--artifacts', sandbox.out, '--format', format];
  const { code, stdout, stderr } = await cli(['run', ...options, '--', sandbox.file], {
    cwd: sandbox.mine,
    env: { ...ENVIRONMENT, XDG_STATE_HOME: sandbox.out },
  });
  return [{ by: `run ${format}`, format, code: code ?? -1, stdout, stderr }];
};
