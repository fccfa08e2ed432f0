// SPDX-License-Identifier: MIT
/** Faults in different branches of `parallel` that cannot both do what they say, whichever comes first. */
import type { Scope } from './scope.ts';
import type { FaultAction, FaultStep, Step } from './topology.ts';

/** Points out the second of two such faults. Within a branch there is an order, and the world has followed it. */
export function checkTogether(scope: Scope, branches: readonly (readonly Step[])[]): void {
  const faults = branches.flatMap((branch, b) => faultsOf(branch).map((step) => ({ step, b })));
  const first = new Map<string, { step: FaultStep; b: number }>();
  const all = faults.map(({ step }) => step.action);
  for (const { step, b } of faults) {
    const once = onceOnly(scope, step.action, all);
    if (once === undefined) continue;
    const other = first.get(once.what);
    if (other === undefined) first.set(once.what, { step, b });
    else if (other.b !== b)
      tell(scope, step, `${once.message} in another branch, at line ${other.step.place.line}`);
  }
}

function tell({ paths, problems }: Scope, { id, action }: FaultStep, message: string): void {
  // Those of a node that is killed are steps that the file does not have.
  const own = paths.get(id);
  const path = own
    ? [...own, 'fault', action.fault]
    : [...(paths.get(id.replace(/\.b\d+\.\d+$/, '')) ?? []), 'fault'];
  const hint = 'Only one of them can be done, whichever comes first: remove the other.';
  problems.error(path, { code: 'impossible', message, hint });
}

const faultsOf = (steps: readonly Step[]): FaultStep[] =>
  steps.flatMap((step) => {
    if (step.kind === 'parallel') return step.branches.flatMap(faultsOf);
    return step.kind === 'fault' ? [step] : [];
  });

interface Once {
  /** The same for all faults of which one can be done. */
  readonly what: string;
  readonly message: string;
}

/** What can be done once; undefined where something else in the step may make room for a second time. */
function onceOnly(scope: Scope, action: FaultAction, all: readonly FaultAction[]): Once | undefined {
  switch (action.fault) {
    case 'kill':
    case 'stop': {
      const { target } = action;
      const name = target.kind === 'client' ? target.name : `${target.bus}.master`;
      return { what: `end ${name}`, message: `"${name}" is ended` };
    }
    case 'leave':
      return { what: `leave ${action.bus}`, message: `the master of bus "${action.bus}" leaves` };
    case 'expel':
      return { what: `expel ${action.client}`, message: `"${action.client}" is expelled` };
    case 'join':
      return { what: `join ${action.client}`, message: `"${action.client}" joins` };
    case 'add-address': {
      const bus = scope.clients.get(action.client)?.bus;
      if (all.some((other) => frees(other, action.address))) return undefined;
      return { what: `add ${bus} ${action.address}`, message: `${action.address} is given away` };
    }
    case 'del-address': {
      const { client, address } = action;
      const back = all.some((other) => other.fault === 'add-address' && other.address === address);
      return back ? undefined : { what: `del ${client} ${address}`, message: `${address} is taken away` };
    }
    default:
      return undefined;
  }
}

/** It is taken from somebody, or somebody goes who may hold it. */
function frees(action: FaultAction, address: string): boolean {
  if (action.fault === 'del-address') return action.address === address;
  return ['kill', 'stop', 'expel'].includes(action.fault);
}
