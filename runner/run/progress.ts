// SPDX-License-Identifier: MIT
/**
 * Places a fault among concurrent messages: the fault waits for a number of them, and the last message waits for the
 * fault.
 */
import type { Plan } from '../plan/plan.ts';
import type { FaultAction } from '../topology/faults.ts';
import { faults, flat } from '../topology/steps.ts';
import type { FaultStep, ParallelStep, Progress, SendStep, Step } from '../topology/topology.ts';
import type { RunContext } from './context.ts';

/**
 * Resolves when that many of the messages have returned, with success or an error; rejects with the error that ended
 * the run.
 */
export async function reached(context: RunContext, step: FaultStep, progress: Progress): Promise<void> {
  const { agents, collector } = context;
  const messages = new Set(progress.sends.flatMap((id) => numbersOf(context.plan, id)));
  const far = collector.whenReturned(messages, progress.messages);
  const what = `its moment: ${progress.messages} messages beside it to return`;
  await agents.waits.until(far, { what, step });
}

function numbersOf({ messagesOf }: Plan, step: string): number[] {
  const { first, count } = messagesOf.get(step) ?? { first: 0, count: 0 };
  return Array.from({ length: count }, (_, n) => first + n);
}

/** Send step → number of its messages that are reported at once, because a fault counts them. */
export function promptReports({ topology: { steps } }: Plan): ReadonlyMap<string, number> {
  const prompt = new Map<string, number>();
  for (const { after } of faults(steps)) {
    for (const id of after?.sends ?? []) prompt.set(id, Math.max(after?.messages ?? 0, prompt.get(id) ?? 0));
  }
  return prompt;
}

/**
 * A send keeps its last message back until the faults that count its messages were injected. So these come before the
 * traffic ends, however slow the machine is.
 */
export class LastMessages {
  readonly #faults = new Map<string, PromiseWithResolvers<void>>();
  readonly #waitFor = new Map<string, string[]>();

  constructor({ topology: { steps } }: Plan) {
    for (const step of flat(steps)) if (step.kind === 'parallel') this.#place(step);
  }

  /** Resolves when the last message of this send may be sent; undefined for a send that no fault counts. */
  whenFree(send: string): Promise<void> | undefined {
    const faults = this.#waitFor.get(send);
    return faults && Promise.all(faults.map((id) => this.#faults.get(id)?.promise)).then(() => {});
  }

  /** A fault was injected, or has failed. */
  free(fault: string): void {
    this.#faults.get(fault)?.resolve();
  }

  #place({ branches }: ParallelStep): void {
    for (const branch of branches) {
      const beside = branches.filter((other) => other !== branch);
      const undisturbed = !beside.flat().some((step) => needsTraffic(step, branches));
      for (const step of branch) {
        const send = step.kind === 'fault' ? lastSend(branches, step) : undefined;
        if (send !== undefined) {
          this.#faults.set(step.id, Promise.withResolvers());
          this.#waitFor.set(send, [...(this.#waitFor.get(send) ?? []), step.id]);
        }
        if (!undisturbed || needsTraffic(step, branches)) break;
      }
    }
  }
}

/**
 * The send whose last message can wait for a fault: it is the last step of its branch, and has enough messages before
 * its last one for the fault to come, whatever the other sends do.
 */
function lastSend(branches: ParallelStep['branches'], { action, after }: FaultStep): string | undefined {
  if (after === undefined || lasts(action)) return undefined;
  const { messages, sends } = after;
  const last = branches.flatMap((branch) => branch.slice(-1)).filter((step) => isCounted(step, sends));
  return last.toSorted((a, b) => b.count - a.count).find(({ count }) => count > messages)?.id;
}

/**
 * Whether a step may need a message that is kept back. Steps before a fault may in turn wait for such a step (for the
 * space that follows it). Then the message would wait for a fault that waits for the message. So if there is such a
 * step, only the first step of a branch has a message kept back.
 */
function needsTraffic(step: Step, branches: ParallelStep['branches']): boolean {
  if (step.kind === 'send') return false;
  if (step.kind !== 'fault') return true;
  const { action, after } = step;
  const isPlaced = after?.sends.length === 1 && lastSend(branches, step) !== undefined;
  return lasts(action) || (after !== undefined && !isPlaced);
}

/**
 * Faults that last until messages have come: a read of a number of them, the kill of a process that has used up its
 * memory.
 */
const lasts = (action: FaultAction): boolean =>
  (action.fault === 'read' && action.count !== 'all') ||
  (action.fault === 'kill' && action.memory !== undefined);

const isCounted = (step: Step, sends: readonly string[]): step is SendStep =>
  step.kind === 'send' && sends.includes(step.id);
