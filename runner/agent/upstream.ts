// SPDX-License-Identifier: MIT
/** A node agent's line to the runner, over stdout. */

import { gathering } from '../common/gather.ts';
import type { ToRunner } from './machine.ts';
import type { NodeReport } from './protocol.ts';

export class Upstream implements ToRunner {
  /** The runner has gone and is not missed. */
  #silent = false;
  readonly #write = gathering(process.stdout);

  constructor() {
    process.stdout.on('error', () => {}); // its end is noticed on stdin
  }

  say(report: NodeReport): void {
    if (!this.#silent) this.#write(`${JSON.stringify(report)}\n`);
  }

  /** Passes on lines that are reports already: they are not looked at here. */
  pass(lines: Buffer): void {
    if (!this.#silent) this.#write(lines);
  }

  sayLast(report: NodeReport): Promise<void> {
    return new Promise((resolve) => {
      process.stdout.write(`${JSON.stringify(report)}\n`, () => resolve());
      this.#silent = true;
    });
  }
}
