// SPDX-License-Identifier: MIT
/** Steps that observe instead of act. */

import type { BlockedStep, HangupStep } from '../topology/topology.ts';
import type { StepEvent } from '../trace/trace.ts';
import type { RunContext } from './context.ts';
import type { Settler } from './settle.ts';

type Failure = StepEvent['failure'];

/**
 * A sender is blocked if it waits in the same send before and after all readers have read everything. A sender that
 * only waits for a reader's next turn is not blocked.
 */
export async function playBlocked(
  context: RunContext,
  settler: Settler,
  step: BlockedStep,
): Promise<Failure> {
  const deadline = context.clock.now() + step.within;
  const look = async (within: number) =>
    context.agents.call(
      step.client,
      { do: 'await-blocked', blocked: step.blocked, within },
      { what: `${step.client} to ${step.blocked ? '' : 'not '}wait for room`, step },
    );
  for (;;) {
    const first = await look(Math.max(0, Math.ceil(deadline - context.clock.now())));
    if (first.gone) return failure(step, 'its process has ended');
    if (first.blocked !== step.blocked) return failure(step, first.blocked ? 'it waits' : 'it does not wait');
    if (!step.blocked) return undefined;
    await settler.drain(step);
    const second = await look(0);
    if (second.blocked && second.message === first.message) return undefined;
  }
}

export async function playHangup({ agents, parties }: RunContext, step: HangupStep): Promise<Failure> {
  const { client, within } = step;
  const what = `the socket of ${client} to end`;
  const { ended, gone } = await agents.call(client, { do: 'await-end', within }, { what, step });
  if (ended) parties.client(client).ended = true;
  if (ended && !gone) return undefined;
  return {
    check: 'lifetime',
    expected: `the socket of ${client} ends within ${within} ms`,
    observed: gone ? 'its process has ended' : 'it is still connected',
  };
}

const failure = ({ client, blocked, within }: BlockedStep, observed: string): Failure => ({
  check: 'blocked',
  expected: `${client} ${blocked ? 'waits' : 'does not wait'} for room, within ${within} ms`,
  observed,
});
