// SPDX-License-Identifier: MIT
/** Plays the steps in order; a step ends when its sends have returned and all its deliveries are settled. */

import { faultText } from '../topology/faults.ts';
import type { FaultStep, ParallelStep, Step } from '../topology/topology.ts';
import type { StepEvent } from '../trace/trace.ts';
import type { RunContext } from './context.ts';
import { playBlocked, playHangup } from './expect.ts';
import { playFault } from './fault.ts';
import type { MessageBuses } from './message-bus.ts';
import { OrderFailed } from './order-failed.ts';
import { Programs } from './programs.ts';
import { reached } from './progress.ts';
import { playSend } from './send.ts';
import { Settler } from './settle.ts';

type Failure = StepEvent['failure'];

/** Kinds of steps after which all messages of message buses have to arrive. */
const SETTLED: readonly Step['kind'][] = ['dbus', 'program', 'parallel'];

export class Walker {
  readonly settler: Settler;
  readonly #context: RunContext;
  readonly #messageBuses: MessageBuses;
  readonly programs: Programs;
  /** When each fault took effect. */
  readonly #moments = new Map<string, Pick<StepEvent, 'moment' | 'effect'>>();

  constructor(context: RunContext, messageBuses: MessageBuses) {
    this.#context = context;
    this.#messageBuses = messageBuses;
    this.programs = new Programs(context, messageBuses);
    this.settler = new Settler(context);
  }

  /** Calls `began` before each top-level step is played. */
  async walk(steps: readonly Step[], began: (step: Step, index: number) => void): Promise<void> {
    for (const [i, step] of steps.entries()) {
      began(step, i);
      await this.#record(step, async () => {
        const failure = await this.#play(step);
        if (step.kind === 'send' || step.kind === 'parallel') await this.settler.whole(step);
        else if (step.kind === 'fault') await this.settler.drain(step);
        if (SETTLED.includes(step.kind)) await this.#messageBuses.settle(step);
        return failure;
      });
    }
  }

  async #play(step: Step): Promise<Failure> {
    switch (step.kind) {
      case 'send':
        await playSend(this.#context, step);
        return undefined;
      case 'parallel':
        return this.#parallel(step);
      case 'fault':
        return this.#fault(step);
      case 'blocked':
        return playBlocked(this.#context, this.settler, step);
      case 'hangup':
        return playHangup(this.#context, step);
      case 'dbus':
        return this.#messageBuses.play(step);
      case 'program':
        await this.programs.play(step);
        return undefined;
      default:
        return step satisfies never;
    }
  }

  /** What the last step of a branch has sent is settled with the whole step. */
  async #parallel({ branches }: ParallelStep): Promise<undefined> {
    await Promise.all(
      branches.map(async (branch) => {
        for (const step of branch) {
          const last = step === branch.at(-1);
          await this.#record(step, async () => {
            const failure = await this.#play(step);
            if (!last && step.kind === 'send') await this.settler.drain(step);
            return failure;
          });
        }
      }),
    );
  }

  async #fault(step: FaultStep): Promise<Failure> {
    try {
      await this.#moment(step);
      const { began: moment, t: effect } = await playFault(this.#context, step);
      if (moment !== undefined && effect !== undefined) this.#moments.set(step.id, { moment, effect });
      return undefined;
    } catch (error) {
      if (!(error instanceof OrderFailed)) throw error;
      return { check: 'errors', expected: `${faultText(step.action)} succeeds`, observed: error.message };
    } finally {
      this.#context.lastMessages.free(step.id);
    }
  }

  /** Waits for the time of a fault, and notes it as far as it is known before anybody answers. */
  async #moment(step: FaultStep): Promise<void> {
    const { agents, clock, collector } = this.#context;
    const { at, after } = step;
    if (at !== undefined)
      await agents.waits.sleep(clock, at, { what: `its moment, ${at} ms after its beginning`, step });
    if (after !== undefined) await reached(this.#context, step, after);
    this.#moments.set(step.id, { moment: collector.now });
  }

  async #record(step: Step, play: () => Promise<Failure>): Promise<void> {
    const { collector } = this.#context;
    const t0 = collector.now;
    const failure = await play();
    collector.step({
      step: step.id,
      t0,
      ...this.#moments.get(step.id),
      t1: collector.now,
      ...(failure && { failure }),
    });
  }
}
