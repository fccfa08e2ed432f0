// SPDX-License-Identifier: MIT
/**
 * Decides which process runs next, and what time it is. Each process has a queue of tasks. A step draws a process that
 * has some and runs the first of them, which makes at most one system call. Time passes a little with each step, and
 * jumps to the next timer when no process has a task. Nothing here reads a real clock, so a seed determines the whole
 * run.
 *
 * Promises that a step resolves are handled before the next step begins.
 *
 * Some processes are delayed now and then, for microseconds or for a quarter of a second, most likely when they wake:
 * this stands for a slow reader, a process that starts late, a send that takes long. Some are slow all the time. Orders
 * to some are delayed as well, so that a later order may be carried out before an earlier one elsewhere. Without delays
 * all would advance alike, and no branch would end before another has begun. With delays everywhere, no fault would come
 * while others send: so the seed draws how many processes have some, half of them, a few, or none.
 */
import type { Clock } from '../common/clock.ts';
import { Random } from '../common/random.ts';
import { Timers } from './timers.ts';

type Task = () => void;

const NS_PER_MS = 1e6;
/** Bounds of the time that a system call takes, in ns. */
const STEP_MIN = 400;
const STEP_SPREAD = 3200;
const LOOK_AT_CLOCK = 40;
/** Powers of 2 between which a delay of a process or an order begins, in ns; it is less than twice that, so than 268 ms. */
const MIN_DELAY_POWER = 10;
const MAX_DELAY_POWER = 27;
/**
 * Half of the orders that are delayed take at least 2 to that power, so 16 ms. Without these a branch of some messages
 * would hardly ever end before another has begun.
 */
const TIME_SLICE_POWER = 24;
/** A process runs at most that many steps before it may be delayed, or as many as it has run so far if that is more. */
const UNDISTURBED = 256;
/** One in that many processes has delays of a kind. */
const DISTURBED = [2, 8, Number.POSITIVE_INFINITY];
/** Twice as few are slow: those let others go first, at most that many times. */
const SLOW = 2;
const MAX_YIELDS = 3;
/** Waking counts as that many steps, so a process that slept is delayed sooner: it has to wait for a free processor. */
const WAKING = 16;
/** Number of steps after which the event loop of the real process gets a turn, for signals and the terminal. */
const STEPS_PER_TURN = 512;

export class Scheduler {
  readonly random: Random;
  readonly #disturbed: number;
  /** ns since the machine was started. */
  #time = 1e9;
  readonly #runnable: Process[] = [];
  readonly #timers = new Timers();
  #running = false;
  #stopped = false;
  #steps = 0;
  readonly #next = (): void => this.#step();
  readonly #afterPromises = (): void => process.nextTick(this.#next);

  constructor(seed: number) {
    this.random = new Random(seed);
    this.#disturbed = this.random.pick(DISTURBED);
  }

  /** Whether a process has delays of a kind that is that many times as rare as others. */
  disturbs(rarity = 1): boolean {
    return this.#disturbed !== Number.POSITIVE_INFINITY && this.random.oneIn(this.#disturbed * rarity);
  }

  /** The time in ns. Reading the clock takes time, so no two readings are equal. */
  now(): number {
    this.#time += LOOK_AT_CLOCK;
    return this.#time;
  }

  process(name: string): Process {
    return new Process(name, this);
  }

  /** Runs `then` on `process` after `ms`; returns a function that cancels it. */
  after(process: Process, ms: number, then: Task): () => void {
    const timer = this.#timers.add(this.#time + ms * NS_PER_MS, () => process.post(then));
    this.#wake();
    return () => {
      timer.cancelled = true;
    };
  }

  /** Gives `process` a task when an order to it arrives, not before `earliest`; returns that time, in ns. */
  order(process: Process, earliest: number, then: Task): number {
    const at = Math.max(earliest, this.#time + this.#lateness());
    this.#timers.add(at, () => process.post(then));
    this.#wake();
    return at;
  }

  /** The process has a task, or may run again. */
  ready(process: Process): void {
    if (process.place >= 0) return;
    process.place = this.#runnable.push(process) - 1;
    this.#wake();
  }

  /** The process has no task, or must not run. */
  rest(process: Process): void {
    const { place } = process;
    if (place < 0) return;
    const last = this.#runnable.pop() as Process;
    if (last !== process) {
      this.#runnable[place] = last;
      last.place = place;
    }
    process.place = -1;
  }

  /** Runs no process any more: interrupted work would go on next to code that has given it up. */
  stop(): void {
    this.#stopped = true;
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    this.#later();
  }

  /** Continues after every promise that is settled by now has been handled, and what follows from it. */
  #later(): void {
    if (++this.#steps % STEPS_PER_TURN === 0) setImmediate(this.#next);
    else queueMicrotask(this.#afterPromises);
  }

  #step(): void {
    if (this.#stopped) return;
    if (this.#runnable.length === 0) {
      const next = this.#timers.first();
      if (next === undefined) {
        this.#running = false;
        return;
      }
      this.#time = Math.max(this.#time, next.at);
    }
    for (const timer of this.#timers.due(this.#time)) timer.then();
    if (this.#runnable.length > 0) {
      this.#time += STEP_MIN + this.random.below(STEP_SPREAD);
      const process = this.#draw();
      if (process.isHeldUp()) this.#holdUp(process);
      else process.step();
    }
    this.#later();
  }

  #draw(): Process {
    const process = this.random.pick(this.#runnable);
    for (let n = process.yields; n > 0; n--) {
      const other = this.random.pick(this.#runnable);
      if (other !== process) return other;
    }
    return process;
  }

  #holdUp(process: Process): void {
    process.hold();
    this.#timers.add(this.#time + this.#delay(), () => process.letGo());
  }

  /** ns; of orders: as often as not the process waits for a free processor, for at least a time slice. */
  #lateness(): number {
    return this.random.oneIn(2)
      ? this.random.magnitude(2 ** TIME_SLICE_POWER, 2 ** MAX_DELAY_POWER)
      : this.#delay();
  }

  /** ns */
  #delay(): number {
    return this.random.magnitude(2 ** MIN_DELAY_POWER, 2 ** MAX_DELAY_POWER);
  }
}

export class Process {
  readonly name: string;
  /** Index among the runnable processes; -1 if it is not one of them. */
  place = -1;
  readonly clock: Clock;
  readonly #scheduler: Scheduler;
  #tasks: Task[] = [];
  #next = 0;
  #paused = false;
  #held = false;
  #ended = false;
  #steps = 0;
  /** How often it lets another process go first, each time that it is its turn. */
  readonly yields: number;
  /** Number of steps after which it is delayed. */
  #until: number;
  /** Whether orders to it are delayed, and when the last of them arrives. */
  readonly #far: boolean;
  #lastOrder = 0;

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.#scheduler = scheduler;
    this.yields = scheduler.disturbs(SLOW) ? 1 + scheduler.random.below(MAX_YIELDS) : 0;
    this.#until = scheduler.disturbs() ? this.#disturbance() : Number.POSITIVE_INFINITY;
    this.#far = scheduler.disturbs();
    this.clock = {
      now: () => scheduler.now() / NS_PER_MS,
      after: (ms, then) => scheduler.after(this, ms, then),
    };
  }

  get ended(): boolean {
    return this.#ended;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Adds a task after those that it has. */
  post(task: Task): void {
    if (this.#ended) return;
    if (this.#tasks.length === 0) this.#steps += WAKING;
    this.#tasks.push(task);
    this.#ready();
  }

  /** Adds a task that another process orders. Orders arrive in the order in which they were given. */
  order(task: Task): void {
    if (this.#far) this.#lastOrder = this.#scheduler.order(this, this.#lastOrder, task);
    else this.post(task);
  }

  /** Resolves when the tasks that it has now are done. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.post(resolve));
  }

  coin(): boolean {
    return this.#scheduler.random.oneIn(2);
  }

  step(): void {
    this.#steps++;
    const task = this.#tasks[this.#next++];
    if (this.#next >= this.#tasks.length) {
      this.#tasks = [];
      this.#next = 0;
      this.#scheduler.rest(this);
    }
    task?.();
  }

  pause(): void {
    this.#paused = true;
    this.#scheduler.rest(this);
  }

  resume(): void {
    this.#paused = false;
    this.#ready();
  }

  /** Whether it is delayed before the step that it would take now. */
  isHeldUp(): boolean {
    if (this.#steps < this.#until) return false;
    this.#until = this.#disturbance();
    return true;
  }

  hold(): void {
    this.#held = true;
    this.#scheduler.rest(this);
  }

  letGo(): void {
    this.#held = false;
    this.#ready();
  }

  #ready(): void {
    if (this.#tasks.length > 0 && !this.#paused && !this.#held) this.#scheduler.ready(this);
  }

  /** The step before which it is delayed next. Delays become rare in a long run, so that they add little time. */
  #disturbance(): number {
    return this.#steps + this.#scheduler.random.magnitude(1, Math.max(UNDISTURBED, this.#steps));
  }

  /** Drops its tasks. */
  end(): void {
    this.#ended = true;
    this.#tasks = [];
    this.#next = 0;
    this.#scheduler.rest(this);
  }
}
