// SPDX-License-Identifier: MIT
/**
 * Checks the results of connect and accept: one address for both ends, never assigned twice, and the client's own
 * credentials.
 */

import { MASTER } from '../common/address.ts';
import { masterOf } from '../topology/lane.ts';
import type { AttachEvent } from '../trace/trace.ts';
import { pidFor, processesOf, usersOf } from './credentials.ts';
import type { Facts } from './facts.ts';
import type { FailureText, Findings } from './findings.ts';

/** Checks every attachment; returns how many there were. */
export function attachments(facts: Facts, findings: Findings): number {
  const taken = new Map<string, string>();
  const known = { users: usersOf(facts), processes: processesOf(facts) };
  for (const attach of facts.trace.attaches) {
    const words = (summary: string, expected: string, observed: string): (() => FailureText) => {
      const place = facts.clients.get(attach.client)?.place;
      return () => ({ summary, expected, observed, ...(place ? { place } : {}) });
    };
    judgeAddress(findings, attach, taken, words);
    judgePeer(known, findings, attach, words);
  }
  return facts.trace.attaches.length;
}

interface Known {
  readonly users: ReturnType<typeof usersOf>;
  readonly processes: ReturnType<typeof processesOf>;
}

type Wording = (summary: string, expected: string, observed: string) => () => FailureText;

function judgeAddress(
  findings: Findings,
  attach: AttachEvent,
  taken: Map<string, string>,
  words: Wording,
): void {
  const { client, bus, address, peer } = attach;
  const holder = taken.get(`${bus} ${address}`);
  taken.set(`${bus} ${address}`, client);
  const unused = 'an address of prefix 0 that nobody on the bus ever had';
  if (holder !== undefined) {
    findings.add('address-taken', client, words(`${client} got the address of ${holder}`, unused, address));
  } else if (!address.startsWith('0000/') || address === MASTER) {
    findings.add(
      'address-taken',
      client,
      words(`${client} got an address that is not a client's own`, unused, address),
    );
  }
  if (peer !== null && peer !== address) {
    findings.add(
      'peer',
      client,
      words(`accept gave another address for ${client} than it has`, address, peer),
    );
  }
}

function judgePeer(
  { users, processes }: Known,
  findings: Findings,
  attach: AttachEvent,
  words: Wording,
): void {
  const { client, bus, credentials: seen } = attach;
  const user = users.get(client);
  if (!seen || !user) return;
  const pid = pidFor(attach, processes.get(masterOf(bus))) ?? seen.pid;
  if (seen.uid === user.uid && seen.gid === user.gid && seen.pid === pid) return;
  const expected = `uid ${user.uid} gid ${user.gid} pid ${pid}`;
  const observed = `uid ${seen.uid} gid ${seen.gid} pid ${seen.pid}`;
  findings.add(
    'peer-credentials',
    client,
    words(`SO_PEERCRED shows other credentials than those of ${client}`, expected, observed),
  );
}
