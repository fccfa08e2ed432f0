// SPDX-License-Identifier: MIT
/**
 * The server's side of D-Bus authentication (D-Bus Specification, "Authentication Protocol"), as dbus-daemon speaks it.
 * Bytes in, lines out.
 */
import { isUtf8 } from 'node:buffer';

export type Mechanism = 'EXTERNAL' | 'ANONYMOUS';

export interface SaslOptions {
  /** The user at the other end, according to the kernel. */
  readonly uid: number;
  /** The server's identity: 32 hex digits. */
  readonly guid: string;
  readonly mechanisms: readonly Mechanism[];
  /** Whether the transport can pass descriptors. */
  readonly fds: boolean;
}

/** The result of some input. */
export interface SaslStep {
  /** Lines to send, with their line ends. */
  readonly answer: string;
  /** `open`: more lines are expected. `closed`: the connection must be closed after the answer. */
  readonly state: 'open' | 'closed' | 'done';
  /** Why it is closed. */
  readonly reason?: string;
}

/** Maximum number of bytes of an unfinished line. */
const MAX_PENDING = 16384;
/** Rejections after which the connection is closed. */
const MAX_REJECTED = 6;

/** State of the conversation: before AUTH, within a mechanism, or authenticated and before BEGIN. */
type Waiting = 'auth' | 'data' | 'begin';

export class SaslServer {
  readonly #options: SaslOptions;
  #pending = Buffer.alloc(0);
  #begun = false;
  #state: SaslStep['state'] = 'open';
  #reason: string | undefined;
  #answer = '';
  #waiting: Waiting = 'auth';
  #mechanism: Mechanism | undefined;
  /** Set if the client was asked for its identity. */
  #asked = false;
  #rejected = 0;
  #agreed = false;

  constructor(options: SaslOptions) {
    this.#options = options;
  }

  /** Whether the client may send descriptors. Valid after the end. */
  get fds(): boolean {
    return this.#agreed;
  }

  get mechanism(): Mechanism | undefined {
    return this.#mechanism;
  }

  /** Bytes after BEGIN, where messages begin. Valid after the end. */
  get rest(): Buffer {
    return this.#pending;
  }

  feed(bytes: Uint8Array): SaslStep {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    this.#answer = '';
    if (!this.#begun) this.#first();
    if (this.#state === 'open' && this.#pending.length > MAX_PENDING)
      this.#close('a line of more than 16 KiB');
    while (this.#state === 'open') {
      const line = this.#line();
      if (line === undefined) break;
      this.#command(line);
    }
    return {
      answer: this.#answer,
      state: this.#state,
      ...(this.#reason !== undefined && { reason: this.#reason }),
    };
  }

  /** Skips the byte that carries credentials on systems whose kernel does not know them. */
  #first(): void {
    if (this.#pending.length === 0) return;
    this.#begun = true;
    if (this.#pending[0] !== 0) this.#close('its first byte is not NUL');
    this.#pending = this.#pending.subarray(1);
  }

  #line(): string | undefined {
    const end = this.#pending.indexOf('\r\n');
    if (end < 0) return undefined;
    const line = this.#pending.toString('latin1', 0, end);
    this.#pending = this.#pending.subarray(end + 2);
    return line;
  }

  #command(line: string): void {
    if (/[^\0-\x7f]/.test(line)) {
      this.#error('Command contained non-ASCII');
      return;
    }
    const [, command = '', args = ''] = /^([^ \t]*)[ \t]*(.*)$/s.exec(line) ?? [];
    if (command === 'AUTH') this.#auth(args);
    else if (command === 'DATA') this.#data(args);
    else if (command === 'BEGIN') this.#begin();
    else if (command === 'NEGOTIATE_UNIX_FD') this.#negotiate();
    else if (command === 'CANCEL' && this.#waiting === 'auth')
      this.#error('Not currently in an auth conversation');
    else if (command === 'CANCEL' || command === 'ERROR') this.#reject();
    else this.#error('Unknown command');
  }

  #auth(args: string): void {
    if (this.#waiting === 'data') this.#error('Sent AUTH while another AUTH in progress');
    else if (this.#waiting === 'begin') this.#error('Sent AUTH while expecting BEGIN');
    else {
      const [, name = '', response = ''] = /^([^ \t]*)[ \t]*(.*)$/s.exec(args) ?? [];
      this.#mechanism = this.#options.mechanisms.find((each) => each === name);
      if (this.#mechanism === undefined) this.#reject();
      else this.#respond(response);
    }
  }

  #data(args: string): void {
    if (this.#waiting === 'auth') this.#error('Not currently in an auth conversation');
    else if (this.#waiting === 'begin') this.#error('Sent DATA while expecting BEGIN');
    else this.#respond(args);
  }

  /** Handles the client's data for its mechanism. */
  #respond(hex: string): void {
    if (!/^([0-9a-f]{2})*$/i.test(hex)) {
      this.#error('Invalid hex encoding');
      return;
    }
    const said = Buffer.from(hex, 'hex');
    if (this.#mechanism === 'ANONYMOUS') this.#settle(isUtf8(said));
    else if (said.length > 0) this.#settle(said.toString('latin1') === String(this.#options.uid));
    else if (this.#asked) this.#settle(true);
    else {
      this.#asked = true;
      this.#waiting = 'data';
      this.#answer += 'DATA\r\n';
    }
  }

  #settle(right: boolean): void {
    if (!right) {
      this.#reject();
      return;
    }
    this.#waiting = 'begin';
    this.#answer += `OK ${this.#options.guid}\r\n`;
  }

  #begin(): void {
    if (this.#waiting === 'begin') this.#state = 'done';
    else this.#close('BEGIN before it was authenticated');
  }

  #negotiate(): void {
    if (this.#waiting !== 'begin') this.#error('Need to authenticate first');
    else if (!this.#options.fds)
      this.#error('Unix FD passing not supported, not authenticated or otherwise not possible');
    else {
      this.#agreed = true;
      this.#answer += 'AGREE_UNIX_FD\r\n';
    }
  }

  #reject(): void {
    this.#answer += `REJECTED ${this.#options.mechanisms.join(' ')}\r\n`;
    this.#waiting = 'auth';
    this.#mechanism = undefined;
    this.#asked = false;
    this.#agreed = false;
    if (++this.#rejected >= MAX_REJECTED) this.#close(`it was rejected ${MAX_REJECTED} times`);
  }

  #error(text: string): void {
    this.#answer += `ERROR "${text}"\r\n`;
  }

  #close(reason: string): void {
    this.#state = 'closed';
    this.#reason = reason;
  }
}
