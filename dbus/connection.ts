// SPDX-License-Identifier: MIT
/** A socket of AF_BUS that speaks D-Bus: each datagram is one message, and the kernel says who sent it. */
import { randomInt } from 'node:crypto';
import {
  addressFromBigInt,
  BusClient,
  MASTER_ADDRESS,
  type Message,
  type OwnedFd,
} from '../native/lib/index.ts';
import {
  type DbusMessage,
  DRIVER,
  marshal,
  parsed,
  type ReceivedMessage,
  uniqueName,
} from '../runner/dbus/index.ts';
import { DbusError, ERROR } from './error.ts';
import { Routes } from './routes.ts';

/** A message that has come. Its sender is the true one, whatever it says of itself. */
export interface Received extends ReceivedMessage {
  /** Whoever gets the message closes them. */
  readonly fds: readonly OwnedFd[];
}

/** A message to send, but for what the connection knows. */
export type Draft = Omit<DbusMessage, 'endian' | 'sender' | 'unixFds'>;

const LAST_SERIAL = 0xffff_ffff;
const LOGIN = '\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n';

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
        if (datagrams.length === 0 || /^(REJECTED|ERROR)/m.test(answer))
          throw new DbusError(`${ERROR}AuthFailed`, `the bus does not let this process in: ${answer.trim()}`);
      }
      return new Connection(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /**
   * A number for the next message. Nobody can guess it: a reply is taken for one by it alone where the callee is known
   * by a well-known name only.
   */
  newSerial(): number {
    return randomInt(1, LAST_SERIAL);
  }

  /** Sends a message; its descriptors stay the caller's. Rejects with BusError, BadValue. */
  async send(message: Draft, serial: number, fds: readonly { readonly fd: number }[] = []): Promise<void> {
    const count = fds.length > 0 && { unixFds: fds.length };
    const bytes = marshal({ ...message, ...count, endian: 'little' }, serial);
    await this.#socket.send(bytes, { to: this.#routes.to(message.destination), fds });
  }

  /** Messages in the order of the bus, until the connection ends. */
  async *messages(): AsyncGenerator<Received, void, undefined> {
    for await (const datagrams of this.#socket.batches()) {
      for (const datagram of datagrams) {
        const message = received(datagram);
        if (message === undefined) for (const fd of datagram.fds) fd.close();
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

/** Undefined for what is no message, or has not as many descriptors as it says. */
function received({ data, from, fds }: Message): Received | undefined {
  const message = parsed(data);
  if (message === undefined || (message.unixFds ?? 0) !== fds.length) return undefined;
  // The master says in whose name it forwards.
  const sender = from === MASTER_ADDRESS ? (message.sender ?? DRIVER) : uniqueName(from);
  return { ...message, sender, fds };
}

const isForwarded = ({ type, sender, interface: iface, member }: Received): boolean =>
  type === 'signal' && sender === DRIVER && iface === `${DRIVER}.AF_BUS` && member === 'Forwarded';
