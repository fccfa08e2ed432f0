// SPDX-License-Identifier: MIT
/** A D-Bus client on AF_BUS itself: each datagram is one message, and it chooses every byte and address. */
import { BusClient, MASTER_ADDRESS, type Message, multicastAddress } from '../../native/lib/index.ts';
import { parse, uniqueName } from '../../runner/dbus/index.ts';
import { Client, type Draft, type Got } from '../dbus/client.ts';

const EVERYONE = multicastAddress(0);
/** The address that a unique name says. */
export const addressOf = (name: string): string => `0000/${name.slice(3).padStart(12, '0')}`;

/** A message, and the address that it came from as the kernel says. */
export interface Heard extends Got {
  readonly from: string;
}

interface To {
  /** An AF_BUS address; the master if there is none. */
  readonly to?: string;
  readonly fds?: readonly { readonly fd: number }[];
}

export class NativeClient extends Client<Heard> {
  readonly socket: BusClient;
  readonly #heard: Message[] = [];

  private constructor(socket: BusClient) {
    super();
    this.socket = socket;
  }

  static async connect(path: string): Promise<NativeClient> {
    return new NativeClient(await BusClient.connect(path, { protocol: 'dbus' }));
  }

  /** A client that has said Hello, and has read its NameAcquired. */
  static async join(path: string): Promise<NativeClient> {
    return (await NativeClient.connect(path)).enter();
  }

  async authenticate(): Promise<void> {
    await this.socket.send('\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n');
    for (let answer = ''; !answer.includes('AGREE_UNIX_FD\r\n'); ) {
      const message = await this.#take();
      if (message === undefined) throw new Error(`the bus has closed the connection after ${answer}`);
      answer += message.data.toString('latin1');
    }
  }

  /** Sends signals to everyone, all else by way of the master, unless it is told where. */
  async sendMessage(
    message: Draft,
    to: To = message.type === 'signal' && message.destination === undefined ? { to: EVERYONE } : {},
  ): Promise<number> {
    const { serial, bytes } = this.marshalNext(message);
    await this.socket.send(bytes, to);
    return serial;
  }

  async next(): Promise<Heard | undefined> {
    const datagram = await this.#take();
    if (datagram === undefined) return undefined;
    const { data, from, fds } = datagram;
    const message = parse(data);
    // The kernel knows the sender of what comes past the master.
    const sender = from === MASTER_ADDRESS ? message.sender : uniqueName(from);
    return { ...message, ...(sender !== undefined && { sender }), bytes: data, from, fds };
  }

  close(): void {
    this.socket.close();
  }

  async #take(): Promise<Message | undefined> {
    if (this.#heard.length === 0) this.#heard.push(...(await this.socket.receive()));
    return this.#heard.shift();
  }
}
