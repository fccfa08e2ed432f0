// SPDX-License-Identifier: MIT
/** Waits until sends have come so far: what places a fault amid the traffic beside it. */
import type { Plan } from '../plan/plan.ts';
import { faults } from '../topology/steps.ts';
import type { FaultStep, Progress } from '../topology/topology.ts';
import type { RunContext } from './context.ts';

/** Resolves when that many of the messages have returned, with success or an error; rejects with what ended the run. */
export async function reached(stage: RunContext, step: FaultStep, progress: Progress): Promise<void> {
  const { agents, collector } = stage;
  const messages = new Set(progress.sends.flatMap((id) => numbersOf(stage.plan, id)));
  const far = collector.whenReturned(messages, progress.messages);
  const what = `its moment: ${progress.messages} messages beside it to return`;
  await agents.waits.until(far, { what, step });
}

function numbersOf({ messagesOf }: Plan, step: string): number[] {
  const { first, count } = messagesOf.get(step) ?? { first: 0, count: 0 };
  return Array.from({ length: count }, (_, n) => first + n);
}

/** Send step → how many of its messages are told at once, because a fault waits for that many. */
export function promptReports({ topology: { steps } }: Plan): ReadonlyMap<string, number> {
  const prompt = new Map<string, number>();
  for (const { after } of faults(steps)) {
    for (const id of after?.sends ?? []) prompt.set(id, Math.max(after?.messages ?? 0, prompt.get(id) ?? 0));
  }
  return prompt;
}
