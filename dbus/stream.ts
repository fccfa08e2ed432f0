// SPDX-License-Identifier: MIT
/** A client of a message bus over AF_UNIX, like the programs for other buses: the bus says who sent a message. */
import { UnixStream } from '../native/lib/index.ts';
import { Framer, MAX_MESSAGE, marshal, parse } from '../runner/dbus/index.ts';
import { type Draft, discard, LOGIN, type Received, refusal } from './connection.ts';

export class StreamConnection {
  readonly #stream: UnixStream;
  readonly #framer = new Framer(MAX_MESSAGE);

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
  async send(message: Draft, serial: number): Promise<void> {
    await this.#stream.write(marshal({ ...message, endian: 'little' }, serial));
  }

  /** Messages in the order of the bus, until the connection ends. */
  async *messages(): AsyncGenerator<Received, void, undefined> {
    for (;;) {
      for (let bytes = this.#framer.next(); bytes !== undefined; bytes = this.#framer.next())
        yield { ...parse(bytes), fds: [] };
      const chunk = await this.#stream.receive();
      discard(chunk);
      if (chunk.data.length === 0) return;
      this.#framer.push(chunk.data);
    }
  }

  close(): void {
    this.#stream.close();
  }
}
