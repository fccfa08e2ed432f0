// SPDX-License-Identifier: MIT
/** Answers that a node agent waits for itself, found in what it passes on. */

import type { AgentReport } from './protocol.ts';

interface Turn {
  readonly ids: ReadonlySet<number>;
  readonly last: number;
  readonly resolve: (done: boolean) => void;
}

export class Answers {
  readonly #turns = new Set<Turn>();

  get awaited(): boolean {
    return this.#turns.size > 0;
  }

  /**
   * Waits for the answers to orders that one process carries out in turn: resolves with true when the last one was
   * carried out, with false when one was not or when the process ends.
   */
  turn(ids: readonly number[]): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#turns.add({ ids: new Set(ids), last: ids.at(-1) ?? -1, resolve });
    return promise;
  }

  hear(report: AgentReport): void {
    if (report.say !== 'done' && report.say !== 'failed') return;
    const done = report.say === 'done';
    for (const turn of this.#turns) {
      const ends = done ? report.id === turn.last : turn.ids.has(report.id);
      if (!ends) continue;
      this.#turns.delete(turn);
      turn.resolve(done);
    }
  }

  end(): void {
    for (const { resolve } of this.#turns) resolve(false);
    this.#turns.clear();
  }
}
