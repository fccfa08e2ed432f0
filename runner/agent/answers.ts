// SPDX-License-Identifier: MIT
/** Answers that a node agent waits for itself, found in what it passes on. */

import type { AgentReport } from './protocol.ts';

export class Answers {
  readonly #waiting = new Map<number, (done: boolean) => void>();

  /** Resolves with whether the order of this id was carried out; false too if its process ends before it answers. */
  wait(id: number): Promise<boolean> {
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** An agent's line; it is parsed only while somebody waits. */
  see(line: Buffer): void {
    if (this.#waiting.size > 0) this.hear(JSON.parse(line.toString()) as AgentReport);
  }

  hear(report: AgentReport): void {
    if (report.say !== 'done' && report.say !== 'failed') return;
    this.#waiting.get(report.id)?.(report.say === 'done');
    this.#waiting.delete(report.id);
  }

  end(): void {
    for (const resolve of this.#waiting.values()) resolve(false);
    this.#waiting.clear();
  }
}
