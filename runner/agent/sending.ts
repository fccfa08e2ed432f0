// SPDX-License-Identifier: MIT
/**
 * Carries out a send order: one message after another, each with its times; a failed send is a result, not an error.
 */

import { sleep } from '../common/clock.ts';
import { bytesOf, type Content } from '../topology/message.ts';
import { parseDestination } from './destination.ts';
import type { Pipes } from './pipes.ts';
import type { Order, PackedSend } from './protocol.ts';
import type { Reports } from './reports.ts';
import type { SendOptions, Socket, System } from './system.ts';

type SendOrder = Extract<Order, { do: 'send' }>;

interface Current {
  readonly message: number;
  readonly t0: number;
}

export class Sending {
  readonly #system: System;
  readonly #reports: Reports;
  readonly #pipes: Pipes;
  /** The send that is in progress on each socket. */
  readonly #current = new Map<Socket, Current>();

  constructor(system: System, reports: Reports, pipes: Pipes) {
    this.#system = system;
    this.#reports = reports;
    this.#pipes = pipes;
    reports.unfinished = () => this.#waiting();
  }

  /** Resolves when every message of the order was sent or has failed. */
  async play(order: SendOrder, socket: Socket, nonce: number): Promise<void> {
    const options: SendOptions = { ...parseDestination(order.to), nonblocking: order.nonblocking };
    const pipes = await this.#pipes.make(order.first, order.count, order.pipes);
    const content = contentOf(order);
    const start = this.#system.clock.now();
    for (let i = 0; i < order.count; i++) {
      if (order.rate !== undefined) await this.#until(start + (i * 1000) / order.rate);
      const message = order.first + i;
      const datagram = bytesOf(content, { seed: order.seed, number: message, nonce });
      const ends = pipes[i] ?? [];
      await this.#send(socket, message, datagram, ends.length > 0 ? { ...options, fds: ends } : options);
      this.#pipes.sent(ends);
      if (i < (order.prompt ?? 0)) this.#reports.flush();
    }
  }

  /**
   * Number of the message whose send waits for room, as the kernel says after all pending events were served; else
   * null.
   */
  async blocked(socket: Socket): Promise<number | null> {
    await this.#system.settled();
    return socket.blocked ? (this.#current.get(socket)?.message ?? null) : null;
  }

  async #send(socket: Socket, message: number, datagram: Buffer, options: SendOptions): Promise<void> {
    const current = { message, t0: this.#system.now() };
    this.#current.set(socket, current);
    let error: string | null = null;
    try {
      const sent = socket.send(datagram, options);
      if (socket.pendingSends > 0) this.#reports.touch();
      await sent;
    } catch (e) {
      error = errnoOf(e);
    }
    this.#current.delete(socket);
    this.#reports.send([message, current.t0, this.#system.now(), error]);
  }

  async #until(due: number): Promise<void> {
    const { clock } = this.#system;
    const left = due - clock.now();
    if (left > 0) await sleep(clock, left);
  }

  #waiting(): PackedSend[] {
    const rows: PackedSend[] = [];
    for (const [socket, { message, t0 }] of this.#current) {
      if (socket.pendingSends > 0) rows.push([message, t0, null, null]);
    }
    return rows;
  }
}

function contentOf({ payload, template, size }: SendOrder): Content {
  return {
    ...(payload !== undefined && { payload: Buffer.from(payload, 'base64') }),
    ...(template !== undefined && { template: Buffer.from(template, 'base64') }),
    ...(size && { size }),
  };
}

function errnoOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return code;
}
