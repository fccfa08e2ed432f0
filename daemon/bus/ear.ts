// SPDX-License-Identifier: MIT
/**
 * Hears everything on the bus for native clients that want messages for others. The kernel applies their rules to
 * signals alone, so this process selects, and sends them copies. These come from the bus, in the names of their senders.
 */
import { BusError, MASTER_ADDRESS, type Message, type OwnedFd } from '../../native/lib/index.ts';
import { DRIVER, forwarded, type Header, NotDbus, uniqueName } from '../../runner/dbus/index.ts';
import type { Driver } from '../driver/driver.ts';
import type { Peer } from '../driver/peer.ts';
import type { Attachment } from './attachment.ts';
import { checkMessage, closeAll } from './datagram.ts';
import { isGone } from './gone.ts';
import { Heard } from './heard.ts';
import { hears } from './hears.ts';
import { failure, type Log } from './log.ts';

export interface EarOptions {
  readonly driver: Driver;
  readonly log: Log;
  readonly attach: () => Promise<Attachment>;
  /** Waits until it is worth to attach again after a failure. */
  readonly pause: () => Promise<void>;
  /** Sends a copy to each of these clients, then closes its descriptors. */
  readonly copy: (to: readonly Peer[], bytes: Uint8Array, fds: readonly OwnedFd[]) => void;
  /** Disconnects a client that has missed messages. */
  readonly lose: (peer: Peer) => void;
}

export class Ear {
  readonly #options: EarOptions;
  readonly #listeners = new Set<Peer>();
  /** Absent for a moment after the kernel has evicted it. */
  #attachment: Attachment | undefined;
  #heard = new Heard();
  #closed = false;

  constructor(options: EarOptions) {
    this.#options = options;
  }

  /** Joins the bus, where it gets nothing yet. */
  async join(): Promise<void> {
    const attachment = await this.#options.attach();
    if (this.#closed) {
      end(attachment);
      return;
    }
    try {
      attachment.accepted.join();
    } catch (error) {
      end(attachment);
      throw error;
    }
    this.#attachment = attachment;
    void this.#listen(attachment);
  }

  /** From now on, the client gets what its rules select. */
  add(peer: Peer): void {
    const hears = this.#attachment && (this.#listeners.size > 0 || open(this.#attachment));
    if (hears) this.#listeners.add(peer);
    else this.#options.lose(peer);
  }

  delete(peer: Peer): void {
    if (!this.#listeners.delete(peer) || this.#listeners.size > 0) return;
    if (this.#attachment) shut(this.#attachment);
    this.#heard = new Heard();
  }

  close(): void {
    this.#closed = true;
    if (this.#attachment) end(this.#attachment);
  }

  async #listen(attachment: Attachment): Promise<void> {
    try {
      for await (const batch of attachment.client.batches()) for (const message of batch) this.#hear(message);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
    }
    if (this.#closed) return;
    // More messages came than this process could read.
    this.#attachment = undefined;
    end(attachment);
    this.#loseAll();
    await this.#return();
  }

  #loseAll(): void {
    for (const peer of [...this.#listeners]) this.#options.lose(peer);
  }

  /** Attaches again. Until that has succeeded, `add` disconnects clients that want to listen. */
  async #return(): Promise<void> {
    const { log, pause } = this.#options;
    let failing = false;
    while (!this.#closed && this.#attachment === undefined) {
      try {
        await this.join();
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        if (this.#closed) return;
        if (!failing) log(`cannot hear what clients send one another, and tries again: ${error.message}`);
        failing = true;
        await pause();
      }
    }
  }

  /**
   * Whether to copy a message to the client. A message to the client itself, or to many, reaches it without this
   * process; a monitor gets a copy even of those to many.
   */
  #wants(peer: Peer, header: Header, bytes: Uint8Array, sender: string): boolean {
    const { driver } = this.#options;
    const { destination, unixFds = 0 } = header;
    const isMonitor = peer.state === 'monitor';
    if (unixFds > 0 && !peer.fds) return false;
    if (destination === undefined ? !isMonitor : isFor(driver, destination, peer)) return false;
    if (isMonitor) return hears(driver, peer.monitors, header, bytes, sender);
    return (
      driver.policy.mayReceive(driver.ownerOf(sender), header, peer, false, true) &&
      hears(driver, peer.eavesdropping, header, bytes, sender)
    );
  }

  /** Copies that this process sends are heard here as well: the bus repeats a message then. */
  #hear(message: Message): void {
    const { data, fds, from, lost } = message;
    // The kernel has dropped copies before this message, since the queue was full, or descriptors of this one.
    if (lost !== undefined || message.controlTruncated) this.#loseAll();
    try {
      const header = checkMessage(message);
      const byBus = from === MASTER_ADDRESS;
      const sender = byBus ? (header.sender ?? DRIVER) : uniqueName(from);
      if (!this.#heard.isRepeated(byBus, sender, header.serial)) {
        this.#tell(header, sender, data, fds);
        return;
      }
    } catch (error) {
      if (!(error instanceof NotDbus)) this.#options.log(failure(error));
    }
    closeAll(fds);
  }

  #tell(header: Header, sender: string, data: Buffer, fds: readonly OwnedFd[]): void {
    const to = [...this.#listeners].filter((peer) => this.#wants(peer, header, data, sender));
    const isTrue = header.sender === sender;
    const bytes = isTrue || to.length === 0 ? data : Buffer.concat(forwarded(data, header, sender));
    this.#options.copy(to, bytes, fds);
  }
}

function end({ client, accepted }: Attachment): void {
  client.close();
  accepted.close();
}

/** Begins to hear everything. False if the kernel has evicted the attachment, which `#listen` has not noticed yet. */
function open({ accepted }: Attachment): boolean {
  try {
    accepted.addMatch('');
    accepted.setEavesdrop(true);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Stops hearing. Errors do not matter: there is no listener any more. */
function shut({ accepted }: Attachment): void {
  try {
    accepted.setEavesdrop(false);
    accepted.removeAllMatches();
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
  }
}

/** Whether this name, unique or well-known, is the client's. A monitor has no name, but still an address. */
const isFor = (driver: Driver, name: string, peer: Peer): boolean =>
  name === peer.name || driver.ownerOf(name) === peer;
