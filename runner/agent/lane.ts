// SPDX-License-Identifier: MIT
/**
 * One receiving socket: the only reader of it, so that positions are the order in which the kernel gave the messages.
 *
 * All reading is done by one loop. A caller that must know that the socket is empty (`drain`) wakes the loop and lets it
 * look, instead of reading past it.
 */
import { envelopeOf, packDelivery } from './delivery.ts';
import type { Reports } from './reports.ts';
import type { End, Message, Socket, System } from './system.ts';
import { Waiters } from './waiters.ts';

/** Messages that are taken at once. */
const BATCH = 256;
const WAKE = Symbol('wake');

/** The text that a receiver writes into a descriptor. No name has a space in it. */
export const token = (lane: string, place: number): string => `${lane} ${place}`;

export interface LaneTools {
  readonly system: System;
  readonly reports: Reports;
}

/** One stretch of reading; a later one ends it. */
interface Turn {
  /** Messages that may still be taken. */
  left: number;
  taken: number;
  over: Promise<void>;
}

export class Lane {
  readonly name: string;
  readonly socket: Socket;
  readonly #system: System;
  readonly #nonce: number;
  readonly #reports: Reports;
  readonly #empty: Waiters;
  readonly #fences: Waiters;
  readonly #end: Waiters;
  /** Done when no message is in hand. */
  readonly #errands: (() => void)[] = [];
  #batch = BATCH;
  #wake = new AbortController();
  /** null where nobody reads. */
  #turn: Turn | null = null;
  #position = 0;
  #lastFence = -1;
  #watched = false;
  /** The kernel said that the connection is over; what is queued may still be read. */
  #hungUp = false;
  /** A read gave an error; what is queued comes after it. */
  #failed = false;
  #finished = false;

  constructor(name: string, socket: Socket, nonce: number, { system, reports }: LaneTools) {
    this.name = name;
    this.socket = socket;
    this.#nonce = nonce;
    this.#system = system;
    this.#reports = reports;
    this.#empty = new Waiters(system.clock);
    this.#fences = new Waiters(system.clock);
    this.#end = new Waiters(system.clock);
  }

  /** Reads from now on, until `stop`. */
  start(): void {
    if (this.#turn?.left !== Number.POSITIVE_INFINITY) this.#begin(Number.POSITIVE_INFINITY);
  }

  /** Resolves when no further message will be taken. */
  async stop(): Promise<void> {
    await this.#halt();
    this.watch();
  }

  /** Takes `count` messages, waiting for them; resolves with how many came before the end. */
  async read(count: number): Promise<number> {
    const turn = this.#begin(count);
    await turn.over;
    this.watch();
    return turn.taken;
  }

  /** Resolves when a read found nothing after this call, or the socket has ended; at once where nobody reads. */
  drain(): Promise<unknown> {
    if (!this.#turn || this.#finished) return Promise.resolve();
    const empty = this.#empty.wait();
    this.#wakeLoop();
    return empty;
  }

  /** Resolves when this fence has been received, or the socket has ended. */
  async fence(number: number): Promise<void> {
    while (this.#lastFence < number && !this.#finished) await this.#fences.wait();
  }

  /** Whether the socket has ended within `ms`; noticed without reading too. */
  async ended(ms: number): Promise<boolean> {
    this.watch();
    if (!this.#finished && !this.#hungUp) await this.#end.wait(ms);
    return this.#finished || this.#hungUp;
  }

  /**
   * That many descriptors may be opened from now on. The messages of a batch have theirs open together, so that they are
   * taken one by one: each finds free what the one before it has closed.
   */
  limit(fds: number | 'unlimited'): Promise<void> {
    return this.#between(() => {
      this.#batch = fds === 'unlimited' ? BATCH : 1;
      this.#system.limitDescriptors(fds);
    });
  }

  /** Closes the socket, what is queued unread. */
  async close(): Promise<void> {
    this.socket.close();
    this.#wakeLoop();
    await this.#turn?.over;
    this.#finish('closed');
  }

  /** Notices the end while nobody reads; a reader finds it by reading. */
  watch(): void {
    if (this.#turn || this.#finished || this.#watched) return;
    this.#watched = true;
    void this.socket.ended.then(({ why, code }) => {
      if (this.#turn || this.#finished || why === 'eof') return;
      this.#tell(why, code);
      this.#hangUp();
    });
  }

  #begin(count: number): Turn {
    const before = this.#halt();
    const turn: Turn = { left: count, taken: 0, over: before };
    this.#turn = turn;
    turn.over = this.#run(turn, before);
    return turn;
  }

  /** No more of what is read now; resolves when that is over. */
  #halt(): Promise<void> {
    const turn = this.#turn;
    if (!turn) return Promise.resolve();
    turn.left = 0;
    this.#wakeLoop();
    return turn.over;
  }

  async #run(turn: Turn, before: Promise<void>): Promise<void> {
    await before;
    while (turn.left > 0 && !this.#finished) {
      this.#doErrands();
      try {
        this.#took(turn, await this.#next(Math.min(turn.left, this.#batch)));
      } catch (error) {
        if (error !== WAKE) this.#fail(error as Error & { code?: string });
      }
    }
    if (this.#turn !== turn) return;
    this.#turn = null;
    this.#doErrands();
    this.#empty.settle();
  }

  /** Does it before the next read; now where nobody reads. */
  #between(act: () => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#errands.push(() => {
      try {
        resolve(act());
      } catch (error) {
        reject(error);
      }
    });
    if (this.#turn) this.#wakeLoop();
    else this.#doErrands();
    return promise;
  }

  #doErrands(): void {
    if (this.#errands.length > 0) for (const errand of this.#errands.splice(0)) errand();
  }

  async #next(max: number): Promise<Message[]> {
    // That of now: who wakes the loop while it looks wakes it from the wait that follows.
    const { signal } = this.#wake;
    if (this.#empty.size > 0) {
      const batch = await this.socket.tryReceive(max);
      if (batch.length > 0 || this.socket.atEnd) return batch;
      this.#empty.settle();
    }
    return this.socket.receive({ max, signal });
  }

  #took(turn: Turn, batch: readonly Message[]): void {
    const t = this.#system.now();
    for (const message of batch) this.#record(message, t);
    turn.left -= batch.length;
    turn.taken += batch.length;
    if (batch.length === 0) this.#finish(this.socket.closed ? 'closed' : 'eof');
  }

  #record(message: Message, t: number): void {
    const envelope = envelopeOf(message, this.#nonce);
    this.#reports.delivery(packDelivery(this.name, this.#position++, t, message, envelope));
    message.fds.forEach((fd, place) => {
      this.#leaveToken(fd.fd, place);
      fd.close();
    });
    if (envelope?.kind !== 'fence') return;
    this.#lastFence = envelope.number;
    this.#fences.settle();
  }

  /** An error of the socket is told once; reading goes on to what is queued and the end. */
  #fail(error: Error & { code?: string }): void {
    if (this.socket.closed) {
      this.#finish('closed');
      return;
    }
    if (error.code === undefined) throw error;
    const again = this.#failed;
    this.#failed = true;
    if (!this.#hungUp) this.#tell('error', error.code);
    this.#hangUp();
    if (again) this.#over();
  }

  #finish(why: 'eof' | 'closed'): void {
    if (this.#finished) return;
    this.#tell(why);
    this.#over();
  }

  #tell(why: End['why'], errno?: string): void {
    this.#reports.say({ say: 'end', lane: this.name, t: this.#system.now(), why, ...(errno && { errno }) });
  }

  #hangUp(): void {
    this.#hungUp = true;
    this.#end.settle();
  }

  #over(): void {
    this.#finished = true;
    for (const waiters of [this.#empty, this.#fences, this.#end]) waiters.settle();
  }

  /** Proves that the descriptor works, and says in which place of the message it came; a maker of the pipe that is gone is no fault of the message. */
  #leaveToken(fd: number, place: number): void {
    try {
      this.#system.write(fd, `${token(this.name, place)}\n`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    }
  }

  #wakeLoop(): void {
    const wake = this.#wake;
    this.#wake = new AbortController();
    wake.abort(WAKE);
  }
}
