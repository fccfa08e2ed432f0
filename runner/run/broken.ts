// SPDX-License-Identifier: MIT
/** The errors that end a run before its last step. */

import type { NodeReport } from '../agent/protocol.ts';
import type { Deadline } from '../common/deadline.ts';
import { AgentCrashed, EnvironmentError, Interrupted, RunTimeout } from '../common/errors.ts';
import type { Step } from '../topology/topology.ts';
import { OrderFailed } from './order-failed.ts';
import type { Purpose } from './waits.ts';

type Exit = Extract<NodeReport, { say: 'exit' }>;

const MAX_NAMED = 6;

/** An agent ended, and nobody asked it to. */
export function crashed(node: string, exit: Exit, stderr: readonly string[]): AgentCrashed {
  const how =
    exit.error !== undefined
      ? `could not be started: ${exit.error}`
      : exit.signal
        ? `was killed by ${exit.signal}`
        : `ended by itself with code ${exit.code}`;
  return new AgentCrashed(
    `the process of ${exit.agent} on node "${node}" ${how}`,
    stderr.length > 0 ? 'its last lines are above' : 'it said nothing; look at the kernel log of the host',
    { lines: stderr },
  );
}

export const nodeEnded = (node: string, why: string): EnvironmentError =>
  new EnvironmentError(
    `node "${node}" ended during the run: ${why}`,
    'see "afbus-topo doctor"; "afbus-topo host logs" shows what its kernel said',
  );

/** A node said something that is impossible: it is not our agent, or one of another release. */
export const violated = (node: string, cause: Error): EnvironmentError =>
  new EnvironmentError(
    `node "${node}" broke the protocol of the agents: ${cause.message}`,
    'run "afbus-topo host stop" and try again: the next host is a fresh one',
    { cause },
  );

/** The deadline passed: names the steps in progress, and what each of them was waiting for. */
export function timedOut(deadline: Deadline, waits: readonly Purpose[]): RunTimeout {
  return new RunTimeout(
    `${deadline.total / 1000} s have passed; ${waitingFor(waits)}`,
    'a receiver that does not read blocks its senders; if the machine is slow, raise --timeout',
  );
}

export const stopped = (waits: readonly Purpose[]): Interrupted =>
  new Interrupted(`interrupted; ${waitingFor(waits)}`, 'the run was taken down; start it again');

/** Turns the run's own errors into errors for people; returns others unchanged. */
export function inWords(error: unknown): unknown {
  if (!(error instanceof OrderFailed)) return error;
  return new EnvironmentError(`the run could not go on: ${error.message}`, hintFor(error), { cause: error });
}

/** A bus with a D-Bus protocol cannot be made without its filter (docs/dbus.md section 3, "fail closed"). */
const hintFor = ({ code }: OrderFailed): string =>
  code === 'EPROTONOSUPPORT'
    ? 'its kernel has no nfdbus, which a bus with protocol: dbus needs: load the module there, or use --backend sim'
    : 'look at the path of the bus, at users and limits; "afbus-topo doctor" shows what is there';

function waitingFor(waits: readonly Purpose[]): string {
  if (waits.length === 0) return 'nothing was waited for';
  const steps = new Map<string, string[]>();
  for (const { what, step } of waits) {
    const where = step ? stepName(step) : 'the run';
    steps.set(where, [...(steps.get(where) ?? []), what]);
  }
  return [...steps].map(([where, whats]) => `${where} waited for ${listed(whats)}`).join('; ');
}

const listed = (whats: readonly string[]): string =>
  whats.length <= MAX_NAMED
    ? whats.join(', ')
    : `${whats.slice(0, MAX_NAMED).join(', ')} and ${whats.length - MAX_NAMED} more`;

/** `step 3 (lights.topo.yaml:12)` */
export const stepName = ({ id, place }: Step): string => `step ${id} (${place.file}:${place.line})`;
