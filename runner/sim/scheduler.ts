// SPDX-License-Identifier: MIT
/**
 * Who goes next, and what time it is. Each process has a queue of things to do; a step draws a process that has some
 * and does the first of them, which makes at most one system call. Time passes a little with each step, and jumps to
 * the next timer when nobody has anything to do. Nothing here looks at a real clock, so a seed fixes the whole run.
 *
 * What a step sets going in promises is over before the next step begins.
 *
 * Half of the processes are now and then held up, for microseconds or for a quarter of a second, most likely when they
 * wake: a reader that is slow, a process that starts late, a send that takes long. One of four is slow all the time.
 * Orders to half of them are under way for as long, so that what is ordered last may be done before what was ordered
 * first elsewhere. Without that all would advance alike, and a branch would never be over before another has begun.
 */
import type { Clock } from '../common/clock.ts';
import { Random } from '../common/random.ts';
import { Timers } from './timers.ts';

type Task = () => void;

const NS_PER_MS = 1e6;
/** A call into the kernel takes between these, in ns. */
const STEP_MIN = 400;
const STEP_SPREAD = 3200;
const LOOK_AT_CLOCK = 40;
/** The longest time for which a process or an order is held up is less than twice 2 to this power, in ns: 268 ms. */
const HELD_UP_MOST = 27;
const HELD_UP_LEAST = 10;
/** A process runs for that many steps at most before it may be held up, and for as many as it has run if that is more. */
const UNDISTURBED = 256;
/** One of that many processes is slow all the time: it lets others go first, at most that often. */
const SLOW = 4;
const MOST_YIELDS = 3;
/** Who has slept is held up sooner: a processor has to be free first. Waking counts as that many steps. */
const WAKING = 16;
/** So often the event loop of the real process has its turn, for signals and the terminal. */
const STEPS_PER_TURN = 512;

export class Scheduler {
  readonly random: Random;
  /** ns since the machine was switched on. */
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
  }

  /** ns; looking takes time, so that no two looks give the same. */
  now(): number {
    this.#time += LOOK_AT_CLOCK;
    return this.#time;
  }

  process(name: string): Process {
    return new Process(name, this);
  }

  /** ms; what is due then is done by `process`. Returns what takes it back. */
  after(process: Process, ms: number, then: Task): () => void {
    const timer = this.#timers.add(this.#time + ms * NS_PER_MS, () => process.post(then));
    this.#wake();
    return () => {
      timer.cancelled = true;
    };
  }

  /** Gives `process` something to do when an order to it has come, not before `earliest`; returns when that is, in ns. */
  order(process: Process, earliest: number, then: Task): number {
    const at = Math.max(earliest, this.#time + this.#delay());
    this.#timers.add(at, () => process.post(then));
    this.#wake();
    return at;
  }

  /** A process has something to do, or may do it again. */
  ready(process: Process): void {
    if (process.place >= 0) return;
    process.place = this.#runnable.push(process) - 1;
    this.#wake();
  }

  /** It has nothing to do, or must not. */
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

  /** Nobody has a turn any more: what was interrupted would go on beside the code that has given it up. */
  stop(): void {
    this.#stopped = true;
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    this.#later();
  }

  /** After every promise that is settled by now, and what comes of it. */
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

  /** ns */
  #delay(): number {
    return this.random.magnitude(2 ** HELD_UP_LEAST, 2 ** HELD_UP_MOST);
  }
}

export class Process {
  readonly name: string;
  /** Place among the runnable ones; -1 where it is none. */
  place = -1;
  readonly clock: Clock;
  readonly #scheduler: Scheduler;
  #tasks: Task[] = [];
  #next = 0;
  #paused = false;
  #held = false;
  #ended = false;
  #steps = 0;
  /** How often it lets another go first, whenever it is its turn. */
  readonly yields: number;
  /** After how many steps it is held up. */
  #until: number;
  /** Whether orders to it are under way for long, and when the last of them comes. */
  readonly #far: boolean;
  #lastOrder = 0;

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.#scheduler = scheduler;
    this.yields = scheduler.random.oneIn(SLOW) ? 1 + scheduler.random.below(MOST_YIELDS) : 0;
    this.#until = scheduler.random.oneIn(2) ? this.#disturbance() : Number.POSITIVE_INFINITY;
    this.#far = scheduler.random.oneIn(2);
    this.clock = {
      now: () => scheduler.now() / NS_PER_MS,
      after: (ms, then) => scheduler.after(this, ms, then),
    };
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Something to do, after what is to do already. */
  post(task: Task): void {
    if (this.#ended) return;
    if (this.#tasks.length === 0) this.#steps += WAKING;
    this.#tasks.push(task);
    this.#ready();
  }

  /** Something to do that another process orders: orders come in the order in which they were given. */
  order(task: Task): void {
    if (this.#far) this.#lastOrder = this.#scheduler.order(this, this.#lastOrder, task);
    else this.post(task);
  }

  /** Resolves when what is to do by now has been done. */
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

  /** Whether something keeps it from the step that it would take now. */
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

  /** The step before which it is held up next: seldom in a long run, so that it takes little longer. */
  #disturbance(): number {
    return this.#steps + this.#scheduler.random.magnitude(1, Math.max(UNDISTURBED, this.#steps));
  }

  /** What it had to do is not done any more. */
  end(): void {
    this.#ended = true;
    this.#tasks = [];
    this.#next = 0;
    this.#scheduler.rest(this);
  }
}
