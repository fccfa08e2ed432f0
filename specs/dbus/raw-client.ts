// SPDX-License-Identifier: MIT
/** A D-Bus client that chooses every byte that it sends, and sees every byte that comes. */
import type { Chunk, OwnedFd } from '../../native/lib/index.ts';
import { UnixStream } from '../../native/lib/index.ts';
import {
  type Arg,
  type DbusMessage,
  lengthOf,
  marshal,
  parse,
  type ReceivedMessage,
} from '../../runner/dbus/index.ts';

const BUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const;

export interface Got extends ReceivedMessage {
  readonly bytes: Buffer;
  readonly fds: readonly OwnedFd[];
}

export class RawClient implements Disposable {
  readonly stream: UnixStream;
  /** Its unique name, once Hello is answered. */
  name = '';
  #serial = 0;
  #buffer = Buffer.alloc(0);
  #fds: OwnedFd[] = [];

  constructor(stream: UnixStream) {
    this.stream = stream;
  }

  /** A client that has said Hello, and has read its NameAcquired. */
  static async join(path: string): Promise<RawClient> {
    const client = new RawClient(UnixStream.connect(path));
    await client.authenticate();
    const { args } = await client.call('Hello');
    client.name = args[0]?.value as string;
    await client.until(({ member }) => member === 'NameAcquired');
    return client;
  }

  async authenticate(): Promise<void> {
    const uid = Buffer.from(String(process.getuid?.())).toString('hex');
    await this.stream.write(Buffer.from(`\0AUTH EXTERNAL ${uid}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n`));
    await this.line();
    await this.line();
  }

  /** The next line of SASL, without its end; undefined if the bus has closed the connection. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#buffer.toString('latin1', 0, end);
        this.#buffer = this.#buffer.subarray(end + 2);
        return line;
      }
      if (!(await this.#more())) return undefined;
    }
  }

  send(bytes: Uint8Array, fds: readonly { readonly fd: number }[] = []): Promise<void> {
    return this.stream.write(bytes, { fds });
  }

  /** Sends a message with the next serial, which it returns. */
  async sendMessage(message: Omit<DbusMessage, 'endian' | 'args'> & Partial<DbusMessage>): Promise<number> {
    const serial = ++this.#serial;
    await this.send(marshal({ endian: 'little', args: [], ...message }, serial));
    return serial;
  }

  /** A call of the driver, and its answer: a return or an error. Other messages that come meanwhile are passed over. */
  async call(member: string, args: readonly Arg[] = [], more: Partial<DbusMessage> = {}): Promise<Got> {
    const serial = await this.sendMessage({ type: 'method_call', ...BUS, member, args, ...more });
    return this.until(({ replySerial }) => replySerial === serial);
  }

  /** The first message from now on of which this is true. Throws if the connection ends before. */
  async until(wanted: (message: Got) => boolean): Promise<Got> {
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error('the bus has closed the connection');
      if (wanted(message)) return message;
    }
  }

  /** The next message; undefined if the bus has closed the connection. */
  async next(): Promise<Got | undefined> {
    for (;;) {
      const length = lengthOf(this.#buffer);
      if (length !== undefined && this.#buffer.length >= length) return this.#cut(length);
      if (!(await this.#more())) return undefined;
    }
  }

  close(): void {
    for (const fd of this.#fds) fd.close();
    this.stream.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #cut(length: number): Got {
    const bytes = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    const message = parse(bytes);
    return { ...message, bytes, fds: this.#fds.splice(0, message.unixFds ?? 0) };
  }

  async #more(): Promise<boolean> {
    const { data, fds } = await receive(this.stream);
    this.#buffer = Buffer.concat([this.#buffer, data]);
    this.#fds.push(...fds);
    return data.length > 0;
  }
}

/** What comes next. A reset is an end as well: the other side has not read all of ours. */
export async function receive(stream: UnixStream): Promise<Chunk> {
  try {
    return await stream.receive();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return { data: Buffer.alloc(0), fds: [] };
    throw error;
  }
}
