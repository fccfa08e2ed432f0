// SPDX-License-Identifier: MIT
/** Bytes in, whole lines out. */

const NEWLINE = 10;

/** Cuts a byte stream at newlines; what follows the last one waits for the rest. */
export class Lines {
  readonly #onLine: (line: Buffer) => void;
  /** Pieces of a line that has not ended: joined once, however many reads it took. */
  #rest: Buffer[] = [];

  constructor(onLine: (line: Buffer) => void) {
    this.#onLine = onLine;
  }

  /** The line handed out may share memory with `chunk`. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#onLine(this.#join(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#rest.push(chunk.subarray(start));
  }

  #join(tail: Buffer): Buffer {
    if (this.#rest.length === 0) return tail;
    const line = Buffer.concat([...this.#rest, tail]);
    this.#rest = [];
    return line;
  }
}
