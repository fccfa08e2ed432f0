// SPDX-License-Identifier: MIT
/** The credentials that a receiver must see: the sender's user, and its pid if the two share a pid namespace. */

import type { User } from '../topology/topology.ts';
import type { DeliveryEvent } from '../trace/trace.ts';
import type { Facts, LaneFacts } from './facts.ts';

interface Problem {
  readonly kind: 'credentials' | 'pid' | 'no-credentials';
  readonly what: string;
  readonly expected: string;
  readonly observed: string;
}

interface Process {
  readonly pid: number;
  readonly pidNamespace: string;
}

export type CredentialsRule = (
  lane: LaneFacts,
  delivery: DeliveryEvent,
  sender: string,
) => Problem | undefined;

/** Makes the rule for the credentials of deliveries. */
export function credentialsRule(facts: Facts): CredentialsRule {
  const users = usersOf(facts);
  const processes = processesOf(facts);
  return (lane, { credentials: seen }, sender) => {
    const user = users.get(sender);
    if (!user) return undefined;
    const expected = `uid ${user.uid} gid ${user.gid}`;
    if (!seen) return { kind: 'no-credentials', what: 'without credentials', expected, observed: 'none' };
    if (seen.uid !== user.uid || seen.gid !== user.gid) {
      const observed = `uid ${seen.uid} gid ${seen.gid}`;
      return { kind: 'credentials', what: `with credentials that are not ${sender}'s`, expected, observed };
    }
    const pid = pidFor(processes.get(sender), processes.get(lane.agent));
    if (pid === undefined || seen.pid === pid) return undefined;
    const why = pid === 0 ? 'pid 0: the sender is in another pid namespace' : `pid ${pid}`;
    return {
      kind: 'pid',
      what: `with a pid that is not ${sender}'s`,
      expected: why,
      observed: `pid ${seen.pid}`,
    };
  };
}

/** Agent → its user. */
export const usersOf = (facts: Facts): ReadonlyMap<string, User> =>
  new Map(facts.plan.agents.map((a) => [a.name, a.user]));

/** Agent → its process, as far as the trace knows. */
export function processesOf(facts: Facts): ReadonlyMap<string, Process> {
  const known = new Map<string, Process>(facts.trace.attaches.map((a) => [a.client, a]));
  for (const p of facts.trace.processes ?? []) known.set(p.agent, p);
  return known;
}

/** The pid that the receiver must see; undefined if it cannot be known. */
export function pidFor(sender: Process | undefined, receiver: Process | undefined): number | undefined {
  if (!sender || !receiver) return undefined;
  return sender.pidNamespace === receiver.pidNamespace ? sender.pid : 0;
}
