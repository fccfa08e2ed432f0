// SPDX-License-Identifier: MIT
/** A node agent's line to the runner, over stdout. */

import { gathering } from '../common/gather.ts';
import type { ToRunner } from './machine.ts';
import type { NodeReport } from './protocol.ts';

const TAIL = Buffer.from('}\n');

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

  /** Passes on an agent's line, already JSON, inside of `head` and a brace: it is not parsed here. */
  wrap(head: string, line: Buffer): void {
    if (!this.#silent) this.#write(Buffer.concat([Buffer.from(head), line, TAIL]));
  }

  sayLast(report: NodeReport): Promise<void> {
    return new Promise((resolve) => {
      process.stdout.write(`${JSON.stringify(report)}\n`, () => resolve());
      this.#silent = true;
    });
  }
}
