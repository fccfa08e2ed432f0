// SPDX-License-Identifier: MIT
/** What a run is written down as, and what comes of it. */

import type { Arg } from '../../../../runner/dbus/index.ts';
import type { Plan } from '../../../../runner/plan/plan.ts';
import type { Prediction } from '../../../../runner/predict/index.ts';
import type { Lane } from '../../../../runner/topology/lane.ts';
import type { Destination, Step } from '../../../../runner/topology/topology.ts';
import type { DeliveryEvent, SendEvent, Trace } from '../../../../runner/trace/trace.ts';

/** Traces are there to be damaged. */
export type Mutable<T> = T extends Uint8Array | Arg | Prediction
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? Map<K, Mutable<V>>
    : T extends object
      ? { -readonly [P in keyof T]: Mutable<T[P]> }
      : T;
export type OpenTrace = Mutable<Omit<Trace, 'deliveries'>> & { deliveries: Map<Lane, OpenDelivery[]> };
export type OpenDelivery = Mutable<DeliveryEvent>;
export type OpenSend = Mutable<SendEvent>;

export interface Run {
  readonly plan: Mutable<Plan>;
  readonly trace: OpenTrace;
}

export interface Party {
  readonly name: string;
  readonly bus?: string;
  readonly node?: string;
  readonly join?: boolean;
  readonly eavesdrop?: boolean;
  readonly groups?: readonly string[];
  readonly receive?: 'auto' | 'manual';
}

export interface Sent {
  readonly name: string;
  /** A client, or `<bus>.master`. */
  readonly from: string;
  /** Lanes that must get it. */
  readonly to: readonly string[];
  readonly destination?: Destination;
  readonly t0: number;
  readonly t1?: number;
  readonly error?: string;
  readonly expectedError?: string;
  readonly fds?: number;
  /** Messages of one step follow each other. */
  readonly step?: string;
}

export interface Got {
  readonly name: string;
  readonly t: number;
  readonly sequence?: number;
}

export interface Story {
  readonly clients: readonly Party[];
  readonly sent: readonly Sent[];
  /** Lane → what it got; names that begin with `fence` are fences. */
  readonly lanes: Readonly<Record<string, readonly Got[]>>;
  /** Steps other than sends, behind them. */
  readonly steps?: readonly Step[];
}
