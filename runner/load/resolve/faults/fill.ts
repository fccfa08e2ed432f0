// SPDX-License-Identifier: MIT
import { ENVELOPE_SIZE } from '../../../common/envelope.ts';
import { DEFAULT_QUEUE_LENGTH, DEFAULT_SEND_BUFFER, weightOf } from '../../../predict/index.ts';
import type { BusSpec, Step } from '../../../topology/topology.ts';
import type { StepContext } from '../step-context.ts';
import { contextOf, impossible, needClient, needMaster } from './context.ts';

/** The master sends until the client's queue is full; messages that are already there leave it less to send. */
export function fill(where: StepContext, target: string): Step[] {
  const { scope, parties, id } = where;
  const context = contextOf(where, 'fill');
  const client = scope.incarnation(target);
  const state = needClient(context, client, 'attached');
  if (state === undefined) return [];
  if (needMaster(context, state.bus) === undefined) return [];
  if (state.reading && state.paused === undefined && !parties.concurrent) {
    const hint = 'Give it `receive: manual`, or put - fault: { stop-reading: … } before it.';
    impossible(context, `"${target}" reads by itself, so its queue never fills`, hint);
    return [];
  }
  const bus = scope.buses.get(state.bus);
  if (bus?.overflow === 'evict') {
    impossible(
      context,
      `bus "${state.bus}" evicts a client whose queue is full, so no queue stays full`,
      'Remove this fault.',
    );
    return [];
  }
  return [
    {
      kind: 'send',
      id,
      from: { kind: 'master', bus: state.bus, via: client },
      to: { kind: 'client', name: client },
      count: capacity(bus),
      size: { min: ENVELOPE_SIZE, max: ENVELOPE_SIZE },
      fds: [],
      nonblocking: true,
      // The last messages fail, which is the purpose of the fault.
      expect: { model: true },
      place: scope.tree.place(where.path),
    },
  ];
}

/**
 * How many messages without a body an empty queue takes: one more than its length, or as many as weigh half a send
 * buffer.
 */
function capacity(bus: BusSpec | undefined): number {
  const { queueLength = DEFAULT_QUEUE_LENGTH, sendBuffer = DEFAULT_SEND_BUFFER } = bus ?? {};
  return Math.min(queueLength + 1, Math.ceil(Math.floor(sendBuffer / 2) / weightOf(ENVELOPE_SIZE)));
}
