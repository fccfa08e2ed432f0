// SPDX-License-Identifier: MIT
/** A D-Bus connection over an AF_BUS socket: each datagram is one message, and the kernel says who sent it. */
import { randomInt } from 'node:crypto';
import {
  addressFromBigInt,
  BusClient,
  BusError,
  MASTER_ADDRESS,
  type Message,
  type OwnedFd,
} from '../native/lib/index.ts';
import {
  BadValue,
  type DbusMessage,
  DRIVER,
  marshal,
  NotDbus,
  parsed,
  type ReceivedMessage,
  readHeader,
  uniqueName,
} from '../runner/dbus/index.ts';
import { DbusError, ERROR } from './error.ts';
import { Routes } from './routes.ts';

/** A received message. Its sender is the true one, not the one that its header claims. */
export interface Received extends ReceivedMessage {
  /** It came from its sender itself, not through the master. */
  readonly direct?: boolean;
  /** The receiver of the message must close them. */
  readonly fds: readonly OwnedFd[];
}

/** A message to send, without the fields that the connection fills in. */
export type Draft = Omit<DbusMessage, 'endian' | 'sender' | 'unixFds'>;

export interface Sending {
  /** The caller keeps them, and keeps them open until the message is sent. */
  readonly fds?: readonly { readonly fd: number }[] | undefined;
  /** Cancels a message that waits for room. */
  readonly signal?: AbortSignal;
}

const LAST_SERIAL = 0xffff_ffff;
export const LOGIN = '\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n';

export class Connection {
  readonly #socket: BusClient;
  readonly #routes = new Routes();

  private constructor(socket: BusClient) {
    this.#socket = socket;
  }

  /** Connects to a bus and authenticates. Rejects with BusError, DbusError (AuthFailed), or the signal's reason. */
  static async open(path: string, signal?: AbortSignal): Promise<Connection> {
    const waiting = signal && { signal };
    const socket = await BusClient.connect(path, { protocol: 'dbus', ...waiting });
    try {
      await socket.send(LOGIN, waiting);
      for (let answer = ''; !answer.includes('AGREE_UNIX_FD\r\n'); ) {
        const datagrams = await socket.receive(waiting);
        answer += datagrams.map(({ data }) => data.toString('latin1')).join('');
        if (datagrams.length === 0 || /^(REJECTED|ERROR)/m.test(answer)) throw refusal(answer);
      }
      return new Connection(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /**
   * A serial for the next message that no other client can guess: if a well-known name is called, the serial is all
   * that identifies the reply.
   */
  newSerial(): number {
    return randomInt(1, LAST_SERIAL);
  }

  /** Rejects with BusError, BadValue, or the signal's reason. */
  async send(message: Draft, serial: number, { fds = [], ...waiting }: Sending = {}): Promise<void> {
    const count = fds.length > 0 && { unixFds: fds.length };
    const bytes = marshal({ ...message, ...count, endian: 'little' }, serial);
    checkHeader(bytes);
    const to = this.#routes.to(message.destination);
    await this.#socket.send(bytes, { to, fds, ...waiting }).catch((error) => {
      if (to === MASTER_ADDRESS || !isRefusal(error)) throw error;
      return this.#socket.send(bytes, { fds, ...waiting });
    });
  }

  /** Messages in the order of the bus, until the connection ends. */
  async *messages(): AsyncGenerator<Received, void, undefined> {
    for await (const datagrams of this.#socket.batches()) {
      for (const datagram of datagrams) {
        const message = received(datagram);
        if (message === undefined) discard(datagram);
        else if (isForwarded(message)) this.#learn(message);
        else yield message;
      }
    }
  }

  close(): void {
    this.#socket.close();
  }

  #learn({ args: [name, address] }: Received): void {
    if (name?.type === 's' && address?.type === 't')
      this.#routes.learn(name.value as string, addressFromBigInt(BigInt(address.value as bigint)));
  }
}

/** Why the bus refuses this process. */
export const refusal = (answer: string): DbusError =>
  new DbusError(`${ERROR}AuthFailed`, `the bus does not let this process in: ${answer.trim()}`);

/**
 * The kernel refuses a message to another client: it goes to the master, which knows what to do, since the recipient may
 * have closed or shut down. If this client itself was expelled, the master cannot be reached either.
 */
const isRefusal = (error: unknown): boolean =>
  error instanceof BusError && (error.code === 'EPIPE' || error.code === 'EHOSTUNREACH');

/** Closes the descriptors that nobody has taken. */
export function discard({ fds }: Pick<Received, 'fds'>): void {
  for (const fd of fds) fd.close();
}

/** The master expels the sender of an invalid message, and other clients ignore it. Throws BadValue. */
function checkHeader(bytes: Uint8Array): void {
  try {
    readHeader(bytes);
  } catch (error) {
    throw error instanceof NotDbus ? new BadValue(error.message) : error;
  }
}

/** Undefined for an invalid message, or if it came with another number of descriptors than it states. */
function received({ data, from, fds }: Message): Received | undefined {
  const message = parsed(data);
  if (message === undefined || (message.unixFds ?? 0) !== fds.length) return undefined;
  // For a message that the master forwards, the header names the sender.
  const direct = from !== MASTER_ADDRESS;
  const sender = direct ? uniqueName(from) : (message.sender ?? DRIVER);
  return { ...message, sender, direct, fds };
}

const isForwarded = ({ type, sender, interface: iface, member }: Received): boolean =>
  type === 'signal' && sender === DRIVER && iface === `${DRIVER}.AF_BUS` && member === 'Forwarded';
