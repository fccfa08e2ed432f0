// SPDX-License-Identifier: MIT
/** A client of a message bus over AF_UNIX, like the programs for other buses: the bus says who sent a message. */
import { type OwnedFd, UnixStream } from '../native/lib/index.ts';
import { Framer, MAX_MESSAGE, marshal, parse, type ReceivedMessage } from '../runner/dbus/index.ts';
import { type Draft, LOGIN, type Received, refusal, type Sending } from './connection.ts';

export class StreamConnection {
  readonly #stream: UnixStream;
  readonly #framer = new Framer(MAX_MESSAGE);
  /** Descriptors whose message has not come as a whole. */
  readonly #fds: OwnedFd[] = [];

  private constructor(stream: UnixStream) {
    this.#stream = stream;
  }

  /** Connects to a listener and authenticates. Rejects with BusError or DbusError (AuthFailed). */
  static async open(path: string): Promise<StreamConnection> {
    const stream = UnixStream.connect(path);
    try {
      await stream.write(Buffer.from(LOGIN));
      for (let answer = ''; !answer.includes('AGREE_UNIX_FD\r\n'); ) {
        const { data } = await stream.receive();
        answer += data.toString('latin1');
        if (data.length === 0 || /^(REJECTED|ERROR)/m.test(answer)) throw refusal(answer);
      }
      return new StreamConnection(stream);
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /** Rejects with BusError or BadValue. */
  async send(message: Draft, serial: number, { fds = [] }: Sending = {}): Promise<void> {
    const count = fds.length > 0 && { unixFds: fds.length };
    await this.#stream.write(marshal({ ...message, ...count, endian: 'little' }, serial), { fds });
  }

  /** Messages in the order of the bus, until the connection ends. */
  async *messages(): AsyncGenerator<Received, void, undefined> {
    for (;;) {
      for (let bytes = this.#framer.next(); bytes !== undefined; bytes = this.#framer.next())
        yield this.#withFds(parse(bytes));
      const { data, fds } = await this.#stream.receive();
      this.#fds.push(...fds);
      if (data.length === 0) return;
      this.#framer.push(data);
    }
  }

  close(): void {
    this.#stream.close();
    for (const fd of this.#fds.splice(0)) fd.close();
  }

  /** Descriptors come with the first byte of their message, or before it: those of a message are the first ones. */
  #withFds(message: ReceivedMessage): Received {
    return { ...message, fds: this.#fds.splice(0, message.unixFds ?? 0) };
  }
}
