// SPDX-License-Identifier: MIT
/** Turns written values into a topology: looks up names, expands replicas, assigns addresses, puts steps in order. */
import { basename } from 'node:path';
import type { LauncherSpec, Topology } from '../../topology/topology.ts';
import { type Combination, nameOfCombination } from '../yaml/index.ts';
import { budgetsOf } from './budgets.ts';
import { resolveBuses, resolveGroups } from './buses.ts';
import { resolveClients } from './clients.ts';
import { Deliveries } from './deliveries.ts';
import { checkServices } from './message-bus/parties.ts';
import { Names } from './names.ts';
import { resolveNodes } from './nodes.ts';
import { PartyState } from './party-state.ts';
import type { Given, Scope, Written } from './scope.ts';
import type { CheckParallel } from './step-context.ts';
import { resolveSteps } from './steps.ts';

/** A topology, and what was found out while it was made, for the checks. */
export interface Resolved {
  readonly scope: Scope;
  readonly topology: Topology;
  readonly deliveries: Deliveries;
}

/** Reports everything that is wrong to `problems`; then the topology is what could be made of the rest. */
export function resolve(given: Given, combination: Combination, checkParallel: CheckParallel): Resolved {
  const scope = scopeOf(given);
  const { written, problems } = given;
  const nodes = resolveNodes(scope);
  resolveBuses(scope, nodes);
  resolveGroups(scope);
  resolveClients(scope, nodes);
  checkServices(scope);
  const deliveries = new Deliveries(scope);
  const steps = resolveSteps(scope, {
    parties: PartyState.start(scope.clients.values(), scope.buses.keys()),
    deliveries,
    checkParallel,
  });
  const lines = deliveries.finish();
  if (!problems.isBroken(['expect'])) scope.budgets.push(...budgetsOf(scope, written.expect, ['expect']));
  const topology: Topology = {
    ...headOf(given, combination),
    nodes: nodes.list,
    ...partiesIn(scope),
    steps,
    deliveries: lines,
    budgets: scope.budgets,
    ...(written.launcher !== undefined &&
      !problems.isBroken(['launcher']) && { launcher: launcherOf(written.launcher) }),
  };
  return { scope, topology, deliveries };
}

/** The scope before anything is resolved. */
function scopeOf(given: Given): Scope {
  const names = new Names(given.problems);
  return {
    ...given,
    names,
    buses: new Map(),
    groups: new Map(),
    clients: new Map(),
    messageBuses: new Map(),
    dbusClients: new Map(),
    programs: new Map(),
    runs: new Map(),
    away: new Map(),
    rested: new Set(),
    budgets: [],
    taken: new Set(),
    incarnation: (name) => names.incarnation(name),
    startAgain: (name) => names.startAgain(name),
    paths: new Map(),
    reasons: new Map(),
  };
}

function headOf(
  { written, tree: { file } }: Given,
  combination: Combination,
): Pick<Topology, 'name' | 'combination' | 'description' | 'file'> {
  const combined = Object.keys(combination).length > 0;
  const name = written.name ?? nameOf(file);
  return {
    name: combined ? `${name}.${nameOfCombination(combination, '.')}` : name,
    ...(combined && { combination }),
    ...(written.description === undefined ? {} : { description: written.description }),
    file,
  };
}

function partiesIn({
  buses,
  groups,
  clients,
  messageBuses,
  dbusClients,
  programs,
}: Scope): Pick<Topology, 'buses' | 'groups' | 'clients' | 'messageBuses'> {
  return {
    buses: [...buses.values()],
    groups: [...groups.values()],
    clients: [...clients.values()],
    ...(messageBuses.size > 0 && {
      messageBuses: {
        buses: [...messageBuses.values()],
        clients: [...dbusClients.values()],
        programs: [...programs.values()],
      },
    }),
  };
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
