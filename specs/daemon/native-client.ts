// SPDX-License-Identifier: MIT
/** A D-Bus client on AF_BUS itself: each datagram is one message, and it chooses every byte and address. */
import { BusClient, MASTER_ADDRESS, type Message, multicastAddress } from '../../native/lib/index.ts';
import { type Arg, type DbusMessage, DRIVER, marshal, parse, uniqueName } from '../../runner/dbus/index.ts';
import type { Got } from '../dbus/raw-client.ts';

const EVERYONE = multicastAddress(0);
/** The address that a unique name says. */
export const addressOf = (name: string): string => `0000/${name.slice(3).padStart(12, '0')}`;
const BUS = { destination: DRIVER, path: '/org/freedesktop/DBus', interface: DRIVER } as const;

/** A message, and the address that it came from as the kernel says. */
export interface Heard extends Got {
  readonly from: string;
}

interface To {
  /** An AF_BUS address; the master if there is none. */
  readonly to?: string;
  readonly fds?: readonly { readonly fd: number }[];
}

export class NativeClient implements Disposable {
  readonly socket: BusClient;
  /** Its unique name, once Hello is answered. */
  name = '';
  #serial = 0;
  readonly #heard: Message[] = [];

  private constructor(socket: BusClient) {
    this.socket = socket;
  }

  static async connect(path: string): Promise<NativeClient> {
    return new NativeClient(await BusClient.connect(path, { protocol: 'dbus' }));
  }

  /** A client that has said Hello, and has read its NameAcquired. */
  static async join(path: string): Promise<NativeClient> {
    const client = await NativeClient.connect(path);
    await client.authenticate();
    const { args } = await client.call('Hello');
    client.name = args[0]?.value as string;
    await client.until(({ member }) => member === 'NameAcquired');
    return client;
  }

  async authenticate(): Promise<void> {
    await this.socket.send('\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n');
    for (let answer = ''; !answer.includes('AGREE_UNIX_FD\r\n'); ) {
      const message = await this.#take();
      if (message === undefined) throw new Error(`the bus has closed the connection after ${answer}`);
      answer += message.data.toString('latin1');
    }
  }

  /** Sends a message with the next serial, which it returns: signals to everyone, all else by way of the master. */
  async sendMessage(
    message: Omit<DbusMessage, 'endian' | 'args'> & Partial<DbusMessage>,
    to: To = message.type === 'signal' && message.destination === undefined ? { to: EVERYONE } : {},
  ): Promise<number> {
    const serial = ++this.#serial;
    const bytes = marshal({ endian: 'little', args: [], ...message }, serial);
    await this.socket.send(bytes, to);
    return serial;
  }

  /** A call of the driver, and its answer: a return or an error. Other messages that come meanwhile are passed over. */
  async call(member: string, args: readonly Arg[] = [], more: Partial<DbusMessage> = {}): Promise<Heard> {
    const message: DbusMessage = { type: 'method_call', endian: 'little', ...BUS, member, args, ...more };
    const serial = ++this.#serial;
    await this.socket.send(marshal(message, serial));
    return this.until(({ replySerial }) => replySerial === serial);
  }

  /** The first message from now on of which this is true. Throws if the connection ends before. */
  async until(wanted: (message: Heard) => boolean): Promise<Heard> {
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error('the bus has closed the connection');
      if (wanted(message)) return message;
    }
  }

  /** The next message; undefined if the bus has expelled this client. */
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

  [Symbol.dispose](): void {
    this.close();
  }

  async #take(): Promise<Message | undefined> {
    if (this.#heard.length === 0) this.#heard.push(...(await this.socket.receive()));
    return this.#heard.shift();
  }
}
