// SPDX-License-Identifier: MIT
/** What is done to all processes of a node. */
import { masterOf } from '../../../topology/lane.ts';
import type { FaultStep, Step } from '../../../topology/topology.ts';
import type { Scope } from '../scope.ts';
import type { StepContext } from '../step-context.ts';
import { contextOf, impossible, isDead } from './context.ts';
import { resolveFault } from './simple.ts';

/** All at once: a branch for each. */
export function killNode(where: StepContext, node: string): Step[] {
  const { scope, world, id, path } = where;
  const context = contextOf(where, 'kill-node');
  const masters = [...scope.buses.values()].filter(({ master }) => master.node === node);
  const clients = [...scope.clients.values()].filter((client) => client.node === node);
  // A node that is made up has no name in the file, but whatever runs on it has.
  const madeUp = scope.written.nodes === undefined ? nodesOf(scope) : [];
  if (!madeUp.includes(node) && scope.names.find(node, ['node'], context.path, madeUp) === undefined)
    return [];
  const alive = [
    ...masters.filter(({ name }) => !isDead(world.master(name))).map(({ name }) => masterOf(name)),
    ...clients.filter(({ name }) => !isDead(world.client(name))).map(({ name }) => name),
  ];
  if (alive.length === 0) impossible(context, `nothing lives on node "${node}"`);
  const branches = alive.flatMap((party, n): FaultStep[][] => {
    const step = resolveFault({ ...where, id: `${id}.b${n + 1}.1` }, { kill: party });
    return step === undefined ? [] : [[step]];
  });
  return [{ kind: 'parallel', id, branches, place: scope.tree.place(path) }];
}

const nodesOf = ({ buses, clients }: Scope): string[] => [
  ...new Set([
    ...[...buses.values()].map(({ master }) => master.node),
    ...[...clients.values()].map(({ node }) => node),
  ]),
];
