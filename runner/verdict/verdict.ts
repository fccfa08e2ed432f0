// SPDX-License-Identifier: MIT
/** The verdict: the result object from which every report is written. */

import type { Diagnostic } from '../common/diagnostic.ts';
import type { Where } from '../provision/where.ts';
import type { Place } from '../topology/topology.ts';

export type Result = 'pass' | 'fail' | 'error' | 'skip';

/** The names of docs/topology.md, "The checks". */
export const CHECKS = [
  'recipients',
  'integrity',
  'errors',
  'order.total',
  'order.fifo',
  'order.causal',
  'blocked',
  'lifetime',
  /** Present only if the file sets limits. */
  'budget',
  /** Present only if the file has a message bus of D-Bus. */
  'dbus.signals',
  'dbus.replies',
  'dbus.names',
  'dbus.order',
  /** Present only if the file expects it to cut a client off, or if the run was cut and has no `lifetime`. */
  'dbus.lifetime',
  /** Present only if the file passes descriptors on it. */
  'dbus.fds',
  /** Present only if the file runs programs on it. */
  'dbus.programs',
  'kernel',
] as const;
export type CheckName = (typeof CHECKS)[number];

export interface Failure {
  readonly check: CheckName;
  /** What went wrong, as a stable word for programs (`lost`, `duplicated`, `wrong-errno`). */
  readonly kind: string;
  /** One sentence: what is wrong. */
  readonly summary: string;
  readonly expected: string;
  readonly observed: string;
  /** The step's id and its place in the YAML, if the failure belongs to a step. */
  readonly step?: string;
  readonly place?: Place;
  /** PlannedMessage.name */
  readonly message?: string;
  /** Proof in a few lines: neighbours of a lost message, the two orders that contradict each other. */
  readonly detail?: readonly string[];
  /** Number of failures of the same kind and step that this one stands for, including itself. */
  readonly alike: number;
}

export interface CheckResult {
  readonly name: CheckName;
  /** `skip`, with `reason`, if there was nothing to check: that never counts as a pass. */
  readonly result: 'pass' | 'fail' | 'skip';
  /** Number of things checked, and what they are (`12000 deliveries`). */
  readonly checked: number;
  readonly unit: string;
  readonly reason?: string;
  /** Number of all failures, including those that `alike` stands for; 0 unless `result` is `fail`. */
  readonly failed: number;
  /** Worst first, one per kind and step, at most 10. */
  readonly failures: readonly Failure[];
  /**
   * What was noticed but is neither right nor wrong: copies that nobody read, warnings of other parts of the kernel.
   */
  readonly notes?: readonly string[];
}

/**
 * The result of all checks together. It is `skip`, with a reason, if the run proves nothing: no delivery, or a fault
 * that met no message.
 */
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
  /** What happened that no check counts as wrong, one line each; absent if there is nothing. */
  readonly account?: readonly string[];
  /** Why the result is `error` or `skip`. */
  readonly reason?: string;
  /** Warnings about the file, before anything was started; absent if there are none. */
  readonly warnings?: readonly Diagnostic[];
}
