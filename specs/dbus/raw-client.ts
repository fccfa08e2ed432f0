// SPDX-License-Identifier: MIT
/** A D-Bus client on AF_UNIX that chooses every byte that it sends, and sees every byte that comes. */
import type { Chunk, OwnedFd } from '../../native/lib/index.ts';
import { UnixStream } from '../../native/lib/index.ts';
import { lengthOf, parse } from '../../runner/dbus/index.ts';
import { Client, type Draft, type Got } from './client.ts';

export class RawClient extends Client {
  readonly stream: UnixStream;
  #buffer = Buffer.alloc(0);
  #fds: OwnedFd[] = [];

  constructor(stream: UnixStream) {
    super();
    this.stream = stream;
  }

  /** A client that has said Hello, and has read its NameAcquired. */
  static join(path: string): Promise<RawClient> {
    return new RawClient(UnixStream.connect(path)).enter();
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

  async sendMessage(message: Draft): Promise<number> {
    const { serial, bytes } = this.marshalNext(message);
    await this.send(bytes);
    return serial;
  }

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
