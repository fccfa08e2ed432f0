// SPDX-License-Identifier: MIT
/** Turns a written fault into one action, and applies it to the state of the parties. */
import type { Verb } from '../../../topology/faults.ts';
import type { FaultStep } from '../../../topology/topology.ts';
import type { WrittenFault } from '../scope.ts';
import type { StepContext } from '../step-context.ts';
import { contextOf, type Resolver } from './context.ts';
import { limits } from './limits.ts';
import { policies } from './policies.ts';
import { reading } from './reading.ts';
import { signals } from './signals.ts';

/** All verbs but `start`, which no file writes: it is a part of `restart`. */
const RESOLVERS: Readonly<Record<Exclude<Verb, 'start'>, Resolver>> = {
  ...signals,
  ...policies,
  ...reading,
  ...limits,
};

export function resolveFault(step: StepContext, fault: WrittenFault): FaultStep | undefined {
  const { scope, parties, id, path } = step;
  const verb = Object.keys(fault).find((key) => Object.hasOwn(RESOLVERS, key)) as keyof typeof RESOLVERS;
  const done = RESOLVERS[verb](contextOf(step, verb), String(fault[verb]), fault);
  if (done === undefined) return undefined;
  parties.apply(done.change);
  return { kind: 'fault', id, action: done.action, place: scope.tree.place(path) };
}
