// SPDX-License-Identifier: MIT
/** Shape of the compiled addon, as native/src/module.cc exports it. Not for users: see index.ts. */

/** Numbers of linux/bus.h and of the C library, as compiled in. */
export interface Constants {
  readonly SOL_BUS: number;
  readonly BUS_ADD_ADDR: number;
  readonly BUS_JOIN_BUS: number;
  readonly BUS_DEL_ADDR: number;
  readonly BUS_SET_EAVESDROP: number;
  readonly BUS_UNSET_EAVESDROP: number;
  readonly BUS_SET_SENDBUF: number;
  readonly BUS_SET_MAXQLEN: number;
  readonly BUS_GET_QLENFULL: number;
  readonly BUS_SET_OVERFLOW: number;
  readonly BUS_PASSSEQ: number;
  readonly BUS_OVERFLOW_BLOCK: number;
  readonly BUS_OVERFLOW_FAIL: number;
  readonly BUS_OVERFLOW_EVICT: number;
  readonly BUS_PROTO_NONE: number;
  readonly BUS_PROTO_DBUS: number;
  readonly NFDBUS_CMD_ADD: number;
  readonly NFDBUS_CMD_REMOVE: number;
  readonly NFDBUS_CMD_REMOVE_ALL: number;
  readonly NFDBUS_CMD_GET: number;
  readonly NFDBUS_CMD_SET_NAME: number;
  readonly NFDBUS_CMD_UNSET_NAME: number;
  readonly BUS_MAX_QLEN: number;
  readonly BUS_PATH_MAX: number;
  readonly SOL_SOCKET: number;
  readonly SO_ERROR: number;
  readonly SO_PASSCRED: number;
  readonly SO_PASSSEC: number;
  readonly SO_TIMESTAMP: number;
  readonly SO_SNDBUF: number;
  readonly SO_RCVBUF: number;
  readonly SO_PEEK_OFF: number;
  readonly SO_PROTOCOL: number;
  readonly SO_DOMAIN: number;
  readonly MSG_PEEK: number;
  readonly MSG_OOB: number;
  readonly SHUT_RD: number;
  readonly SHUT_WR: number;
  readonly SHUT_RDWR: number;
  readonly EAGAIN: number;
  readonly EBADF: number;
  readonly ECANCELED: number;
  readonly EAFNOSUPPORT: number;
  readonly DEFAULT_FAMILY: number;
}

/** Layout of `Addon.batch`: indexes into the header, then into the row of each message; or those of columns.h. */
export interface BatchLayout extends ColumnsLayout {
  readonly header: number;
  readonly stride: number;
  readonly maxMessages: number;
  readonly batchCount: number;
  readonly batchFds: number;
  readonly offset: number;
  readonly received: number;
  readonly length: number;
  readonly flags: number;
  readonly prefix: number;
  readonly client: number;
  readonly sequence: number;
  readonly lost: number;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly fds: number;
  readonly timestamp: number;
  readonly security: number;
  readonly flagTruncated: number;
  readonly flagControlTruncated: number;
  readonly flagSequence: number;
  readonly flagCredentials: number;
  readonly flagLost: number;
  readonly flagTimestamp: number;
  readonly flagSecurity: number;
}

/** A batch in columns: indexes into the header, the place of each column, and indexes into the row of each kind. */
interface ColumnsLayout {
  readonly columnsHeader: number;
  readonly columnsCount: number;
  readonly columnsKinds: number;
  readonly lastFence: number;
  readonly numberColumn: number;
  readonly sequenceColumn: number;
  readonly lengthColumn: number;
  readonly kindColumn: number;
  readonly columns: number;
  readonly kindFlags: number;
  readonly kindPrefix: number;
  readonly kindClient: number;
  readonly kindPid: number;
  readonly kindUid: number;
  readonly kindGid: number;
  readonly kindStride: number;
  readonly kindFence: number;
  /** Flags that `receive` returns for a batch in columns: always; equal to the last one; the queue is empty. */
  readonly inColumns: number;
  readonly repeated: number;
  readonly emptied: number;
}

/** A result ≥ 0, or a negative errno. */
export type Result = number;

/** A rule or a name that a client has in nfdbus. */
export type NfdbusRow = readonly [prefix: number, client: number, rule: string | null, name: string | null];

/** What all sockets share. */
export interface RawPolled {
  /** -1 once closed. */
  readonly fd: number;
  /** Called by the addon from the event loop with the READY_ bits that came; must not throw. */
  onready?: (events: number) => void;
  /** Asks for READY_ events; 0 for none. READY_IN and READY_OUT keep the process and the object alive. */
  want(events: number): Result;
  /** Polls the socket once (level-triggered): its READY_ bits now. */
  poll(): Result;
  close(): void;
}

/** A stream socket of AF_UNIX. */
export interface RawStream extends RawPolled {
  bind(path: Buffer): Result;
  listen(backlog: number): Result;
  connect(path: Buffer): Result;
  accept(): RawStream | Result;
  /** [errno or 0, pid, uid, gid] */
  peerCredentials(): [Result, number, number, number];
  peerGroups(): number[] | Result;
  peerSecurity(): Buffer | Result;
  /** The pidfd is added to the addon's list of received descriptors. */
  peerPidfd(): Result;
  shutdown(how: number): Result;
  /** Sends the pieces without the first `skip` bytes; returns the number of bytes that the kernel took. */
  send(pieces: readonly Uint8Array[], skip: number, fds: Int32Array | null): Result;
  /** Bytes, 0 at the end, or a negative errno. Descriptors that came with them: takeReceivedFds. */
  receive(maxBytes: number): Buffer | Result;
}

export interface RawSocket extends RawPolled {
  bind(path: Buffer): Result;
  listen(backlog: number): Result;
  /** Never waits: -EAGAIN if the backlog is full. */
  connect(path: Buffer): Result;
  /** Waits for room in the backlog on a pool thread, at most `milliseconds`, then calls `done` with a Result. */
  connectWaiting(path: Buffer, milliseconds: number, done: (result: Result) => void): void;
  accept(): RawSocket | Result;
  /** Writes [prefix, client] to `parts`; returns the path's bytes, or a Result. */
  name(peer: boolean, parts: Float64Array): Buffer | Result;
  /** [errno or 0, value] */
  getInt(level: number, name: number): [Result, number];
  setInt(level: number, name: number, value: number): Result;
  /** setsockopt(SOL_BUS) with a struct bus_addr. */
  setAddress(name: number, prefix: number, client: number): Result;
  /** SO_ATTACH_FILTER with packed struct sock_filter; null detaches. */
  setFilter(program: Uint8Array | null): Result;
  /** [errno or 0, pid, uid, gid] */
  peerCredentials(): [Result, number, number, number];
  peerSecurity(): Buffer | Result;
  shutdown(how: number): Result;
  bytesQueued(outgoing: boolean): Result;
  /** `prefix` -1: no destination. `credentials`: [pid, uid, gid]. */
  send(
    data: Uint8Array,
    prefix: number,
    client: number,
    path: Buffer | null,
    fds: Int32Array | null,
    credentials: Int32Array | null,
    flags: number,
  ): Result;
  /**
   * Reads up to `max` messages; returns the bytes of the batch, 0 at the end, or a negative errno. A limit of -1 means
   * none. With `nonce`, a batch that can be in columns (columns.h) is: then it returns flags, which are above 0.
   */
  receive(max: number, flags: number, maxBytes: number, maxControl: number, nonce?: number): Buffer | Result;
}

export interface Addon {
  readonly constants: Constants;
  readonly layout: BatchLayout;
  /** Overwritten by each receive of this thread. */
  readonly batch: Float64Array;
  readonly READY_IN: number;
  readonly READY_OUT: number;
  readonly READY_END: number;
  /** [name, description] of a positive errno. */
  describeErrno(errno: number): [string, string];
  open(family: number, protocol: number): RawSocket | Result;
  /** Takes over a descriptor of a bus socket; if a Result is returned, the caller keeps it. */
  adopt(fd: number, family: number): RawSocket | Result;
  openStream(): RawStream | Result;
  openStreamPair(): [RawStream, RawStream] | Result;
  /** Takes over a descriptor of a stream socket; if a Result is returned, the caller keeps it. */
  adoptStream(fd: number): RawStream | Result;
  /** Descriptors of the last batch, in order. */
  takeReceivedFds(): number[];
  closeFd(fd: number): void;
  disownFd(fd: number): void;
  /** Descriptors received and not yet closed or taken, in this thread. */
  ownedFds(): number;
  /**
   * A request to nfdbus (linux/nfdbus.h), which is complete on return. `prefix` -1: no address. Returns 0 or a negative
   * errno, the kernel's text about an error, and what NFDBUS_CMD_GET found.
   */
  nfdbus(
    command: number,
    path: Buffer,
    prefix: number,
    client: number,
    rule: string | null,
    name: string | null,
  ): [Result, string, NfdbusRow[]];
  /** From now on this process can open that many more descriptors; -1: as many as its hard limit allows. */
  limitDescriptors(more: number): Result;
}
