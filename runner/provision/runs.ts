// SPDX-License-Identifier: MIT
/** Finds runs on a backend by their marks of ownership, and removes them. */

import type Dockerode from 'dockerode';
import { answer } from '../host/host.ts';
import type { Backend } from './backend.ts';
import { fromEngine, listOf } from './engine-answer.ts';
import { fromLabels, isOrphan, isRun, LABEL, type Ownership } from './labels.ts';
import { REMOVE_RUN, RUNS } from './processes.ts';

export interface RunNode {
  readonly name: string;
  /**
   * Docker's state (`running`, `exited` …), or `missing` if there is no container, not yet or not any more; of a process
   * node, `running` or `gone`.
   */
  readonly state: string;
  /** Container id, or pid on the host; empty if there is none. */
  readonly id: string;
}

export interface Run extends Ownership {
  readonly launcher: 'container' | 'process';
  readonly nodes: readonly RunNode[];
}

export async function listRuns(backend: Backend): Promise<readonly Run[]> {
  const asked = Promise.all([fromEngine(() => containerRuns(backend)), processRuns(backend)]);
  // If the engine does not answer, its host may have died.
  const [containers, processes] = await asked.catch(async (error) => {
    throw (await backend.probe()) ?? error;
  });
  return [...containers, ...processes].sort((a, b) => a.started.localeCompare(b.started));
}

async function containerRuns(backend: Backend): Promise<readonly Run[]> {
  const { docker } = backend;
  const filters = { label: [LABEL.run] };
  const [containers, volumes] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
  ]);
  return runsOf(containersIn(containers), volumesIn(volumes));
}

type Container = Pick<Dockerode.ContainerInfo, 'Id' | 'State' | 'Labels'>;
type Volume = Pick<Dockerode.VolumeInspectInfo, 'Name' | 'Labels'>;

const containersIn = (answer: unknown): readonly Container[] =>
  listOf<Container>(answer, ['Id', 'State'], ['Labels']);

/** An engine without any says null. */
const volumesIn = (answer: { readonly Volumes?: unknown } | null): readonly Volume[] =>
  listOf<Volume>(answer?.Volumes ?? [], ['Name'], ['Labels']);

/**
 * The runs of these containers and volumes. A node whose container was removed by somebody else is missing, not
 * forgotten, even if it was the last.
 */
export function runsOf(
  containers: readonly Container[],
  volumes: readonly Pick<Volume, 'Labels'>[],
): readonly Run[] {
  const runs = new Map<string, Run & { nodes: RunNode[] }>();
  const runOf = (labels: Readonly<Record<string, string>>) => {
    const owner = fromLabels(labels);
    if (!owner) return undefined;
    const known = runs.get(owner.run);
    if (known) return known;
    const names = (labels[LABEL.nodes] ?? '').split(' ').filter((name) => name !== '');
    const run = { ...owner, launcher: 'container' as const, nodes: names.map(noNode) };
    runs.set(owner.run, run);
    return run;
  };
  for (const { Labels } of volumes) runOf(Labels ?? {});
  for (const { Labels, State, Id } of containers) {
    const run = runOf(Labels ?? {});
    if (!run) continue;
    const node = { name: Labels?.[LABEL.node] ?? '', state: State, id: Id };
    const place = run.nodes.findIndex(({ name }) => name === node.name);
    if (place < 0) run.nodes.unshift(node);
    else run.nodes[place] = node;
  }
  return [...runs.values()];
}

const noNode = (name: string): RunNode => ({ name, state: 'missing', id: '' });

/**
 * Prints for each run the lines `run RUN` and `owner WORDS`, and one `node NAME PID STATE` per node. Runs may come and
 * go meanwhile.
 */
export const LIST = `
for d in ${RUNS}/*/; do
  owner=$(cat "$d/owner" 2>/dev/null); [ -n "$owner" ] || continue
  d=\${d%/}
  printf 'run %s\\nowner %s\\n' "\${d##*/}" "$owner"
  for p in "$d"/*.pid; do
    pid=$(cat "$p" 2>/dev/null); [ -n "$pid" ] || continue
    [ -d "/proc/$pid" ] && state=running || state=gone
    n=\${p##*/}; echo "node \${n%.pid} $pid $state"
  done
done`;

async function processRuns(backend: Backend): Promise<readonly Run[]> {
  return runsIn(`${await answer(await backend.channel(['sh', '-c', LIST]))}`);
}

/** Parses what LIST printed. A run whose owner cannot be read is kept: `ps` shows it, and `down` removes it. */
export function runsIn(said: string): readonly Run[] {
  const runs: (Run & { nodes: RunNode[] })[] = [];
  let run = '';
  for (const line of said.split('\n')) {
    const [, word, rest = ''] = /^(run|owner|node) (.*)$/.exec(line) ?? [];
    if (word === 'run') run = isRun(rest) ? rest : '';
    if (run === '') continue;
    if (word === 'owner')
      runs.push({ ...(ownerIn(rest) ?? nobody(run)), run, launcher: 'process', nodes: [] });
    if (word === 'node') {
      const [name = '', id = '', state = ''] = rest.split(' ');
      runs.at(-1)?.nodes.push({ name, id, state });
    }
  }
  return runs;
}

function ownerIn(text: string): Ownership | null {
  try {
    return fromLabels(JSON.parse(text) as Record<string, string>);
  } catch {
    return null;
  }
}

const nobody = (run: string): Ownership => ({
  ...{ run, topology: 'unreadable', file: '', started: '', owner: '', kept: true },
});

/** Ends a run and removes everything with its mark; the second time it does nothing. */
export async function removeRun(backend: Backend, run: Pick<Run, 'run' | 'launcher'>): Promise<void> {
  if (run.launcher === 'process')
    await answer(await backend.channel(['sh', '-c', REMOVE_RUN, 'sh', run.run]));
  await fromEngine(() => removeFrom(backend.docker, run));
}

async function removeFrom(
  docker: Dockerode,
  { run, launcher }: Pick<Run, 'run' | 'launcher'>,
): Promise<void> {
  if (launcher === 'process') return removeContainers(docker, `${LABEL.command}=${run}`);
  const mark = `${LABEL.run}=${run}`;
  await removeContainers(docker, mark);
  const volumes = volumesIn(await docker.listVolumes({ filters: { label: [mark] } }));
  await Promise.all(volumes.map((v) => docker.getVolume(v.Name).remove({ force: true }).catch(goneAlready)));
}

async function removeContainers(docker: Dockerode, label: string): Promise<void> {
  const containers = containersIn(await docker.listContainers({ all: true, filters: { label: [label] } }));
  await Promise.all(
    containers.map((c) => docker.getContainer(c.Id).remove({ force: true, v: true }).catch(goneAlready)),
  );
}

/** Removes the runs whose runners were killed; resolves with the others. */
export async function removeOrphans(backend: Backend, runs: readonly Run[]): Promise<readonly Run[]> {
  await Promise.all(runs.filter(isOrphan).map((run) => removeRun(backend, run)));
  return runs.filter((run) => !isOrphan(run));
}

/** Ignores the error if somebody else removed it, or is removing it. */
export function goneAlready(e: { statusCode?: number }): void {
  if (e.statusCode !== 404 && e.statusCode !== 409) throw e;
}
