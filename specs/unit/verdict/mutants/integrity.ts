// SPDX-License-Identifier: MIT
/** Damage to what arrived. */

import type { Plan, PlannedMessage } from '../../../../runner/plan/plan.ts';
import type { Trace } from '../../../../runner/trace/trace.ts';
import { Beginnings } from '../../../../runner/verdict/beginnings.ts';
import { collect } from '../../../../runner/verdict/facts.ts';
import { got } from '../helpers/base-run.ts';
import type { Run } from '../helpers/story.ts';
import { type Mutant, mutant } from '../mutants.ts';

const wrong = (
  name: string,
  kind: string,
  message: string,
  step: string,
  damage: (run: Run) => void,
): Mutant => mutant(name, { integrity: { kind, message, step } }, damage);

/** c may open no descriptor when it reads a#4, which carries one, and gets none. */
const limited = (name: string, kind: string, damage: (run: Run) => void): Mutant =>
  wrong(name, kind, 'a#4', '3', (run) => {
    fdsAt(run, [0]);
    got(run, 'c', 'a#4').fds = 0;
    for (const pipe of run.trace.pipes) pipe.tokens = ['ear'];
    damage(run);
  });

function fdsAt({ plan }: Run, right: readonly number[]): void {
  const message = plan.messages.find((m) => m.name === 'a#4');
  Object.assign(message ?? {}, { fdsAt: new Map([['c', right]]) });
}

/** Gives r2 a small buffer, and is right about it. */
function cutAt40(run: Run): void {
  const { plan, trace } = run;
  const beginnings = new Beginnings(collect(run.plan as Plan, run.trace as Trace));
  Object.assign(plan.topology.clients.find(({ name }) => name === 'r2') ?? {}, { buffer: 40 });
  for (const delivery of trace.deliveries.get('r2') ?? [])
    if (!delivery.fence) {
      const checksum = beginnings.checksum(plan.messages[delivery.message as number] as PlannedMessage, 40);
      Object.assign(delivery, { truncated: true, length: 40, intact: false, checksum });
    }
}

export const integrityMutants: readonly Mutant[] = [
  wrong('a body is corrupted', 'corrupted', 'a#3', '2.b1.1', (run) => {
    got(run, 'r1', 'a#3').intact = false;
  }),
  wrong('a message is truncated', 'truncated', 'c#2', '2.b2.1', (run) => {
    Object.assign(got(run, 'r2', 'c#2'), { truncated: true, length: 40, intact: false });
  }),
  wrong(
    'a reader is not told that its buffer cut a message',
    'silently-truncated',
    'c#2',
    '2.b2.1',
    (run) => {
      cutAt40(run);
      got(run, 'r2', 'c#2').truncated = false;
    },
  ),
  wrong('a buffer cuts more than it must', 'length', 'c#2', '2.b2.1', (run) => {
    cutAt40(run);
    got(run, 'r2', 'c#2').length = 39;
  }),
  wrong('a copy that a buffer cut is corrupted', 'corrupted', 'c#2', '2.b2.1', (run) => {
    cutAt40(run);
    got(run, 'r2', 'c#2').checksum = 1;
  }),
  wrong('nothing is told of the bytes of a copy that a buffer cut', 'corrupted', 'c#2', '2.b2.1', (run) => {
    cutAt40(run);
    delete got(run, 'r2', 'c#2').checksum;
  }),
  wrong('a message has another length', 'length', 'c#2', '2.b2.1', (run) => {
    got(run, 'r2', 'c#2').length = 65;
  }),
  wrong('control data is cut off', 'control-truncated', 'a#1', '1', (run) => {
    got(run, 'r3', 'a#1').controlTruncated = true;
  }),
  wrong('the sender address is another client', 'sender', 'a#1', '1', (run) => {
    got(run, 'r3', 'a#1').from = '0000/000000000002';
  }),
  wrong('the sender address is one that reached it', 'sender', 'a#1', '1', (run) => {
    got(run, 'r3', 'a#1').from = '0001/000000000001';
  }),
  wrong('the uid is wrong', 'credentials', 'c#1', '2.b2.1', (run) => {
    got(run, 'r1', 'c#1').credentials = { pid: 101, uid: 0, gid: 1001 };
  }),
  wrong('the gid is wrong', 'credentials', 'c#1', '2.b2.1', (run) => {
    got(run, 'r1', 'c#1').credentials = { pid: 101, uid: 1001, gid: 0 };
  }),
  wrong('the pid is another', 'pid', 'c#1', '2.b2.1', (run) => {
    got(run, 'r1', 'c#1').credentials = { pid: 100, uid: 1001, gid: 1001 };
  }),
  wrong('the pid crosses a pid namespace', 'pid', 'c#1', '2.b2.1', (run) => {
    got(run, 'r2', 'c#1').credentials = { pid: 101, uid: 1001, gid: 1001 };
  }),
  wrong('credentials are missing once', 'no-credentials', 'c#1', '2.b2.1', (run) => {
    delete got(run, 'r2', 'c#1').credentials;
  }),
  wrong('a descriptor is missing', 'fds', 'a#4', '3', (run) => {
    got(run, 'c', 'a#4').fds = 0;
    for (const pipe of run.trace.pipes) pipe.tokens = ['ear'];
  }),
  wrong('a descriptor too many', 'fds', 'a#1', '1', (run) => {
    got(run, 'r1', 'a#1').fds = 1;
  }),
  limited('a limited reader is not told what it misses', 'silently-cut', () => {}),
  limited('a limited reader gets more than it has room for', 'fds', (run) => {
    got(run, 'c', 'a#4').fds = 1;
  }),
  limited('a limited reader gets fewer than it has room for', 'fds', (run) => {
    fdsAt(run, [1]);
    got(run, 'c', 'a#4').controlTruncated = true;
  }),
  limited('a client that got no descriptor has one all the same', 'stray-token', (run) => {
    got(run, 'c', 'a#4').controlTruncated = true;
    for (const pipe of run.trace.pipes) pipe.tokens = ['c', 'ear'];
  }),
  wrong('a token is missing', 'token', 'a#4', '3', (run) => {
    for (const pipe of run.trace.pipes) pipe.tokens = ['ear'];
  }),
  wrong('somebody else wrote a token', 'stray-token', 'a#4', '3', (run) => {
    run.trace.pipes[0]?.tokens.push('r1');
  }),
  wrong('the pipe never ends', 'no-eof', 'a#4', '3', (run) => {
    for (const pipe of run.trace.pipes) pipe.eof = false;
  }),
  wrong('nobody reports the pipe', 'no-pipe', 'a#4', '3', (run) => {
    run.trace.pipes = [];
  }),
  mutant(
    'an address is given twice',
    { integrity: { kind: 'address-taken', summary: /out got the address of r1/ } },
    (run) => {
      const [r1, out] = ['r1', 'out'].map((n) => run.trace.attaches.find((a) => a.client === n));
      Object.assign(out as object, { address: r1?.address, peer: r1?.address });
    },
  ),
  mutant('accept gives another address', { integrity: { kind: 'peer', summary: /for r1/ } }, (run) => {
    const attach = run.trace.attaches.find((a) => a.client === 'r1');
    if (attach) attach.peer = '0000/0000000000ff';
  }),
  mutant(
    'SO_PEERCRED is wrong',
    { integrity: { kind: 'peer-credentials', summary: /SO_PEERCRED .* of r2/ } },
    (run) => {
      const attach = run.trace.attaches.find((a) => a.client === 'r2');
      if (attach) attach.credentials = { pid: 0, uid: 0, gid: 0 };
    },
  ),
];
