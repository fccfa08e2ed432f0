// SPDX-License-Identifier: MIT
/** A file descriptor with exactly one owner. */
import { loadedAddon } from './load.ts';

/**
 * A descriptor that arrived with a message. Its holder must close it, with `close()` or `using`, or take the number
 * over with `take()`. As a last resort it is closed when it is garbage-collected or its thread ends.
 */
export class OwnedFd implements Disposable {
  #fd: number;

  /** For the unpacker: `fd` must be on the addon's list of received descriptors. */
  constructor(fd: number) {
    this.#fd = fd;
    forgotten.register(this, fd, this);
  }

  /** The descriptor's number while owned, -1 after `take()` or `close()`. */
  get fd(): number {
    return this.#fd;
  }

  /** Returns the number, which the caller must close. Throws if it was closed or taken before. */
  take(): number {
    const fd = this.#release();
    if (fd < 0) throw new Error('the descriptor was taken or closed before');
    loadedAddon().disownFd(fd);
    return fd;
  }

  /** Closes the descriptor; does nothing if it was closed or taken before. */
  close(): void {
    const fd = this.#release();
    if (fd >= 0) loadedAddon().closeFd(fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #release(): number {
    const fd = this.#fd;
    this.#fd = -1;
    forgotten.unregister(this);
    return fd;
  }
}

const forgotten = new FinalizationRegistry<number>((fd) => loadedAddon().closeFd(fd));
