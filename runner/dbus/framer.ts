// SPDX-License-Identifier: MIT
/** A stream of bytes → whole messages. */
import { lengthOf } from './header.ts';
import { NotDbus } from './refusal.ts';

/** As much as tells the length of a message. */
const HEAD = 16;
/** Smaller chunks are joined: each takes up more memory than its bytes, and a client may send one byte at a time. */
const SMALL = 4096;

export class Framer {
  readonly #max: number;
  #chunks: Buffer[] = [];
  #length = 0;

  /** `max`: bytes of the longest message. */
  constructor(max: number) {
    this.#max = max;
  }

  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#length += bytes.length;
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.length + bytes.length <= SMALL)
      this.#chunks[this.#chunks.length - 1] = Buffer.concat([last, bytes]);
    else this.#chunks.push(bytes);
  }

  /** The next message, if all of it is there. Throws NotDbus if there can be none. */
  next(): Buffer | undefined {
    if (this.#length < HEAD) return undefined;
    const length = lengthOf(this.#first(HEAD));
    if (length === undefined) throw new NotDbus('no header of a message', 0);
    if (length > this.#max) throw new NotDbus(`a message of ${length} bytes, more than ${this.#max}`, 0);
    if (this.#length < length) return undefined;
    const bytes = this.#first(length);
    this.#chunks[0] = (this.#chunks[0] as Buffer).subarray(length);
    if (this.#chunks[0].length === 0) this.#chunks.shift();
    this.#length -= length;
    return bytes.subarray(0, length);
  }

  /** Brings that many bytes together in the first chunk. Each byte is copied once for each message at most. */
  #first(length: number): Buffer {
    const [first] = this.#chunks as [Buffer];
    if (first.length >= length) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}
