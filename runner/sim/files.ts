// SPDX-License-Identifier: MIT
/** Descriptors of simulated processes, and the pipes behind them. */

import type { PipeEnds } from '../agent/system.ts';
import { errorOf } from './errno.ts';
import type { Process } from './scheduler.ts';

/** The write end of a pipe, held by descriptors and by messages that are under way. */
export class WriteEnd {
  readonly #reader: Process;
  #holders = 0;
  #onText: (text: string) => void = () => {};
  #onEnd: () => void = () => {};

  constructor(reader: Process) {
    this.#reader = reader;
  }

  read(onText: (text: string) => void, onEnd: () => void): void {
    this.#onText = onText;
    this.#onEnd = onEnd;
  }

  hold(times = 1): void {
    this.#holders += times;
  }

  letGo(): void {
    if (--this.#holders === 0) this.#reader.post(() => this.#onEnd());
  }

  write(text: string): void {
    if (this.#reader.ended) throw errorOf('EPIPE', 'write');
    this.#reader.post(() => this.#onText(text));
  }
}

/** The descriptors of one process. */
export class Descriptors {
  readonly #open = new Map<number, WriteEnd>();
  readonly #process: Process;
  #last = 9;
  /** How many may be open. */
  #most = Number.POSITIVE_INFINITY;

  constructor(process: Process) {
    this.#process = process;
  }

  pipes(count: number): PipeEnds[] {
    if (count > this.free) throw errorOf('EMFILE', 'pipe');
    return Array.from({ length: count }, () => {
      const end = new WriteEnd(this.#process);
      end.hold();
      return { writer: this.adopt(end), read: (onText, onEnd) => end.read(onText, onEnd) };
    });
  }

  /** Limits them to that many more than are open now. */
  limit(more: number | 'unlimited'): void {
    this.#most = more === 'unlimited' ? Number.POSITIVE_INFINITY : this.#open.size + more;
  }

  /** How many more may be opened. */
  get free(): number {
    return Math.max(0, this.#most - this.#open.size);
  }

  /** Assigns a number to an end that is already held for this process. */
  adopt(end: WriteEnd): number {
    this.#open.set(++this.#last, end);
    return this.#last;
  }

  get(fd: number): WriteEnd {
    const end = this.#open.get(fd);
    if (end === undefined) throw errorOf('EBADF', 'fcntl');
    return end;
  }

  close(fd: number): void {
    this.get(fd).letGo();
    this.#open.delete(fd);
  }

  closeAll(): void {
    for (const fd of [...this.#open.keys()]) this.close(fd);
  }
}
