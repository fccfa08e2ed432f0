// SPDX-License-Identifier: MIT
/** The connection from a node agent to the runner, over stdout. */

import { gathering } from '../common/gather.ts';
import type { ToRunner } from './machine.ts';
import type { NodeReport } from './protocol.ts';

export class Upstream implements ToRunner {
  /** The last report was written: nothing may follow it. */
  #silent = false;
  readonly #write = gathering(process.stdout);

  constructor() {
    process.stdout.on('error', () => {}); // the end of the runner is noticed on stdin
  }

  say(report: NodeReport): void {
    if (!this.#silent) this.#write(`${JSON.stringify(report)}\n`);
  }

  /** Passes on complete reports, unread. */
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
