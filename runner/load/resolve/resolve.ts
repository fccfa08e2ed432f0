// SPDX-License-Identifier: MIT
/** Values as written → topology: names looked up, replicas expanded, addresses given, steps in order. */
import { basename } from 'node:path';
import type { LauncherSpec, Topology } from '../../topology/topology.ts';
import type { Problems } from '../diagnostic/index.ts';
import { type Combination, nameOfCombination, type Tree } from '../yaml/index.ts';
import { budgetsOf } from './budgets.ts';
import { resolveBuses, resolveGroups } from './buses.ts';
import { resolveClients } from './clients.ts';
import { Deliveries } from './deliveries.ts';
import { Names } from './names.ts';
import { resolveNodes } from './nodes.ts';
import { PartyState } from './party-state.ts';
import type { Scope, Written } from './scope.ts';
import type { CheckParallel } from './step-context.ts';
import { resolveSteps } from './steps.ts';
import type { Tally } from './tally.ts';

/** A topology, and what was known when it was made: the checks go on from there. */
export interface Resolved {
  readonly scope: Scope;
  readonly topology: Topology;
  readonly deliveries: Deliveries;
}

/** Whatever is wrong is told to `problems`; the topology then is what could be made of the rest. */
export function resolve(
  tree: Tree,
  problems: Problems,
  written: Written,
  combination: Combination,
  checkParallel: CheckParallel,
  tally: Tally,
): Resolved {
  const names = new Names(problems);
  const scope: Scope = {
    written,
    tree,
    problems,
    names,
    tally,
    buses: new Map(),
    groups: new Map(),
    clients: new Map(),
    messageBuses: new Map(),
    dbusClients: new Map(),
    killed: new Map(),
    budgets: [],
    incarnation: (name) => names.incarnation(name),
    startAgain: (name) => names.startAgain(name),
    paths: new Map(),
    reasons: new Map(),
  };
  const nodes = resolveNodes(scope);
  resolveBuses(scope, nodes);
  resolveGroups(scope);
  resolveClients(scope, nodes);
  const deliveries = new Deliveries(scope);
  const steps = resolveSteps(scope, {
    world: PartyState.start(scope.clients.values(), scope.buses.keys()),
    deliveries,
    checkParallel,
  });
  const lines = deliveries.finish();
  if (!problems.isBroken(['expect'])) scope.budgets.push(...budgetsOf(scope, written.expect, ['expect']));
  const combined = Object.keys(combination).length > 0;
  const name = written.name ?? nameOf(tree.file);
  const topology: Topology = {
    name: combined ? `${name}.${nameOfCombination(combination, '.')}` : name,
    ...(combined && { combination }),
    ...(written.description === undefined ? {} : { description: written.description }),
    file: tree.file,
    nodes: nodes.list,
    buses: [...scope.buses.values()],
    groups: [...scope.groups.values()],
    clients: [...scope.clients.values()],
    ...(scope.messageBuses.size > 0 && {
      messageBuses: { buses: [...scope.messageBuses.values()], clients: [...scope.dbusClients.values()] },
    }),
    steps,
    deliveries: lines,
    budgets: scope.budgets,
    ...(written.launcher !== undefined &&
      !problems.isBroken(['launcher']) && { launcher: launcherOf(written.launcher) }),
  };
  return { scope, topology, deliveries };
}

const launcherOf = (written: NonNullable<Written['launcher']>): LauncherSpec =>
  typeof written === 'string' ? { kind: written } : { kind: 'process', pack: written.process.pack };

/** `topologies/two-buses.topo.yaml` → `two-buses` */
function nameOf(file: string): string {
  const base = basename(file).replace(/(\.topo)?\.ya?ml$/, '');
  return (
    base
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^[^a-z]+|-+$/g, '') || 'topology'
  );
}
