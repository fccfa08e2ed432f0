// SPDX-License-Identifier: MIT
/** AF_UNIX stream sockets with what Node's own lack: descriptors, and who the other end is. */
import type { RawStream } from './addon.ts';
import { busError, check, closedError } from './errors.ts';
import { loadedAddon } from './load.ts';
import type { Credentials } from './message.ts';
import { OwnedFd } from './owned-fd.ts';
import { encodePath } from './path.ts';
import { type Attempt, BLOCKED, Readiness } from './readiness.ts';
import type { WaitOptions } from './types.ts';

/** The bytes of one read. */
export interface Chunk {
  /** Empty at the end of the stream only. */
  readonly data: Buffer;
  /** Descriptors that came with these bytes, in order. */
  readonly fds: readonly OwnedFd[];
}

export interface WriteOptions extends WaitOptions {
  /**
   * Descriptors to pass with the first byte, at most 253. The caller keeps them, and keeps them open until the write
   * settles.
   */
  readonly fds?: readonly { readonly fd: number }[];
}

const CHUNK = 65536;
/** Bytes of sun_path, without the NUL at its end. */
const MAX_PATH = 107;
const encode = (path: string): Buffer => encodePath(path, MAX_PATH);

abstract class UnixSocket implements Disposable {
  protected readonly raw: RawStream;
  protected readonly readiness: Readiness;

  protected constructor(raw: RawStream) {
    this.raw = raw;
    this.readiness = new Readiness(loadedAddon(), raw);
  }

  get closed(): boolean {
    return this.raw.fd < 0;
  }

  /** Descriptor number, close-on-exec, owned by this object; -1 once closed. */
  get fd(): number {
    return this.raw.fd;
  }

  /** Closes the descriptor now. Waiting reads resolve to the end, waiting writes and accepts reject with ECANCELED. */
  close(): void {
    if (this.closed) return;
    this.raw.close();
    this.readiness.flush();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export class UnixStream extends UnixSocket {
  #pending = 0;

  /** Use connect, pair, adopt, or UnixListener.accept. */
  constructor(raw: RawStream) {
    super(raw);
  }

  /** Connects to a pathname or an abstract `@name`. Throws BusError: ENOENT, ECONNREFUSED, EAGAIN (backlog full), … */
  static connect(path: string): UnixStream {
    const raw = ok(loadedAddon().openStream(), 'socket');
    const result = raw.connect(encode(path));
    if (result < 0) raw.close();
    check(result, 'connect', { path });
    return new UnixStream(raw);
  }

  /** Two connected streams. */
  static pair(): [UnixStream, UnixStream] {
    const [one, other] = ok(loadedAddon().openStreamPair(), 'socketpair');
    return [new UnixStream(one), new UnixStream(other)];
  }

  /** Takes over an open descriptor of a stream. Throws EAFNOSUPPORT, and leaves the descriptor alone, if it is none. */
  static adopt(fd: number): UnixStream {
    return new UnixStream(ok(loadedAddon().adoptStream(fd), 'getsockopt SO_DOMAIN'));
  }

  /** Number of written bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#pending;
  }

  /** The process at the other end as of connect, SO_PEERCRED. */
  get credentials(): Credentials {
    const [error, pid, uid, gid] = this.raw.peerCredentials();
    check(error, 'getsockopt SO_PEERCRED');
    return { pid, uid, gid };
  }

  /** Its supplementary groups, SO_PEERGROUPS. */
  get groups(): readonly number[] {
    const groups = this.raw.peerGroups();
    return typeof groups === 'number' ? fail(groups, 'getsockopt SO_PEERGROUPS') : groups;
  }

  /** Its security label, SO_PEERSEC; undefined if no security module labels sockets. */
  get security(): string | undefined {
    const label = this.raw.peerSecurity();
    return typeof label === 'number' ? undefined : label.toString('utf8').replace(/\0.*$/s, '');
  }

  /** A pidfd of it, SO_PEERPIDFD; undefined before Linux 6.5. */
  get pidfd(): OwnedFd | undefined {
    const fd = this.raw.peerPidfd();
    return fd < 0 ? undefined : new OwnedFd(fd);
  }

  /**
   * Waits for bytes and reads what is queued. Rejects with BusError (ECONNRESET, …) or the signal's reason. EMFILE: this
   * process had no room for descriptors that came. Some bytes are lost then, so the stream must be closed.
   */
  receive({ signal }: WaitOptions = {}): Promise<Chunk> {
    return this.readiness.run('in', () => this.#receive(), signal);
  }

  /**
   * Writes all pieces, after earlier writes; resolves when the kernel has taken them. They must not change before that.
   * Rejects with BusError: EPIPE, ECONNRESET, ETOOMANYREFS, ECANCELED (closed meanwhile), …
   */
  async write(pieces: Uint8Array | readonly Uint8Array[], options: WriteOptions = {}): Promise<void> {
    if (this.closed) throw closedError('sendmsg', false);
    const all = pieces instanceof Uint8Array ? [pieces] : pieces;
    const length = all.reduce((sum, piece) => sum + piece.length, 0);
    const left = { bytes: length };
    this.#pending += length;
    try {
      await this.readiness.run('out', this.#writing(all, length, left, options), options.signal);
    } finally {
      this.#pending -= left.bytes;
    }
  }

  /** shutdown(2) of the sending half: the other end reads what was written, then the end. */
  end(): void {
    if (!this.closed) this.raw.shutdown(loadedAddon().constants.SHUT_WR);
  }

  #writing(
    pieces: readonly Uint8Array[],
    length: number,
    left: { bytes: number },
    { fds = [] }: WriteOptions,
  ): Attempt<void> {
    const { EAGAIN } = loadedAddon().constants;
    const numbers = fds.length === 0 ? null : Int32Array.from(fds, ({ fd }) => fd);
    return () => {
      if (this.closed) throw closedError('sendmsg', true);
      while (left.bytes > 0) {
        const done = length - left.bytes;
        const result = this.raw.send(pieces, done, done === 0 ? numbers : null);
        if (result === -EAGAIN) return BLOCKED;
        check(result, 'sendmsg');
        left.bytes -= result;
        this.#pending -= result;
      }
      return undefined;
    };
  }

  #receive(): Chunk | typeof BLOCKED {
    if (this.closed) return END;
    const addon = loadedAddon();
    const data = this.raw.receive(CHUNK);
    if (data === -addon.constants.EAGAIN) return BLOCKED;
    if (typeof data === 'number') return data === 0 ? END : fail(data, 'recvmsg');
    return { data, fds: addon.takeReceivedFds().map((fd) => new OwnedFd(fd)) };
  }
}

const END: Chunk = { data: Buffer.alloc(0), fds: [] };

export class UnixListener extends UnixSocket {
  private constructor(raw: RawStream) {
    super(raw);
  }

  /** Binds a pathname or an abstract `@name`, and listens. The inode stays when the socket is closed: unlink it. */
  static listen(path: string, backlog = 128): UnixListener {
    const raw = ok(loadedAddon().openStream(), 'socket');
    try {
      check(raw.bind(encode(path)), 'bind', { path });
      check(raw.listen(backlog), 'listen', { path });
      return new UnixListener(raw);
    } catch (error) {
      raw.close();
      throw error;
    }
  }

  /** Takes over an open descriptor of a listening socket, as a service manager passes it. */
  static adopt(fd: number): UnixListener {
    return new UnixListener(ok(loadedAddon().adoptStream(fd), 'getsockopt SO_DOMAIN'));
  }

  /** Waits for a connection. Rejects with BusError (EMFILE, …), or with ECANCELED when the listener is closed. */
  accept({ signal }: WaitOptions = {}): Promise<UnixStream> {
    return this.readiness.run('in', () => this.#accept(), signal);
  }

  #accept(): UnixStream | typeof BLOCKED {
    if (this.closed) throw closedError('accept', true);
    const accepted = this.raw.accept();
    if (accepted === -loadedAddon().constants.EAGAIN) return BLOCKED;
    return new UnixStream(ok(accepted, 'accept'));
  }
}

const ok = <T>(made: T | number, syscall: string): T =>
  typeof made === 'number' ? fail(made, syscall) : made;

function fail(errno: number, syscall: string): never {
  throw busError(errno, { syscall });
}
