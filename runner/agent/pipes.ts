// SPDX-License-Identifier: MIT
/**
 * Pipes whose write ends are passed with messages. Each receiver writes a line into its descriptor and closes it. So
 * the text tells who got a working descriptor, and the end of file tells that no copy of the descriptor is left.
 */
import type { Reports } from './reports.ts';
import type { PipeEnds, System } from './system.ts';
import { Waiters } from './waiters.ts';

interface Pipe {
  readonly message: number;
  readonly index: number;
  readonly answer?: true;
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

  /** Makes the pipes for `count` messages from number `first` on; resolves with the write ends for each message. */
  make(first: number, count: number, perMessage: number): Promise<readonly (readonly number[])[]> {
    return this.#make(count, perMessage, (i) => ({ message: first + i }));
  }

  /** Makes the pipes for the answer to this message; resolves with their write ends. */
  async makeForAnswer(message: number, count: number): Promise<readonly number[]> {
    const [ends = []] = await this.#make(1, count, () => ({ message, answer: true }));
    return ends;
  }

  async #make(
    count: number,
    perMessage: number,
    of: (i: number) => Pick<Pipe, 'message' | 'answer'>,
  ): Promise<readonly (readonly number[])[]> {
    if (perMessage === 0) return [];
    const ends = await this.#system.pipes(count * perMessage);
    return Array.from({ length: count }, (_, i) =>
      Array.from({ length: perMessage }, (_, index) => {
        const end = ends[i * perMessage + index] as PipeEnds;
        this.#read(end, { ...of(i), index, text: '', eof: false });
        return end.writer;
      }),
    );
  }

  /** Closes our own write ends, as the message is on its way or has failed: they would keep the pipe from ending. */
  sent(writers: readonly number[]): void {
    for (const fd of writers) this.#system.close(fd);
  }

  /** Waits until every pipe has ended, at most `ms`, and reports all of them. */
  async collect(ms: number): Promise<void> {
    const { clock } = this.#system;
    const deadline = clock.now() + ms;
    while (this.#pipes.some((p) => !p.eof)) {
      const left = deadline - clock.now();
      if (left <= 0) break;
      await this.#ends.wait(left);
    }
    for (const { text, ...pipe } of this.#pipes)
      this.#reports.say({ say: 'pipe', ...pipe, tokens: tokensIn(text, pipe.index) });
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

/**
 * The names in the text of the descriptor at this place. A receiver that got the descriptor at another place adds that
 * place.
 */
const tokensIn = (text: string, index: number): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.endsWith(` ${index}`) ? line.slice(0, line.lastIndexOf(' ')) : line));
