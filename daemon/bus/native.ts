// SPDX-License-Identifier: MIT
/** A native client. It authenticates with the master, with one line or more per message, and says Hello. */
import { type AcceptedClient, BusError, type Message } from '../../native/lib/index.ts';
import { SaslServer } from '../../runner/dbus/index.ts';
import { Peer } from '../driver/peer.ts';
import { type Bus, type Connection, RESTRICTED } from './bus.ts';
import { closeAll } from './datagram.ts';
import { failure } from './log.ts';

export class Native implements Connection {
  readonly #bus: Bus;
  readonly accepted: AcceptedClient;
  readonly #sasl: SaslServer;
  #peer: Peer | undefined;
  #closed = false;

  constructor(bus: Bus, accepted: AcceptedClient) {
    this.#bus = bus;
    this.accepted = accepted;
    const { uid } = accepted.credentials;
    const { guid, mechanisms } = bus;
    this.#sasl = new SaslServer({ uid, guid, mechanisms, fds: true });
  }

  get peer(): Peer {
    return this.#peer as Peer;
  }

  /** Serves the client until it leaves, or must leave. */
  async run(): Promise<void> {
    const late = setTimeout(() => this.#late(), this.#bus.driver.limits.auth_timeout);
    late.unref();
    this.#bus.newcomers.add(this);
    try {
      for await (const message of this.accepted.messages()) {
        if (this.#peer) this.#bus.handle(this, message);
        else this.#authenticate(message);
        if (this.#closed) break;
      }
    } catch (error) {
      if (!(error instanceof BusError)) this.close(failure(error));
    } finally {
      clearTimeout(late);
      this.close();
    }
  }

  eavesdrop(on: boolean): void {
    this.#bus.hear(this.peer, on);
  }

  becomeMonitor(): void {
    this.accepted.removeAllMatches();
    this.#bus.hear(this.peer, true);
  }

  close(reason?: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#bus.newcomers.delete(this);
    if (reason !== undefined) this.#bus.log(`disconnected: ${reason}`, this.#peer);
    this.accepted.expel();
    if (this.#peer) this.#bus.remove(this);
    else this.accepted.close();
  }

  #late(): void {
    if (this.#peer === undefined || this.#peer.state === 'new') this.close('it has not said Hello in time');
  }

  #authenticate({ data, fds }: Message): void {
    closeAll(fds);
    const { answer, state, reason } = this.#sasl.feed(data);
    if (answer !== '') void this.accepted.send(answer).catch(() => {});
    if (state === 'closed') this.close(`authentication: ${reason}`);
    if (state === 'done') this.#begin();
  }

  /** What follows BEGIN is a message of its own. */
  #begin(): void {
    if (this.#sasl.rest.length > 0) {
      this.close('more than its authentication in one message');
      return;
    }
    const { pid, uid, gid } = this.accepted.credentials;
    const { driver } = this.#bus;
    const peer = new Peer(
      this.accepted.peer,
      { pid, uid, groups: [gid] },
      { fds: this.#sasl.fds, tracked: false },
    );
    if (!driver.policy.mayConnect(peer)) {
      this.close('the policy does not let its user connect');
      return;
    }
    if (driver.restricts(peer)) {
      this.close(RESTRICTED);
      return;
    }
    this.#peer = peer;
    this.#bus.add(this);
  }
}
