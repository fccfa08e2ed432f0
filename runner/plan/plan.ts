// SPDX-License-Identifier: MIT
/** The plan: a topology turned into processes, sockets and numbered messages. Pure data, no run-time facts. */

import type { Contradictions, Operations, Prediction } from '../predict/index.ts';
import type { Lane } from '../topology/lane.ts';
import type { Place, Sender, Topology, User } from '../topology/topology.ts';

export { type DbusExpected, expectedText, type Operation } from '../predict/index.ts';
export type { Contradictions };

/** One process: `<bus>.master` or a client's name. */
export interface AgentPlan {
  readonly name: string;
  readonly node: string;
  readonly role: 'master' | 'client';
  readonly bus: string;
  readonly user: User;
  /** Agents of one pack share a process. */
  readonly pack?: string;
  /** Started by a step. */
  readonly startedByStep?: boolean;
}

/**
 * What must happen to a message. Where the file does not say it the model does, with its reason; of sends that play at
 * the same time it may allow more than one outcome.
 */
export type Expected = (
  | {
      readonly kind: 'delivered';
      readonly lanes: readonly Lane[];
      /** Copies that are right, and right to be missing. */
      readonly may?: readonly Lane[];
    }
  | { readonly kind: 'error'; readonly errno: string }
) & {
  /** Errnos that are right as well. */
  readonly or?: readonly string[];
  /** The rules of the contract that the model has it from; absent where the file says it. */
  readonly because?: string;
  /** Why the model says that it cannot be so, where the file says it and the model knows better. */
  readonly contradictedBy?: string;
};

/** One message on the wire; its `number` is in its envelope and is its place in `Plan.messages`. */
export interface PlannedMessage {
  readonly number: number;
  /** For people: the step's `as` (with `#n` when it sends several), else `<sender>#<n>` with n counted per sender. */
  readonly name: string;
  /** The step's id. */
  readonly step: string;
  readonly from: Sender;
  /** Bytes, envelope included. */
  readonly length: number;
  readonly fds: number;
  readonly expected: Expected;
  /** Bytes that filters leave of it, at the lanes where that is not all of it; absent where it is everywhere. */
  readonly cuts?: ReadonlyMap<Lane, number>;
  /** Descriptors that come with it, at the lanes where that may be fewer: each number that is right. */
  readonly fdsAt?: ReadonlyMap<Lane, readonly number[]>;
  readonly place: Place;
}

export interface Plan {
  readonly topology: Topology;
  /** Makes bodies and sizes; printed with the verdict, so that a run can be played again. */
  readonly seed: number;
  readonly agents: readonly AgentPlan[];
  readonly messages: readonly PlannedMessage[];
  /** Step id → numbers of its messages: first and count, consecutive. */
  readonly messagesOf: ReadonlyMap<string, { readonly first: number; readonly count: number }>;
  /** What the model expects, for those who must know more of it than `Expected` tells. */
  readonly prediction: Prediction;
  /** What clients of message buses send, and what must come of it; absent if the file has no such bus. */
  readonly operations?: Operations;
  /** What it says against expectations of the file. */
  readonly contradictions: Contradictions;
}
