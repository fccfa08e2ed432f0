// SPDX-License-Identifier: MIT
/** Turns a send step into one order for its sender. */

import type { Order } from '../agent/protocol.ts';
import { partyOf } from '../topology/lane.ts';
import { templateIn } from '../topology/message.ts';
import type { SendStep } from '../topology/topology.ts';
import { destinationOf } from './addresses.ts';
import type { RunContext } from './context.ts';

interface Range {
  readonly first: number;
  readonly count: number;
}

/** Resolves when every message of the step was sent or has failed, or the sender has ended. */
export async function playSend(context: RunContext, step: SendStep): Promise<void> {
  const { agents, plan } = context;
  const range = plan.messagesOf.get(step.id);
  if (!range) throw new Error(`the plan has no messages for step ${step.id}`);
  const free = context.lastMessages.whenFree(step.id);
  if (free === undefined) return sendRange(context, step, range);
  const { first, count } = range;
  await sendRange(context, step, { first, count: count - 1 });
  const what = `the faults beside it, before ${named(context, first + count - 1, 1)}`;
  await agents.waits.until(free, { what, step });
  await sendRange(context, step, { first: first + count - 1, count: 1 });
}

async function sendRange(context: RunContext, step: SendStep, range: Range): Promise<void> {
  const { agents, collector } = context;
  const agent = partyOf(step.from);
  const open = collector.openSends(agent, range.first, range.count);
  const what = `${agent} to send ${named(context, range.first, range.count)}`;
  const { gone } = await agents.call(agent, orderOf(context, step, range), { what, step });
  if (!gone) collector.closeSends(open);
}

function orderOf(context: RunContext, step: SendStep, range: Range): Order {
  const { plan, parties } = context;
  const template = templateIn(step);
  const { from, payload, size, rate, fds, nonblocking } = step;
  const prompt = context.prompt.get(step.id);
  return {
    do: 'send',
    ...(from.kind === 'master' && from.via !== undefined && { via: from.via }),
    to: destinationOf(step, plan.topology, parties),
    ...range,
    seed: plan.seed,
    ...(payload && { payload: Buffer.from(payload).toString('base64') }),
    ...(template && { template: Buffer.from(template).toString('base64') }),
    ...(size && { size }),
    ...(rate !== undefined && { rate }),
    pipes: fds.length,
    nonblocking,
    ...(prompt !== undefined && { prompt }),
  };
}

function named({ plan }: RunContext, first: number, count: number): string {
  const name = plan.messages[first]?.name ?? `message ${first}`;
  return count === 1 ? name : `${name} … ${plan.messages[first + count - 1]?.name}`;
}
