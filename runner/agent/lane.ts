// SPDX-License-Identifier: MIT
/**
 * One receiving socket: the only reader of it, so that positions are the order in which the kernel gave the messages.
 *
 * All reading is done by one loop. A caller that must know that the socket is empty (`drain`) wakes the loop and lets
 * it look, instead of reading past it.
 */
import { envelopeOf } from './delivery.ts';
import type { Reports } from './reports.ts';
import type { Batch, Columns, End, Message, Socket, System } from './system.ts';
import { leaveTokens } from './tokens.ts';
import { Waiters } from './waiters.ts';
import { Wake } from './wake.ts';

/** Maximum number of messages in one read. */
const BATCH = 256;
const WAKE = Symbol('wake');

export interface LaneTools {
  readonly system: System;
  readonly reports: Reports;
  /** How many bytes to read of each message; all of them if it is absent. */
  readonly maxBytes?: number;
}

/** One order to read; the next one ends it. */
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
  readonly #room: { readonly nonce: number; readonly maxBytes?: number };
  readonly #empty: Waiters;
  readonly #fences: Waiters;
  readonly #end: Waiters;
  readonly #onColumns = (columns: Columns) => this.#recordColumns(columns);
  /** Run between two reads, when no message is being handled. */
  readonly #errands: (() => void)[] = [];
  #batch = BATCH;
  #wake = new Wake(WAKE);
  /** null if nobody reads. */
  #turn: Turn | null = null;
  #position = 0;
  #lastFence = -1;
  #watched = false;
  /** The kernel reported the end of the connection; queued messages can still be read. */
  #hungUp = false;
  /** A read failed; queued messages can still be read. */
  #failed = false;
  #finished = false;

  constructor(name: string, socket: Socket, nonce: number, { system, reports, maxBytes }: LaneTools) {
    this.name = name;
    this.socket = socket;
    this.#nonce = nonce;
    this.#system = system;
    this.#reports = reports;
    this.#room = { nonce, ...(maxBytes !== undefined && { maxBytes }) };
    this.#empty = new Waiters(system.clock);
    this.#fences = new Waiters(system.clock);
    this.#end = new Waiters(system.clock);
  }

  /** Reads from now on, until `stop`. */
  start(): void {
    if (this.#turn?.left !== Number.POSITIVE_INFINITY) this.#begin(Number.POSITIVE_INFINITY);
  }

  /** Ends the reading; resolves when no further message will be taken. */
  async stop(): Promise<void> {
    await this.#halt();
    this.watch();
  }

  /** Waits for `count` messages and takes them; resolves with how many came before the socket ended. */
  async read(count: number): Promise<number> {
    const turn = this.#begin(count);
    await turn.over;
    this.watch();
    return turn.taken;
  }

  /** Resolves when a later read has found the socket empty, or the socket has ended; at once if nobody reads. */
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

  /** Whether the socket ends within `ms`. This is noticed even if nobody reads. */
  async ended(ms: number): Promise<boolean> {
    this.watch();
    if (!this.#finished && !this.#hungUp) await this.#end.wait(ms);
    return this.#finished || this.#hungUp;
  }

  /**
   * From now on the process may open that many more descriptors. Messages are then read one at a time, because those of
   * a batch have their descriptors open together: each message can use the descriptors that the one before it has
   * closed.
   */
  limit(fds: number | 'unlimited'): Promise<void> {
    return this.#between(() => {
      this.#batch = fds === 'unlimited' ? BATCH : 1;
      this.#system.limitDescriptors(fds);
    });
  }

  /** Closes the socket; queued messages stay unread. */
  async close(): Promise<void> {
    this.socket.close();
    this.#wakeLoop();
    await this.#turn?.over;
    this.#finish('closed');
  }

  /** Notices the end of the socket while nobody reads. A reader notices it by reading. */
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

  /** Ends the reading; resolves when it has ended. */
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
        this.#took(turn, await this.#next(turn));
      } catch (error) {
        if (error !== WAKE) this.#fail(error as Error & { code?: string });
      }
    }
    if (this.#turn !== turn) return;
    this.#turn = null;
    this.#doErrands();
    this.#empty.settle();
  }

  /** Runs `act` before the next read, or now if nobody reads. */
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

  async #next({ left }: Turn): Promise<Batch> {
    const max = Math.min(left, this.#batch);
    // Taken before the look: a caller that wakes the loop meanwhile ends the wait below.
    const signal = this.#wake;
    if (this.#empty.size > 0) {
      const batch = await this.socket.tryReceive({ max, ...this.#room });
      if (countOf(batch) > 0 || this.socket.atEnd) return batch;
      this.#empty.settle();
    }
    // What takes all need not count.
    const onColumns = left === Number.POSITIVE_INFINITY ? this.#onColumns : undefined;
    return this.socket.receive({ max, ...this.#room, signal, ...(onColumns && { onColumns }) });
  }

  #took(turn: Turn, batch: Batch): void {
    const t = this.#system.now();
    if ('count' in batch) this.#recordColumns(batch);
    else for (const message of batch) this.#record(message, t);
    const count = countOf(batch);
    turn.left -= count;
    turn.taken += count;
    if (count === 0) this.#finish(this.socket.closed ? 'closed' : 'eof');
  }

  #record(message: Message, t: number): void {
    const envelope = envelopeOf(message, this.#nonce);
    this.#reports.delivery(this.name, this.#position++, t, message, envelope);
    leaveTokens(this.#system, this.name, message.fds);
    for (const fd of message.fds) fd.close();
    if (envelope?.kind === 'fence') this.#passFence(envelope.number);
  }

  #recordColumns(columns: Columns): void {
    this.#reports.columns(columns, [this.name, this.#position, this.#system.now()]);
    this.#position += columns.count;
    if (columns.lastFence >= 0) this.#passFence(columns.lastFence);
  }

  #passFence(number: number): void {
    this.#lastFence = number;
    this.#fences.settle();
  }

  /** Reports an error of the socket once; reading continues up to the end of the queue. */
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

  #wakeLoop(): void {
    const wake = this.#wake;
    this.#wake = new Wake(WAKE);
    wake.abort();
  }
}

const countOf = (batch: Batch): number => ('count' in batch ? batch.count : batch.length);
