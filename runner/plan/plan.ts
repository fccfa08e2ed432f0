// SPDX-License-Identifier: MIT
/** The plan: a topology turned into processes, sockets and numbered messages. Pure data, without any fact of a run. */

import type { Contradictions, Operations, Prediction } from '../predict/index.ts';
import type { Lane } from '../topology/lane.ts';
import type { Place, Sender, Topology, User } from '../topology/topology.ts';

export { type DbusExpected, expectedOf, expectedText, isAnswered, type Operation } from '../predict/index.ts';
export type { Contradictions };

/** One process: `<bus>.master` or a client's name. */
export interface AgentPlan {
  readonly name: string;
  readonly node: string;
  readonly role: 'master' | 'client';
  readonly bus: string;
  readonly user: User;
  /** Agents of the same pack share a process. */
  readonly pack?: string;
  /** A step starts it, not the runner. */
  readonly startedByStep?: boolean;
}

/**
 * What must happen to a message. What the file does not say comes from the model, with a reason. For concurrent sends
 * the model may allow several outcomes.
 */
export type Expected = (
  | {
      readonly kind: 'delivered';
      readonly lanes: readonly Lane[];
      /** Lanes that may or may not get a copy. */
      readonly may?: readonly Lane[];
    }
  | { readonly kind: 'error'; readonly errno: string }
) & {
  /** Other errnos that are right as well. */
  readonly or?: readonly string[];
  /** The rules of the contract from which the model derives this; absent if the file says it. */
  readonly because?: string;
  /** Anything is right: the model does not follow all that is possible. */
  readonly open?: true;
  /** Why the file's expectation cannot hold, according to the model. */
  readonly contradictedBy?: string;
};

/** One message that is sent. Its `number` is in its envelope and is its index in `Plan.messages`. */
export interface PlannedMessage {
  readonly number: number;
  /** For people: the step's `as` (with `#n` when it sends several), else `<sender>#<n>` with n counted per sender. */
  readonly name: string;
  /** The step's id. */
  readonly step: string;
  readonly from: Sender;
  /** Length in bytes, including the envelope. */
  readonly length: number;
  readonly fds: number;
  readonly expected: Expected;
  /** Bytes that filters leave of it, at lanes that get less than all; absent if there are none. */
  readonly cuts?: ReadonlyMap<Lane, number>;
  /** Numbers of descriptors that may arrive, at lanes where these may be fewer. */
  readonly fdsAt?: ReadonlyMap<Lane, readonly number[]>;
  readonly place: Place;
}

export interface Plan {
  readonly topology: Topology;
  /** Determines bodies and sizes; printed with the verdict, so that a run can be repeated. */
  readonly seed: number;
  readonly agents: readonly AgentPlan[];
  readonly messages: readonly PlannedMessage[];
  /** Step id → the numbers of its messages: the first, and how many. */
  readonly messagesOf: ReadonlyMap<string, { readonly first: number; readonly count: number }>;
  /** The whole prediction, for code that needs more than `Expected`. */
  readonly prediction: Prediction;
  /** What clients of message buses send, and what must come of it; absent if the file has no message bus. */
  readonly operations?: Operations;
  /** Expectations of the file that contradict the model. */
  readonly contradictions: Contradictions;
}
