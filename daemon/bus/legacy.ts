// SPDX-License-Identifier: MIT
/** A client that speaks D-Bus over AF_UNIX. It has its own attachment to the bus, so it is a client like any other. */
import {
  BusError,
  MASTER_ADDRESS,
  type Message,
  type OwnedFd,
  type UnixStream,
} from '../../native/lib/index.ts';
import {
  check,
  DRIVER,
  Framer,
  forwarded,
  type Header,
  NotDbus,
  readHeader,
  SaslServer,
  uniqueName,
} from '../../runner/dbus/index.ts';
import { DriverError } from '../driver/error.ts';
import { errorTo } from '../driver/message.ts';
import { Peer } from '../driver/peer.ts';
import type { Recipient } from '../driver/policy.ts';
import type { Attachment } from './attachment.ts';
import { type Bus, type Connection, EVERYONE } from './bus.ts';
import { checkMessage, closeAll } from './datagram.ts';
import { isGone, isUnreachable } from './gone.ts';
import { Heard } from './heard.ts';
import { hears } from './hears.ts';
import { failure } from './log.ts';

/** Why the client must be disconnected. */
class Refused extends Error {}

/** An address; the master if there is none. */
interface Destination {
  readonly to?: string;
}

export class Legacy implements Connection {
  readonly #bus: Bus;
  readonly #stream: UnixStream;
  readonly #framer: Framer;
  /** Descriptors that came before the messages that they belong to. */
  readonly #fds: OwnedFd[] = [];
  #attachment: Attachment | undefined;
  #peer: Peer | undefined;
  #closed = false;
  /** Runs while descriptors wait for their message. */
  #overdue: NodeJS.Timeout | undefined;
  /** The serial of its call of BecomeMonitor, and whether it has the reply. */
  #monitorCall: number | undefined;
  #monitors = false;
  /** Only while it gets messages for others: it takes memory. */
  #heard: Heard | undefined;
  /** Descriptors of messages that the client has not read yet. */
  #pendingFds = 0;

  constructor(bus: Bus, stream: UnixStream) {
    this.#bus = bus;
    this.#stream = stream;
    this.#framer = new Framer(bus.driver.limits.max_message_size);
  }

  get peer(): Peer {
    return this.#peer as Peer;
  }

  get accepted() {
    return (this.#attachment as Attachment).accepted;
  }

  /** Serves the client until it leaves, or must leave. */
  async run(): Promise<void> {
    const late = setTimeout(() => this.#late(), this.#bus.driver.limits.auth_timeout);
    late.unref();
    this.#bus.newcomers.add(this);
    try {
      const sasl = await this.#authenticate();
      if (sasl === undefined) return;
      await this.#attach(sasl.fds);
      this.#framer.push(sasl.rest);
      await this.#readAll();
    } catch (error) {
      this.close(reasonIn(error));
    } finally {
      clearTimeout(late);
      this.close();
    }
  }

  eavesdrop(on: boolean): void {
    this.accepted.setEavesdrop(on);
    this.#heard = on ? new Heard() : undefined;
  }

  /** The kernel tells this process everything, which selects. */
  becomeMonitor(serial: number): void {
    this.#monitorCall = serial;
    this.#heard ??= new Heard();
    this.accepted.removeAllMatches();
    this.accepted.addMatch('');
    this.accepted.setEavesdrop(true);
  }

  close(reason?: string): void {
    if (this.#closed) return;
    this.#closed = true;
    if (reason !== undefined) this.#bus.log(`disconnected: ${reason}`, this.#peer);
    this.#bus.newcomers.delete(this);
    clearTimeout(this.#overdue);
    this.#stream.close();
    closeAll(this.#fds);
    this.#attachment?.client.close();
    // The bus does not know a client that the policy has refused.
    this.#attachment?.accepted.close();
    if (this.#peer) this.#bus.remove(this);
  }

  #late(): void {
    if (this.#peer === undefined || this.#peer.state === 'new') this.close('it has not said Hello in time');
  }

  /** The result of SASL; undefined if the client has left before its end. */
  async #authenticate(): Promise<SaslServer | undefined> {
    const { uid } = this.#stream.credentials;
    const { guid, mechanisms } = this.#bus;
    const sasl = new SaslServer({ uid, guid, mechanisms, fds: true });
    for (;;) {
      const { data, fds } = await this.#stream.receive();
      this.#addFds(fds);
      if (data.length === 0) return undefined;
      const { answer, state, reason } = sasl.feed(data);
      if (answer !== '') await this.#stream.write(Buffer.from(answer));
      if (state === 'closed') throw new Refused(`authentication: ${reason}`);
      if (state === 'done') return sasl;
    }
  }

  async #attach(fds: boolean): Promise<void> {
    const { pid, uid, gid } = this.#stream.credentials;
    const { security } = this.#stream;
    const groups = [...new Set([gid, ...this.#stream.groups])].toSorted((a, b) => a - b);
    const credentials = { pid, uid, groups, ...(security !== undefined && { security }) };
    const attachment = await this.#bus.attach();
    if (this.#closed) {
      attachment.client.close();
      attachment.accepted.close();
      throw new Refused('its time to say Hello is over');
    }
    this.#attachment = attachment;
    this.#peer = new Peer(attachment.client.address, credentials, { fds, tracked: true });
    if (!this.#bus.driver.policy.mayConnect(this.#peer))
      throw new Refused('the policy does not let its user connect');
    this.#bus.add(this);
    void this.#deliverAll(attachment);
  }

  async #readAll(): Promise<void> {
    for (;;) {
      for (let bytes = this.#framer.next(); bytes !== undefined; bytes = this.#framer.next())
        await this.#take(bytes);
      this.#watchFds();
      const { data, fds } = await this.#stream.receive();
      if (data.length === 0) return;
      this.#addFds(fds);
      if (fds.length > 0 && !this.peer.fds)
        throw new Refused('it has sent descriptors, which it has not negotiated');
      this.#framer.push(data);
    }
  }

  /** A message of the client: to the bus in its true name. */
  async #take(bytes: Buffer): Promise<void> {
    const { peer } = this;
    const header = check(bytes);
    const fds = this.#takeFds(header.unixFds ?? 0);
    const { driver } = this.#bus;
    if (peer.state === 'new' && (header.type !== 'method_call' || header.destination !== DRIVER))
      throw new Refused('it must say Hello first');
    if (peer.state === 'monitor') throw new Refused('a monitor must not send');
    const pieces = forwarded(bytes, header, peer.name);
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    try {
      if (length > this.#bus.maxMessage) this.#bus.refuseLength(peer, header, length);
      else
        await this.#send(
          Buffer.concat(pieces, length),
          header,
          this.#destination(driver.route(peer, header), header),
          fds,
        );
    } finally {
      closeAll(fds);
    }
    // What it was for the bus itself is done before the client's next message is looked at.
    if (!this.#closed) this.#bus.pump(this);
  }

  #destination(recipient: Recipient, { destination }: Header): Destination {
    if (recipient === 'bus') return {};
    return {
      to: recipient === 'everyone' ? EVERYONE : this.#bus.addressOf(destination as string, recipient),
    };
  }

  /** A message that the kernel refuses does not end the connection, unless the attachment itself has ended. */
  async #send(bytes: Buffer, header: Header, to: Destination, fds: readonly OwnedFd[]): Promise<void> {
    const { client } = this.#attachment as Attachment;
    try {
      await client.send(bytes, { ...to, fds }).catch((error) => {
        // The recipient may have shut down: the master knows what to do. If it was this client, that fails as well.
        if (isUnreachable(error)) return client.send(bytes, { fds });
        // The kernel may lack memory, or have expelled the attachment: then this is EPIPE.
        if (isFull(error)) return client.send(bytes, { ...to, fds });
        throw error;
      });
    } catch (error) {
      if (!(error instanceof BusError) || (isGone(error) && !isFull(error))) throw error;
      const { driver } = this.#bus;
      driver.replies.giveUp(this.peer, header.serial);
      const name = error.code === 'EPERM' ? 'AccessDenied' : 'LimitsExceeded';
      const refused = new DriverError(name, `The kernel does not take the message: ${error.message}`);
      this.#bus.perform(driver.refuse(this.peer, header, refused));
    }
  }

  /** Descriptors of at most one message wait for the rest of it. */
  #addFds(fds: readonly OwnedFd[]): void {
    this.#fds.push(...fds);
    const { max_message_unix_fds: most } = this.#bus.driver.limits;
    if (this.#fds.length > most)
      throw new Refused(`it has sent ${this.#fds.length} descriptors for a message, more than ${most}`);
  }

  #watchFds(): void {
    if (this.#fds.length === 0) {
      clearTimeout(this.#overdue);
      this.#overdue = undefined;
      return;
    }
    const { pending_fd_timeout: timeout } = this.#bus.driver.limits;
    this.#overdue ??= setTimeout(
      () => this.close(`descriptors have waited for their message for ${timeout} ms`),
      timeout,
    ).unref();
  }

  #takeFds(count: number): readonly OwnedFd[] {
    if (count > this.#fds.length)
      throw new Refused(`a message lacks ${count - this.#fds.length} of its descriptors`);
    return this.#fds.splice(0, count);
  }

  /** Passes on what comes for the client, until it leaves. */
  async #deliverAll({ client }: Attachment): Promise<void> {
    try {
      for await (const batch of client.batches()) {
        for (const message of batch) this.#deliver(message);
        // A client that does not read is cut off by its own delivery.
        if (this.#closed) return;
      }
      this.close('the kernel has expelled it: more messages came for it than the bus could pass on');
    } catch (error) {
      this.close(error instanceof BusError ? error.message : failure(error));
    }
  }

  #deliver(message: Message): void {
    const { data, fds, lost } = message;
    if (lost !== undefined) {
      this.close('more messages for others came than the bus could copy to it');
      closeAll(fds);
      return;
    }
    const from = this.#bus.peerAt(message.from);
    const isBus = message.from === MASTER_ADDRESS;
    try {
      if (message.controlTruncated) {
        closeAll(fds);
        this.#miss(readHeader(data), from);
        return;
      }
      // The bus has checked what a tracked client sends. Any other client, and one that has left, may send anything.
      const said = isBus || from?.tracked ? readHeader(data) : checkMessage(message);
      const sender = isBus ? said.sender : uniqueName(message.from);
      if (this.#isRepeated(isBus, sender, said.serial)) {
        closeAll(fds);
        return;
      }
      if (this.#wants({ ...said, ...(sender !== undefined && { sender }) }, data, from)) {
        const isTrue = sender === undefined || sender === said.sender;
        void this.#write(isTrue ? [data] : forwarded(data, said, sender), fds);
        return;
      }
    } catch (error) {
      const why = error instanceof NotDbus ? `it is no D-Bus message: ${error.message}` : failure(error);
      this.#bus.log(`dropped a message: ${why}`, from);
    }
    closeAll(fds);
  }

  /** The bus has no room for the descriptors of a message for this client: somebody learns of it. */
  #miss(header: Header, from: Peer | undefined): void {
    const { peer } = this;
    if (!peer.fds) return;
    const { driver } = this.#bus;
    const { type, destination, serial, replySerial } = header;
    const noRoom = new DriverError(
      'LimitsExceeded',
      'The bus has no room for the descriptors of the message',
    );
    const isForIt = destination !== undefined && this.#isAddressed(header);
    if (isForIt && type === 'method_call' && from) {
      driver.replies.giveUp(from, serial);
      this.#bus.perform(driver.refuse(from, header, noRoom));
    } else if (isForIt && replySerial !== undefined) {
      // The reply of a tracked client was settled when it was passed on. Other clients may answer calls of others.
      const isExpected = from && (from.tracked || driver.replies.settle(peer, replySerial, from));
      if (isExpected)
        this.#bus.perform([{ do: 'send', to: peer, message: errorTo(peer, replySerial, noRoom) }]);
    } else this.close('the bus has no room for the descriptors of a message for it');
  }

  #isRepeated(isBus: boolean, sender: string | undefined, serial: number): boolean {
    return this.#heard?.isRepeated(isBus, sender ?? DRIVER, serial) ?? false;
  }

  /** `header` has the true sender; `from` is that client, undefined for the bus and for a client that has left. */
  #wants(header: Header, bytes: Buffer, from: Peer | undefined): boolean {
    const { peer } = this;
    const { driver } = this.#bus;
    const { sender = DRIVER } = header;
    if ((header.unixFds ?? 0) > 0 && !peer.fds) return false;
    // What was sent to it before it became a monitor still comes: the reply, and the loss of its names.
    if (peer.state === 'monitor') {
      if (header.destination !== peer.name)
        return this.#monitors && hears(driver, peer.monitors, header, bytes, sender);
      this.#monitors ||= sender === DRIVER && header.replySerial === this.#monitorCall;
    }
    if (peer.eavesdrops && !this.#isAddressed(header))
      return this.#may(header, from, true) && hears(driver, peer.eavesdropping, header, bytes, sender);
    const { replySerial } = header;
    const { replies } = driver;
    // The bus tells of a reply that will not come; it may have come.
    if (replySerial !== undefined && sender === DRIVER && header.errorName === NO_REPLY)
      return replies.giveUp(peer, replySerial);
    const reply = replySerial !== undefined && from !== undefined && replies.settle(peer, replySerial, from);
    // The bus asked the policy about a message for this client alone when it passed the message on.
    const isJudged = header.destination !== undefined && from?.tracked !== false;
    return isJudged || this.#may(header, from, false, reply);
  }

  /** Whether the policy lets this client have what is for many or for another, or comes past the bus. */
  #may(header: Header, from: Peer | undefined, eavesdropping: boolean, reply = false): boolean {
    const { policy } = this.#bus.driver;
    if (from && !eavesdropping && !policy.maySend(from, header, this.peer, reply)) return false;
    return policy.mayReceive(from, header, this.peer, reply, eavesdropping);
  }

  /** To everyone, or to a name of this client. */
  #isAddressed({ destination }: Header): boolean {
    return destination === undefined || this.#bus.driver.ownerOf(destination) === this.peer;
  }

  async #write(bytes: readonly Uint8Array[], fds: readonly OwnedFd[]): Promise<void> {
    try {
      const writing = this.#stream.write(bytes, { fds });
      const { max_outgoing_bytes: most } = this.#bus.driver.limits;
      if (this.#stream.pendingBytes > most) this.close('it does not read: max_outgoing_bytes wait for it');
      if (fds.length > 0 && this.#stream.pendingBytes > 0) await this.#holding(fds.length, writing);
      else await writing;
    } catch (error) {
      this.close(reasonIn(error));
    } finally {
      closeAll(fds);
    }
  }

  /**
   * Counts descriptors that the client has not taken. One that reads takes them before the next turn of the event loop.
   */
  async #holding(count: number, writing: Promise<void>): Promise<void> {
    this.#pendingFds += count;
    const isOver = () => this.#pendingFds > this.#bus.driver.limits.max_outgoing_unix_fds;
    if (isOver())
      setImmediate(() => {
        if (isOver()) this.close('it does not read: max_outgoing_unix_fds wait for it');
      });
    try {
      await writing;
    } finally {
      this.#pendingFds -= count;
    }
  }
}

const NO_REPLY = 'org.freedesktop.DBus.Error.NoReply';

/** Why the bus ends the connection; undefined if the client has. */
function reasonIn(error: unknown): string | undefined {
  if (error instanceof Refused || error instanceof NotDbus) return error.message;
  if (!(error instanceof BusError)) return failure(error);
  return error.code === 'EMFILE' ? 'the bus has no room for the descriptors that it has sent' : undefined;
}

const isFull = (error: unknown): boolean => error instanceof BusError && error.code === 'ENOBUFS';
