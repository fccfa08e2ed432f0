// SPDX-License-Identifier: MIT
/** A client of a bus. */

import type { RawSocket } from './addon.ts';
import type { BusAddress } from './address.ts';
import { connectSocket } from './connect.ts';
import { adoptSocket, openSocket, type Protocol } from './open.ts';
import type { OwnedFd } from './owned-fd.ts';
import { BusSocket } from './socket.ts';
import type { WaitOptions } from './types.ts';

export interface ConnectOptions extends WaitOptions {
  /** Must be the protocol of the bus, else ECONNREFUSED. Default 'none'. */
  readonly protocol?: Protocol;
  readonly passCredentials?: boolean;
  readonly passSequence?: boolean;
  readonly passSecurity?: boolean;
  readonly timestamps?: boolean;
}

export class BusClient extends BusSocket {
  #address: BusAddress | undefined;

  /** Use connect or adopt. */
  protected constructor(raw: RawSocket) {
    super(raw);
  }

  /**
   * Connects to the bus at `path` (`@name`: abstract). Waits while its backlog is full. The client can talk to the
   * master at once, and to other clients after the master has admitted it.
   *
   * Rejects with BusError: ENOENT, EACCES, ECONNREFUSED, EPROTONOSUPPORT, EAFNOSUPPORT, …; or the signal's reason.
   */
  static async connect(path: string, options: ConnectOptions = {}): Promise<BusClient> {
    options.signal?.throwIfAborted();
    const raw = openSocket(options.protocol);
    try {
      const client = new BusClient(raw);
      // Before connecting: the first message may be queued when connect returns.
      if (options.passCredentials) client.passCredentials = true;
      if (options.passSecurity) client.passSecurity = true;
      if (options.timestamps) client.timestamps = true;
      await connectSocket(raw, path, options.signal);
      if (options.passSequence) client.passSequence = true;
      return client;
    } catch (error) {
      raw.close();
      throw error;
    }
  }

  /** Takes over a descriptor of a connected client socket: inherited, or received with a message. */
  static adopt(fd: number | OwnedFd): BusClient {
    return new BusClient(adoptSocket(fd));
  }

  /** The prefix-0 address that the kernel gave at connect: what receivers see as `from`. Kept after close. */
  get address(): BusAddress {
    this.#address ??= this.nameOf(false).address;
    return this.#address;
  }

  /** Whether the client has joined and is still on the bus. */
  get joined(): boolean {
    return this.busInt('BUS_JOIN_BUS') !== 0;
  }

  protected override rememberNames(): void {
    super.rememberNames();
    void this.address;
  }
}
