// SPDX-License-Identifier: MIT
/**
 * The `process` launcher: each node is a process tree of the AF_BUS host with mount and pid namespaces of its own.
 *
 * The nodes of a run share one named network namespace, and directories under /run/afbus-topo/RUN that are bind-mounted
 * over the directories of the bus paths. A file there names the owner of the run, for `ps` and `down`.
 */
import type { NodeSpec } from '../topology/topology.ts';
import type { Backend } from './backend.ts';
import { connectNode } from './connection.ts';
import { reaping } from './first-process.ts';
import type { NodeConnection } from './lab.ts';
import { type Ownership, toLabels } from './labels.ts';

export const RUNS = '/run/afbus-topo';

export interface ProcessNodes {
  readonly channel: Backend['channel'];
  readonly agentOnHost: Backend['agentOnHost'];
  readonly owner: Ownership;
  readonly nodes: readonly NodeSpec[];
  readonly busDirectories: readonly string[];
  readonly onNode: (name: string) => void;
}

/** Starts every node and waits until each said hello. */
export async function startProcesses(lab: ProcessNodes): Promise<Map<string, NodeConnection>> {
  const agent = await lab.agentOnHost();
  const started = await Promise.allSettled(lab.nodes.map((node) => startNode(lab, node, agent)));
  const failed = started.find((s) => s.status === 'rejected');
  if (failed) throw failed.reason;
  return new Map(
    started.map((s, i) => [lab.nodes[i]?.name ?? '', (s as PromiseFulfilledResult<NodeConnection>).value]),
  );
}

async function startNode(lab: ProcessNodes, node: NodeSpec, agent: string): Promise<NodeConnection> {
  const stream = await lab.channel(['sh', '-c', script(lab, node, agent), node.name]);
  const connection = await connectNode(node.name, { input: stream, output: stream });
  lab.onNode(node.name);
  return connection;
}

/** Any node may be the first and make what the run shares, so each command does no harm if another node was faster. */
function script(lab: ProcessNodes, node: NodeSpec, agent: string): string {
  const { run } = lab.owner;
  const home = `${RUNS}/${run}`;
  const labels = JSON.stringify(toLabels(lab.owner));
  const binds = lab.busDirectories.map(
    (to, i) => `mkdir -p ${quote(to)} && mount --bind ${home}/bus${i} ${quote(to)}`,
  );
  // The new network namespace has its own /sys, without cgroups.
  const inside = reaping(
    ['mount -t cgroup2 cgroup /sys/fs/cgroup', ...binds, `${agent} node ${node.name}`].join(' && '),
  );
  const env = Object.entries(node.env).map(([k, v]) => quote(`${k}=${v}`));
  return [
    `mkdir -p ${lab.busDirectories.map((_, i) => `${home}/bus${i}`).join(' ') || home}`,
    `(flock 9; [ -s ${home}/owner ] || { printf %s ${quote(labels)} > ${home}/owner && ip netns add afbus-${run}; }) 9> ${home}/lock`,
    `echo $$ > ${home}/${node.name}.pid`,
    `exec env ${env.join(' ')} ip netns exec afbus-${run} unshare --mount --pid --fork --kill-child --mount-proc sh -c ${quote(inside)}`,
  ].join(' && ');
}

/** Ends every process of the run and removes what it left; does nothing if nothing is left. */
export const REMOVE_RUN = `
for pid in $(cat ${RUNS}/$1/*.pid 2>/dev/null); do kill -9 "$pid" 2>/dev/null; done
ip netns pids "afbus-$1" 2>/dev/null | xargs -r kill -9 2>/dev/null
ip netns delete "afbus-$1" 2>/dev/null
rm -rf "${RUNS}/$1"`;

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
