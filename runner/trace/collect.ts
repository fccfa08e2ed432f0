// SPDX-License-Identifier: MIT
/** Collects the reports of all agents into one trace. */

import type { AgentReport, PackedBatch, PackedDeliveries } from '../agent/protocol.ts';
import type { Time } from '../common/clock.ts';
import { LIMITS } from '../common/limits.ts';
import type { Lane } from '../topology/lane.ts';
import { Kinds, LaneLog } from './deliveries.ts';
import type {
  AgentExit,
  AttachEvent,
  DbusEvent,
  DbusJoin,
  EndEvent,
  FenceEvent,
  KernelLine,
  LogEvent,
  PipeEvent,
  ProcessEvent,
  ProgramEvent,
  ReadOut,
  SendEvent,
  StepEvent,
  Trace,
} from './trace.ts';
import { unpackSend } from './unpack.ts';

/** Messages of a send order that the agent has not answered yet. */
interface OpenSends {
  readonly agent: string;
  readonly first: number;
  readonly count: number;
  readonly t0: Time;
}

/** A wait for sends to return. */
interface Watch {
  readonly messages: ReadonlySet<number>;
  left: number;
  readonly resolve: () => void;
}

/**
 * Takes the reports of all agents in the order in which they arrive. Cheap per report: a run has 10^4 deliveries or
 * more.
 */
export class Collector {
  /** The latest time in any report: the agents' clock as far as the runner knows it. */
  now: Time = 0;
  socketsLeft: number | null = null;
  cut: string | undefined;
  /** See Trace. */
  cutAt: Time | undefined;
  /** Number of deliveries and of sends that have returned: it stays the same while nothing moves on any bus. */
  movements = 0;
  #readOut: ReadOut | undefined;
  readonly #sends = new Map<number, SendEvent>();
  readonly #open = new Set<OpenSends>();
  readonly #lanes = new Map<Lane, LaneLog>();
  readonly #most: number;
  #delivered = 0;
  readonly #kinds = new Kinds();
  readonly #pipes: PipeEvent[] = [];
  readonly #attaches: AttachEvent[] = [];
  readonly #processes: ProcessEvent[] = [];
  readonly #ends: EndEvent[] = [];
  readonly #steps: StepEvent[] = [];
  readonly #exits: AgentExit[] = [];
  readonly #kernel: KernelLine[] = [];
  readonly #fences: FenceEvent[] = [];
  readonly #dbus: DbusEvent[] = [];
  readonly #joins: DbusJoin[] = [];
  readonly #programs: ProgramEvent[] = [];
  readonly #logs: LogEvent[] = [];
  readonly #watches = new Set<Watch>();

  constructor(most: number = LIMITS.deliveries.most) {
    this.#most = most;
  }

  /** Called when every queue was read empty: later reports about messages do not count. */
  seal(): void {
    this.#readOut = { stuck: this.waiting().map(({ message }) => message) };
  }

  /** Takes a report about the bus; reports about orders only advance the clock. */
  heard(agent: string, report: AgentReport): void {
    if (this.#readOut && (report.say === 'deliveries' || report.say === 'sends')) return;
    switch (report.say) {
      case 'ready': {
        const { pid, pidNamespace } = report;
        this.#processes.push({ agent, pid, pidNamespace });
        break;
      }
      case 'deliveries':
        for (const deliveries of report.list) this.#deliver(deliveries);
        break;
      case 'sends':
        for (const row of report.list) this.#send(unpackSend(agent, row));
        break;
      case 'pipe': {
        const { message, index, answer, tokens, eof } = report;
        this.#pipes.push({ agent, message, index, ...(answer && { answer }), tokens, eof });
        break;
      }
      case 'end': {
        const { lane, t, why, errno } = report;
        this.#ends.push({ lane, t, why, ...(errno === undefined ? {} : { errno }) });
        this.tick(t);
        break;
      }
      case 'dbus':
        for (const event of report.list) {
          this.#dbus.push({ client: agent, ...event });
          this.tick(event.t);
        }
        break;
      case 'done':
      case 'failed':
        this.tick(report.t);
    }
  }

  /** Takes what lanes of one process took. */
  batches(list: readonly PackedBatch[]): void {
    if (this.#readOut) return;
    for (const { takers, message, sequence, length, kind, kinds } of list) {
      for (const [lane, position, t] of takers) {
        const taken = [[t, message.length] as const];
        this.#deliver({ lane, position, taken, message, sequence, length, kind, kinds, checksums: [] });
      }
    }
  }

  /** Called when a send order is given; call `close` with the result when it was answered. */
  openSends(agent: string, first: number, count: number): OpenSends {
    const open = { agent, first, count, t0: this.now };
    this.#open.add(open);
    return open;
  }

  closeSends(open: OpenSends): void {
    this.#open.delete(open);
  }

  /** Resolves when that many of these messages have returned, with success or an error. */
  whenReturned(messages: ReadonlySet<number>, count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const returned = [...messages].filter((message) => this.#sends.get(message)?.t1 !== undefined).length;
    if (returned >= count) resolve();
    else this.#watches.add({ messages, left: count - returned, resolve });
    return promise;
  }

  /** Sends that were tried, found no room, and have not returned yet. */
  waiting(): readonly SendEvent[] {
    return [...this.#sends.values()].filter((s) => s.t1 === undefined);
  }

  attach(event: AttachEvent): void {
    this.#attaches.push(event);
  }

  step(event: StepEvent): void {
    this.#steps.push(event);
  }

  exit(event: AgentExit): void {
    this.#exits.push(event);
  }

  kernel(line: KernelLine): void {
    this.#kernel.push(line);
  }

  fence(event: FenceEvent): void {
    this.#fences.push(event);
  }

  join(event: DbusJoin): void {
    this.#joins.push(event);
  }

  program(event: ProgramEvent): void {
    this.#programs.push(event);
  }

  log(event: LogEvent): void {
    this.#logs.push(event);
  }

  trace(): Trace {
    return {
      sends: [...this.#sends.values(), ...this.#unheard()].sort((a, b) => a.message - b.message),
      deliveries: this.#lanes,
      pipes: this.#pipes,
      attaches: this.#attaches,
      processes: this.#processes,
      ends: this.#ends,
      steps: this.#steps,
      exits: this.#exits,
      kernel: this.#kernel,
      fences: this.#fences,
      ...(this.#joins.length > 0 && { dbus: this.#dbus, joins: this.#joins }),
      ...(this.#programs.length > 0 && { programs: this.#programs }),
      ...(this.#logs.length > 0 && { logs: this.#logs }),
      socketsLeft: this.socketsLeft,
      ...(this.cut === undefined ? {} : { cut: this.cut }),
      ...(this.cutAt === undefined ? {} : { cutAt: this.cutAt }),
      ...(this.#readOut && { readOut: this.#readOut }),
    };
  }

  #deliver(deliveries: PackedDeliveries): void {
    const { lane } = deliveries;
    this.#delivered += deliveries.message.length;
    // A report takes fewer bytes than its deliveries take here.
    if (this.#delivered > this.#most) throw new Error(`there are more than ${this.#most} deliveries`);
    let log = this.#lanes.get(lane);
    if (!log) {
      log = new LaneLog(lane, this.#kinds);
      this.#lanes.set(lane, log);
    }
    log.push(deliveries);
    this.movements += deliveries.message.length;
    for (const [t] of deliveries.taken) this.tick(t);
  }

  #send(event: SendEvent): void {
    // A sender that waits reports each attempt, which is no movement.
    if (event.t1 !== undefined) this.movements++;
    const before = this.#sends.get(event.message);
    this.#sends.set(event.message, event);
    this.tick(event.t1 ?? event.t0);
    if (this.#watches.size > 0 && event.t1 !== undefined && before?.t1 === undefined)
      this.#returned(event.message);
  }

  #returned(message: number): void {
    for (const watch of this.#watches) {
      if (!watch.messages.has(message) || --watch.left > 0) continue;
      this.#watches.delete(watch);
      watch.resolve();
    }
  }

  /** Sends that an agent may have begun before it died and could not report: they have a beginning and no end. */
  #unheard(): SendEvent[] {
    const events: SendEvent[] = [];
    for (const { agent, first, count, t0 } of this.#open) {
      for (let message = first; message < first + count; message++) {
        if (!this.#sends.has(message)) events.push({ agent, message, t0 });
      }
    }
    return events;
  }

  /** Notes a time in a report. */
  tick(t: Time): void {
    if (t > this.now) this.now = t;
  }
}
