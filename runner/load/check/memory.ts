// SPDX-License-Identifier: MIT
/** Limits of memory: the kernel kills a client that reaches one, so something must make the client reach it. */
import { sizeInWords } from '../../common/size.ts';
import { DEFAULT_QUEUE_LENGTH, DEFAULT_SEND_BUFFER } from '../../predict/index.ts';
import type { FaultAction } from '../../topology/faults.ts';
import { lengthsOf } from '../../topology/message.ts';
import { areConcurrent, faultsIn, type Visit, walk } from '../../topology/steps.ts';
import type { BusSpec, FaultStep, ParallelStep, SendStep, Topology } from '../../topology/topology.ts';
import { type Places, pathOf } from './places.ts';

type OutOfMemory = Extract<FaultAction, { readonly memory: number }>;

/** Reports limits that the sends at the same time can never reach. */
export function checkMemory(places: Places, topology: Topology): void {
  for (const step of topology.steps) {
    if (step.kind !== 'parallel') continue;
    for (const placed of faultsIn(step)) {
      const { action } = placed.step;
      if (action.fault === 'kill' && action.memory !== undefined)
        checkReach(places, topology, step, placed, action);
    }
  }
}

function checkReach(
  places: Places,
  { buses, clients }: Topology,
  parallel: ParallelStep,
  limit: Visit<FaultStep>,
  action: OutOfMemory,
): void {
  const { name } = action.target;
  const own = clients.find((client) => client.name === name)?.bus;
  const bus = buses.find((each) => each.name === own);
  if (bus === undefined) return;
  const reach = unreadAtMost(sendsBeside(parallel, limit, name), bus);
  if (reach > action.memory) return;
  const message = `"${name}" never reaches its limit of ${sizeInWords(action.memory)}: unread messages that it sends in other branches take at most ${sizeInWords(reach)}`;
  const hint = `Let it send more, to clients that do not read; bus "${bus.name}" bounds it by its \`queueLength\` and \`sendBuffer\`.`;
  places.problems.error(pathOf(places, limit.step), { code: 'impossible', message, hint });
}

function sendsBeside(parallel: ParallelStep, limit: Visit, client: string): SendStep[] {
  return [...walk([parallel])].flatMap((visit) => {
    const { step } = visit;
    const its = step.kind === 'send' && step.from.kind === 'client' && step.from.name === client;
    return its && areConcurrent(visit, limit) ? [step] : [];
  });
}

/**
 * Bytes that can lie unread: a queue takes one message more than its length, and one more than half a send buffer. On a
 * bus that evicts, messages in a queue are not charged to the sender's buffer.
 */
function unreadAtMost(sends: readonly SendStep[], bus: BusSpec): number {
  const { queueLength = DEFAULT_QUEUE_LENGTH, sendBuffer = DEFAULT_SEND_BUFFER, overflow } = bus;
  const queued = sends.map((send) => {
    const { max } = lengthsOf(send);
    return Math.min(max * Math.min(send.count, queueLength + 1), sendBuffer / 2 + max);
  });
  const all = queued.reduce((sum, each) => sum + each, 0);
  return overflow === 'evict' ? all : Math.min(sendBuffer, all);
}
