// SPDX-License-Identifier: MIT
/** `integrity`: what arrives is what was sent, from its true sender, with working descriptors. */

import { count, plural } from '../common/text.ts';
import type { PlannedMessage } from '../plan/plan.ts';
import { partyOf } from '../topology/lane.ts';
import type { DeliveryEvent } from '../trace/trace.ts';
import { attachments } from './attachments.ts';
import { Beginnings } from './beginnings.ts';
import { type CredentialsRule, credentialsRule } from './credentials.ts';
import { descriptorProblem } from './descriptors.ts';
import { type Facts, type LaneFacts, messageOf } from './facts.ts';
import { about } from './failure-text.ts';
import { Findings } from './findings.ts';
import { pipes } from './pipes.ts';
import type { CheckResult } from './verdict.ts';

const KINDS = [
  ...[
    'corrupted',
    'truncated',
    'silently-truncated',
    'length',
    'control-truncated',
    'silently-cut',
    'sender',
    'credentials',
    'pid',
    'no-credentials',
    'no-number',
  ],
  ...['fds', 'token', 'stray-token', 'no-eof', 'no-pipe', 'peer', 'address-taken', 'peer-credentials'],
];

export interface Problem {
  readonly kind: string;
  readonly what: string;
  readonly expected: string;
  readonly observed: string;
}

const UNNUMBERED: Problem = {
  kind: 'no-number',
  what: "without its number in the bus's sequence",
  expected: 'a number, by BUS_PASSSEQ',
  observed: 'none',
};

/** Checks every delivery of a planned message, every pipe and every attachment. */
export function integrity(facts: Facts): CheckResult {
  const findings = new Findings('integrity', KINDS);
  const rule = credentialsRule(facts);
  const beginnings = new Beginnings(facts);
  let checked = 0;
  for (const lane of facts.lanes) {
    for (const d of lane.deliveries) {
      const message = messageOf(facts, d);
      if (!message) continue;
      checked++;
      for (const problem of problems({ facts, beginnings, rule }, lane, d, message))
        add(findings, lane, d, message, problem);
    }
  }
  const piped = pipes(facts, findings);
  const attached = attachments(facts, findings);
  const unit = [
    plural(checked, 'delivery', 'deliveries'),
    piped > 0 && count(piped, 'pipe'),
    count(attached, 'attachment'),
  ]
    .filter(Boolean)
    .join(', ');
  return findings.result(checked, unit, checked + attached === 0 ? 'nothing was delivered' : undefined);
}

/** What deliveries are compared with. */
interface Known {
  readonly facts: Facts;
  readonly beginnings: Beginnings;
  readonly rule: CredentialsRule;
}

function problems(known: Known, lane: LaneFacts, d: DeliveryEvent, message: PlannedMessage): Problem[] {
  const { facts, beginnings, rule } = known;
  const found: Problem[] = [];
  const body = bodyProblem(d, message, read(facts, lane, message), beginnings);
  if (body) found.push(body);
  const address = facts.addresses.get(partyOf(message.from));
  if (address !== undefined && d.from !== address) {
    found.push({
      kind: 'sender',
      what: 'from another sender',
      expected: `${partyOf(message.from)} ${address}`,
      observed: holderOf(facts, d.from),
    });
  }
  const descriptors = descriptorProblem(lane, d, message);
  if (descriptors) found.push(descriptors);
  // Every socket of an agent asks for both (SO_PASSCRED, BUS_PASSSEQ).
  const credentials = rule(lane, d, partyOf(message.from));
  if (credentials) found.push(credentials);
  if (d.sequence === undefined) found.push(UNNUMBERED);
  return found;
}

/** An address, and the agent that holds it. */
function holderOf(facts: Facts, address: string): string {
  const holder = [...facts.addresses].find(([, held]) => held === address)?.[0];
  return holder === undefined ? `${address}, which nobody has` : `${holder} ${address}`;
}

/** What a reader gets of a message, in bytes. */
interface Read {
  readonly bytes: number;
  /** Whether its buffer cut the copy, which MSG_TRUNC must tell. A filter cuts before the copy is queued. */
  readonly told: boolean;
  /** What left bytes out, if any are left out. */
  readonly by: 'filter' | 'buffer' | undefined;
}

function read({ clients }: Facts, { name, client, accepted }: LaneFacts, message: PlannedMessage): Read {
  const cut = message.cuts?.get(name);
  const queued = cut ?? message.length;
  const buffer = accepted ? undefined : clients.get(client)?.buffer;
  if (buffer !== undefined && buffer < queued) return { bytes: buffer, told: true, by: 'buffer' };
  return { bytes: queued, told: false, by: cut === undefined ? undefined : 'filter' };
}

/** The first problem that applies: a truncated message is also too short, and fails its checksum. */
function bodyProblem(
  d: DeliveryEvent,
  message: PlannedMessage,
  { bytes, told, by }: Read,
  beginnings: Beginnings,
): Problem | undefined {
  const { length } = message;
  const words = by === undefined ? `${length} bytes` : `${bytes} of ${length} bytes, by its ${by}`;
  if (d.truncated !== told) {
    return {
      kind: told ? 'silently-truncated' : 'truncated',
      what: told ? 'truncated, and was not told' : 'truncated',
      expected: `${words}, ${told ? '' : 'no '}MSG_TRUNC`,
      observed: `${d.length} bytes, ${told ? 'no ' : ''}MSG_TRUNC`,
    };
  }
  if (d.length !== bytes) {
    return { kind: 'length', what: 'with another length', expected: words, observed: `${d.length} bytes` };
  }
  // The checksum in the envelope is that of the whole message.
  const same = by === undefined ? d.intact : d.checksum === beginnings.checksum(message, bytes);
  if (same) return undefined;
  return {
    kind: 'corrupted',
    what: 'corrupted',
    expected: `the ${words} that were sent`,
    observed: 'bytes with another checksum',
  };
}

function add(
  findings: Findings,
  lane: LaneFacts,
  d: DeliveryEvent,
  message: PlannedMessage,
  problem: Problem,
): void {
  const { kind, what, expected, observed } = problem;
  findings.add(kind, message.step, () => ({
    summary: `${lane.name} got ${message.name} ${what}`,
    expected,
    observed,
    ...about(message),
    detail: [`at position ${d.position} of ${lane.name}`],
  }));
}
