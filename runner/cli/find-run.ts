// SPDX-License-Identifier: MIT
/** Finds runs by name on all backends that are up. */

import { InvalidInput } from '../common/errors.ts';
import type { Backend } from '../provision/backend.ts';
import { runningBackends } from '../provision/choose.ts';
import { listRuns, type Run, type RunNode } from '../provision/runs.ts';

export interface Found {
  readonly backend: Backend;
  readonly run: Run;
}

/** Calls `use` with all runs, and releases the backends afterwards. */
export async function withRuns<T>(use: (found: readonly Found[]) => Promise<T>): Promise<T> {
  const backends = await runningBackends();
  try {
    const runs = await Promise.all(
      backends.map(async (backend) => (await listRuns(backend)).map((run) => ({ backend, run }))),
    );
    return await use(runs.flat());
  } finally {
    for (const backend of backends) backend.release();
  }
}

/** The newest run with that name or run id. */
export function pick(found: readonly Found[], name: string): Found {
  const match = found.filter(({ run }) => run.topology === name || run.run === name).at(-1);
  if (match) return match;
  const names = [...new Set(found.map(({ run }) => run.topology))];
  throw new InvalidInput(
    `nothing called "${name}" is up`,
    names.length ? `up now: ${names.join(', ')}` : 'nothing is up; start with "afbus-topo up FILE"',
  );
}

export function pickNode({ run }: Found, name: string): RunNode {
  const node = run.nodes.find((n) => n.name === name);
  if (node) return node;
  throw new InvalidInput(
    `"${run.topology}" has no node "${name}"`,
    `its nodes: ${run.nodes.map((n) => n.name).join(', ')}`,
  );
}

/** The node; throws unless commands can run in it. */
export function pickRunning(found: Found, name: string): RunNode {
  const node = pickNode(found, name);
  if (node.state === 'running') return node;
  const { topology } = found.run;
  throw new InvalidInput(
    `node "${name}" of "${topology}" is ${node.state}: no command can run in it`,
    `"afbus-topo logs ${topology}" shows what it wrote; "afbus-topo up --replace FILE" starts it again`,
  );
}
