// SPDX-License-Identifier: MIT
/**
 * What all faults need: where they stand in the file, whether their party still exists, and how they change the
 * parties.
 */

import type { Path } from '../../../common/diagnostic.ts';
import type { FaultAction } from '../../../topology/faults.ts';
import type { Change, ClientState, MasterState, PartyState } from '../party-state.ts';
import type { Scope, WrittenFault } from '../scope.ts';
import type { StepContext } from '../step-context.ts';

export interface Context {
  readonly scope: Scope;
  readonly parties: PartyState;
  /** Path of the target. */
  readonly path: Path;
  readonly line: number;
}

export interface Done {
  readonly action: FaultAction;
  readonly change: Change;
}

/** Resolves a written fault for its target; reports an error and returns undefined if it cannot be carried out. */
export type Resolver = (context: Context, target: string, written: WrittenFault) => Done | undefined;

export const contextOf = ({ scope, parties, path }: StepContext, verb: string): Context => ({
  scope,
  parties,
  path: [...path, 'fault', verb],
  line: scope.tree.place(path).line,
});

/** What to do if an earlier step has ended the party. */
export const TOO_LATE = 'Put this fault before that step, or remove it.';

/** The client's state. Reports an error if its process has ended, or if it must be on its bus and is not. */
export function needClient(
  context: Context,
  name: string,
  need: 'attached' | 'running',
): ClientState | undefined {
  if (context.scope.names.find(name, ['client'], context.path) === undefined) return undefined;
  const state = context.parties.client(name);
  const runs = state?.gone?.how === 'expelled' || state?.gone?.how === 'disconnected';
  if (state?.gone !== undefined && !(runs && need === 'running'))
    return impossible(context, `"${name}" was ${state.gone.how} at line ${state.gone.line}`, TOO_LATE);
  return state;
}

/** The state of the bus's master. Reports an error if the master is gone. */
export function needMaster(context: Context, bus: string): MasterState | undefined {
  const state = context.parties.master(bus);
  if (state?.gone === undefined) return state;
  const { how, line } = state.gone;
  const was = how === 'left' ? 'left' : `was ${how}`;
  return impossible(context, `the master of bus "${bus}" ${was} at line ${line}`, TOO_LATE);
}

/** Changes the state of one client. */
export const change =
  (client: string, patch: Partial<ClientState>): Change =>
  (parties) => {
    Object.assign(parties.client(client) ?? {}, patch);
  };

/** Reports a fault that cannot be carried out. It is left out, or later steps would be blamed for its effects. */
export function impossible({ scope, path }: Context, message: string, hint: string | undefined): undefined {
  scope.problems.error(path, { code: 'impossible', message, hint });
}

/** Reports a fault that changes nothing. It is played all the same. */
export function vacuous({ scope, path }: Context, message: string): void {
  scope.problems.warning(path, {
    code: 'vacuous',
    message: `${message}: this changes nothing`,
    hint: 'Remove it.',
  });
}

/** Whether its process has ended. */
export const isDead = (state: ClientState | MasterState | undefined): boolean =>
  state?.gone?.how === 'killed' || state?.gone?.how === 'stopped';
