// SPDX-License-Identifier: MIT
/** Splits bytes into lines. */

const NEWLINE = 10;

export interface LineLimit {
  /** Maximum length of a line, in bytes. */
  readonly most: number;
  /** Called for a longer line; no more lines are passed on after it. */
  readonly onExcess: () => void;
}

/** Splits bytes into blocks of whole lines, with their newlines. */
export class WholeLines {
  readonly #onLines: (lines: Buffer) => void;
  #rest: Buffer[] = [];

  constructor(onLines: (lines: Buffer) => void) {
    this.#onLines = onLines;
  }

  push(chunk: Buffer): void {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    const rest = chunk.subarray(end);
    if (end > 0) {
      this.#onLines(
        this.#rest.length === 0
          ? chunk.subarray(0, end)
          : Buffer.concat([...this.#rest, chunk.subarray(0, end)]),
      );
      this.#rest = [];
    }
    if (rest.length > 0) this.#rest.push(rest);
  }
}

/** Splits a byte stream at newlines; the part after the last newline waits for the rest of its line. */
export class Lines {
  readonly #onLine: (line: Buffer) => void;
  readonly #limit: LineLimit | undefined;
  /** Parts of an unfinished line, which are joined only once, however many reads they took. */
  #rest: Buffer[] = [];
  #length = 0;
  #over = false;

  constructor(onLine: (line: Buffer) => void, limit?: LineLimit) {
    this.#onLine = onLine;
    this.#limit = limit;
  }

  /** A line that is passed on may share memory with `chunk`. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      if (!this.#fits(end - start)) return;
      this.#onLine(this.#join(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start >= chunk.length || !this.#fits(chunk.length - start)) return;
    this.#rest.push(chunk.subarray(start));
    this.#length += chunk.length - start;
  }

  #fits(more: number): boolean {
    if (this.#over) return false;
    if (this.#limit === undefined || this.#length + more <= this.#limit.most) return true;
    this.#over = true;
    this.#rest = [];
    this.#limit.onExcess();
    return false;
  }

  #join(tail: Buffer): Buffer {
    if (this.#rest.length === 0) return tail;
    const line = Buffer.concat([...this.#rest, tail]);
    this.#rest = [];
    this.#length = 0;
    return line;
  }
}

/**
 * Splits text that is for people at newlines, and a longer line after each `most` bytes: so all of it is passed on, and
 * little is kept.
 */
export class CutLines {
  readonly #lines: Lines;
  readonly #most: number;
  /** Of the unfinished line. */
  #length = 0;

  constructor(onLine: (line: Buffer) => void, most: number) {
    this.#lines = new Lines(onLine);
    this.#most = most;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#length === this.#most && chunk[at] !== NEWLINE) this.end();
      const left = chunk.subarray(at, at + this.#most - this.#length + 1);
      const newline = left.indexOf(NEWLINE);
      const part = newline < 0 ? left.subarray(0, this.#most - this.#length) : left.subarray(0, newline + 1);
      this.#lines.push(part);
      this.#length = newline < 0 ? this.#length + part.length : 0;
      at += part.length;
    }
  }

  /** Passes the unfinished line on, if there is one. */
  end(): void {
    if (this.#length > 0) this.#lines.push(Buffer.of(NEWLINE));
    this.#length = 0;
  }
}
