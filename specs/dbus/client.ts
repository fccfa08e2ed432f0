// SPDX-License-Identifier: MIT
/** A D-Bus client for specs, whatever carries its messages. */
import type { OwnedFd } from '../../native/lib/index.ts';
import {
  type Arg,
  type DbusMessage,
  DRIVER,
  marshal,
  type ReceivedMessage,
} from '../../runner/dbus/index.ts';

const BUS = { destination: DRIVER, path: '/org/freedesktop/DBus', interface: DRIVER } as const;

export interface Got extends ReceivedMessage {
  readonly bytes: Buffer;
  readonly fds: readonly OwnedFd[];
}

/** A message as a spec writes it: little-endian and without arguments unless it says otherwise. */
export type Draft = Omit<DbusMessage, 'endian' | 'args'> & Partial<DbusMessage>;

export abstract class Client<Heard extends Got = Got> implements Disposable {
  /** Its unique name, once Hello is answered. */
  name = '';
  #serial = 0;

  abstract authenticate(): Promise<void>;
  /** Sends a message with the next serial, which it returns. */
  abstract sendMessage(message: Draft): Promise<number>;
  /** The next message; undefined if the bus has ended the connection. */
  abstract next(): Promise<Heard | undefined>;
  abstract close(): void;

  /** Authenticates, says Hello, and reads its NameAcquired. */
  async enter(): Promise<this> {
    await this.authenticate();
    const { args } = await this.call('Hello');
    this.name = args[0]?.value as string;
    await this.until(({ member }) => member === 'NameAcquired');
    return this;
  }

  /** A call of the driver, and its answer: a return or an error. Other messages that come meanwhile are passed over. */
  async call(member: string, args: readonly Arg[] = [], more: Partial<DbusMessage> = {}): Promise<Heard> {
    const serial = await this.sendMessage({ type: 'method_call', ...BUS, member, args, ...more });
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

  [Symbol.dispose](): void {
    this.close();
  }

  protected marshalNext(message: Draft): { readonly serial: number; readonly bytes: Buffer } {
    const serial = ++this.#serial;
    return { serial, bytes: marshal({ endian: 'little', args: [], ...message }, serial) };
  }
}
