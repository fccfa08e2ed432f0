// SPDX-License-Identifier: MIT
/** Faults that affect all processes of a node. */
import { partyOf } from '../../../topology/lane.ts';
import type { FaultStep, Sender, Step } from '../../../topology/topology.ts';
import type { ClientState, MasterState, PartyState } from '../party-state.ts';
import type { Scope } from '../scope.ts';
import type { StepContext } from '../step-context.ts';
import { type Context, contextOf, impossible, isDead } from './context.ts';
import { resolveFault } from './simple.ts';

type State = ClientState | MasterState | undefined;
type NodeVerb = 'kill' | 'pause' | 'resume';

/** For each verb: which of the living processes it affects, and what to report if a node has none of them. */
const SUBJECTS: Readonly<
  Record<NodeVerb, { readonly is: (state: State) => boolean; readonly none: string }>
> = {
  kill: { is: () => true, none: 'nothing runs' },
  pause: { is: (state) => state?.paused === undefined, none: 'nothing runs' },
  resume: { is: (state) => state?.paused !== undefined, none: 'nothing is paused' },
};

/** Affects every process of the node at once: one branch of a `parallel` per process. */
const onNode =
  (verb: NodeVerb) =>
  (where: StepContext, node: string): Step[] => {
    const { scope, parties, id, path } = where;
    const context = contextOf(where, `${verb}-node`);
    if (!isNode(scope, node, context)) return [];
    const { is, none } = SUBJECTS[verb];
    const concerned = partiesOn(scope, node).filter((party) => {
      const state = parties.party(party);
      // A concurrent branch may pause or resume the party before this step.
      return !isDead(state) && (parties.concurrent || is(state));
    });
    if (concerned.length === 0) impossible(context, `${none} on node "${node}"`, 'Remove this fault.');
    const branches = concerned.flatMap((party, n): FaultStep[][] => {
      const step = resolveFault({ ...where, id: `${id}.b${n + 1}.1` }, { [verb]: partyOf(party) });
      return step === undefined ? [] : [[step]];
    });
    if (verb === 'pause') parties.apply((each) => pauseWith(each, node, concerned));
    return [{ kind: 'parallel', id, branches, place: scope.tree.place(path) }];
  };

/** Notes that these go on with their node. */
function pauseWith(parties: PartyState, node: string, concerned: readonly Sender[]): void {
  for (const party of concerned) {
    const state = parties.party(party);
    if (state?.paused !== undefined) state.paused = { ...state.paused, node };
  }
}

export const nodes = {
  'kill-node': onNode('kill'),
  'pause-node': onNode('pause'),
  'resume-node': onNode('resume'),
} as const;

/** The masters of the node, then its clients, each in file order. */
const partiesOn = ({ buses, clients }: Scope, node: string): Sender[] => [
  ...[...buses.values()]
    .filter(({ master }) => master.node === node)
    .map(({ name }): Sender => ({ kind: 'master', bus: name })),
  ...[...clients.values()]
    .filter((client) => client.node === node)
    .map(({ name }): Sender => ({ kind: 'client', name })),
];

/**
 * Reports a name that is no node. If the file names no nodes, it has no names for them, only for the parties on them.
 */
function isNode(scope: Scope, node: string, { path }: Context): boolean {
  const madeUp = scope.written.nodes === undefined ? nodesOf(scope) : [];
  return madeUp.includes(node) || scope.names.find(node, ['node'], path, madeUp) !== undefined;
}

const nodesOf = ({ buses, clients }: Scope): string[] => [
  ...new Set([
    ...[...buses.values()].map(({ master }) => master.node),
    ...[...clients.values()].map(({ node }) => node),
  ]),
];
