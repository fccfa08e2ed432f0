// SPDX-License-Identifier: MIT
/** Connections that have not said Hello. At most max_incomplete_connections may exist at a time. */

interface Newcomer {
  close(): void;
}

export class Newcomers {
  readonly #most: () => number;
  readonly #there = new Set<Newcomer>();
  readonly #waiting: (() => void)[] = [];

  constructor(most: () => number) {
    this.#most = most;
  }

  get full(): boolean {
    return this.#there.size >= this.#most();
  }

  add(connection: Newcomer): void {
    this.#there.add(connection);
  }

  /** Called when it has said Hello, or has left. */
  delete(connection: Newcomer): void {
    if (!this.#there.delete(connection)) return;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  closeAll(): void {
    for (const connection of this.#there) connection.close();
  }

  /** Waits until there may be one more. */
  async waitForRoom(): Promise<void> {
    while (this.full) await new Promise<void>((resume) => this.#waiting.push(resume));
  }
}
