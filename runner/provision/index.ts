// SPDX-License-Identifier: MIT
/** Makes a running lab of a plan: nodes started on a backend, connected, their kernel checked. */

import { dirname } from 'node:path';
import { wallClock } from '../common/clock.ts';
import { EnvironmentError } from '../common/errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Topology } from '../topology/topology.ts';
import type { Backend } from './backend.ts';
import type { Lab, NodeConnection } from './lab.ts';
import type { Ownership } from './labels.ts';
import { startProcesses } from './processes.ts';

export type Launcher = 'container' | 'process';

export interface ProvisionOptions {
  readonly backend: Backend;
  readonly launcher: Launcher;
  readonly owner: Ownership;
  readonly onNode: (name: string) => void;
}

/** Rejects with EnvironmentError or HostDied. What was started by then is marked with the run (see `removeRun`). */
export async function provision(plan: Plan, options: ProvisionOptions): Promise<Lab> {
  const { backend, launcher, owner, onNode } = options;
  const shared = {
    owner,
    onNode,
    nodes: plan.topology.nodes,
    busDirectories: busDirectories(plan.topology),
  };
  const nodes = await Promise.race([
    launcher === 'process'
      ? startProcesses({ ...shared, channel: backend.channel, agentOnHost: backend.agentOnHost })
      : startInEngine(backend, shared),
    backend.broken,
  ]);
  for (const node of nodes.values()) requireBus(node, backend);
  const where = { ...backend.where, launcher };
  return { run: owner.run, where, clock: wallClock, nodes, broken: backend.broken };
}

/** testcontainers reads its engine from the environment only once, so this is set before the first import. */
async function startInEngine(
  backend: Backend,
  shared: Omit<
    Parameters<typeof import('./containers.ts').startContainers>[0],
    'docker' | 'image' | 'mounts'
  >,
): Promise<Map<string, NodeConnection>> {
  Object.assign(process.env, backend.environment, { TESTCONTAINERS_RYUK_DISABLED: 'true' });
  const { startContainers } = await import('./containers.ts');
  return startContainers({ ...shared, docker: backend.docker, image: backend.image, mounts: backend.mounts });
}

/** A folder comes before those in it: what is mounted over it later would hide them. */
function busDirectories({ buses, messageBuses }: Topology): readonly string[] {
  const paths = [...buses, ...(messageBuses?.buses ?? [])].map(({ path }) => path);
  return [...new Set(paths.filter((path) => !path.startsWith('@')).map((path) => dirname(path)))].sort();
}

function requireBus(node: NodeConnection, backend: Backend): void {
  if (!('missing' in node.hello.bus)) return;
  throw new EnvironmentError(
    `the kernel under node "${node.name}" (${node.hello.kernel}) has no AF_BUS: ${node.hello.bus.missing}`,
    backend.where.backend === 'docker'
      ? 'load the module there ("make -C kernel", then insmod build/kernel/<release>/af_bus.ko), or use --backend vm'
      : 'run "afbus-topo host clean" and try again',
  );
}
