// SPDX-License-Identifier: MIT
/** The verdict: the one result object that every report is written from. */

import type { Diagnostic } from '../common/diagnostic.ts';
import type { Where } from '../provision/where.ts';
import type { Place } from '../topology/topology.ts';

export type Result = 'pass' | 'fail' | 'error' | 'skip';

/** The names of docs/topology.md, "The checks". */
export type CheckName =
  | 'recipients'
  | 'integrity'
  | 'errors'
  | 'order.total'
  | 'order.fifo'
  | 'order.causal'
  | 'blocked'
  | 'lifetime'
  /** Only where the file sets limits. */
  | 'budget'
  /** Only if the file has a message bus of D-Bus. */
  | 'dbus.signals'
  | 'dbus.replies'
  | 'dbus.names'
  | 'dbus.order'
  | 'kernel';

export interface Failure {
  readonly check: CheckName;
  /** What went wrong in one stable word (`lost`, `duplicated`, `wrong-errno`): for programs. */
  readonly kind: string;
  /** One sentence: what is wrong. */
  readonly summary: string;
  readonly expected: string;
  readonly observed: string;
  /** The step's id and its place in the YAML, where the failure belongs to one. */
  readonly step?: string;
  readonly place?: Place;
  /** PlannedMessage.name */
  readonly message?: string;
  /** A witness in a few lines: neighbours of a lost message, the two orders that contradict. */
  readonly detail?: readonly string[];
  /** Failures of the same kind and step that this one stands for, itself included. */
  readonly alike: number;
}

export interface CheckResult {
  readonly name: CheckName;
  /** `skip` with `reason` where there was nothing to check; never silently pass. */
  readonly result: 'pass' | 'fail' | 'skip';
  /** Things checked, and what they are (`12000 deliveries`). */
  readonly checked: number;
  readonly unit: string;
  readonly reason?: string;
  /** Everything found, each of `alike` counted; 0 unless `result` is `fail`. */
  readonly failed: number;
  /** Worst first, one a kind and step, at most 10. */
  readonly failures: readonly Failure[];
  /** Seen, but neither right nor wrong: copies that nobody read, warnings of other parts of the kernel. */
  readonly notes?: readonly string[];
}

/** What the checks say together: `skip`, with the reason, if the run delivered nothing, or a fault met no message, and so proves nothing. */
export interface Judgement {
  readonly result: 'pass' | 'fail' | 'skip';
  readonly reason?: string;
  /** What happened that no check counts as wrong, in numbers: failed sends, evictions, default routes. */
  readonly account: readonly string[];
  readonly checks: readonly CheckResult[];
}

export interface Verdict {
  readonly schemaVersion: 1;
  readonly result: Result;
  readonly topology: string;
  readonly file: string;
  readonly run: string;
  readonly seed: number;
  readonly where: Where;
  readonly checks: readonly CheckResult[];
  readonly counts: {
    readonly sends: number;
    readonly deliveries: number;
    readonly clients: number;
    readonly nodes: number;
  };
  /** Stage → seconds. */
  readonly timings: Readonly<Record<string, number>>;
  /** What happened that no check counts as wrong, a line each; absent if that is nothing. */
  readonly account?: readonly string[];
  /** Why the result is `error` or `skip`. */
  readonly reason?: string;
  /** What the file was warned of before anything was started; absent where that is nothing. */
  readonly warnings?: readonly Diagnostic[];
}
