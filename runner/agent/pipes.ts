// SPDX-License-Identifier: MIT
/**
 * Pipes whose write ends are passed with messages. Every receiver writes a line into its descriptor and closes it, so
 * what comes out, and the end after it, tells who got a working descriptor and that none is left anywhere.
 */
import type { Reports } from './reports.ts';
import type { PipeEnds, System } from './system.ts';
import { Waiters } from './waiters.ts';

interface Pipe {
  readonly message: number;
  readonly index: number;
  text: string;
  eof: boolean;
}

export class Pipes {
  readonly #system: System;
  readonly #reports: Reports;
  #pipes: Pipe[] = [];
  readonly #ends: Waiters;

  constructor(system: System, reports: Reports) {
    this.#system = system;
    this.#reports = reports;
    this.#ends = new Waiters(system.clock);
  }

  /** For each of `count` messages from `first` on, the write ends of its pipes. */
  async make(first: number, count: number, perMessage: number): Promise<readonly (readonly number[])[]> {
    if (perMessage === 0) return [];
    const ends = await this.#system.pipes(count * perMessage);
    return Array.from({ length: count }, (_, i) =>
      Array.from({ length: perMessage }, (_, index) => {
        const end = ends[i * perMessage + index] as PipeEnds;
        this.#read(end, { message: first + i, index, text: '', eof: false });
        return end.writer;
      }),
    );
  }

  /** The message is on its way, or has failed: our own write ends would hold back the end. */
  sent(writers: readonly number[]): void {
    for (const fd of writers) this.#system.close(fd);
  }

  /** Waits until every pipe has come to its end, at most `ms`, and reports them all. */
  async collect(ms: number): Promise<void> {
    const { clock } = this.#system;
    const deadline = clock.now() + ms;
    while (this.#pipes.some((p) => !p.eof)) {
      const left = deadline - clock.now();
      if (left <= 0) break;
      await this.#ends.wait(left);
    }
    for (const { message, index, text, eof } of this.#pipes) {
      this.#reports.say({ say: 'pipe', message, index, tokens: tokensIn(text, index), eof });
    }
    this.#pipes = [];
  }

  #read(end: PipeEnds, pipe: Pipe): void {
    this.#pipes.push(pipe);
    end.read(
      (text) => {
        pipe.text += text;
      },
      () => {
        pipe.eof = true;
        this.#ends.settle();
      },
    );
  }
}

/** The names written into the descriptor at this place; a receiver that got it at another place adds that one. */
const tokensIn = (text: string, index: number): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.endsWith(` ${index}`) ? line.slice(0, line.lastIndexOf(' ')) : line));
