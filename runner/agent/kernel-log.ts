// SPDX-License-Identifier: MIT
/** The kernel's own log, from one moment to another: warnings, and all that looks like a splat. */

import { closeSync, constants, openSync, readSync } from 'node:fs';
import { SPLAT } from '../common/splat.ts';

export interface KernelRecord {
  readonly level: number;
  readonly text: string;
}

const WARNING = 4;
/** Begins a stack trace; it is logged at any level. */
const TRACE = /Call Trace/;
/** Length of the longest record, in bytes. */
const RECORD = 8192;

export class KernelLog {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(RECORD);

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Reads the log from now on; null if this process may not read it. */
  static open(path = '/dev/kmsg'): KernelLog | null {
    try {
      const log = new KernelLog(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
      while (log.#read() !== null);
      return log;
    } catch {
      return null;
    }
  }

  /** The records that matter since `open`, or since the last call. */
  take(): KernelRecord[] {
    const records: KernelRecord[] = [];
    for (let raw = this.#read(); raw !== null; raw = this.#read()) {
      const record = parseRecord(raw);
      if (record && matters(record)) records.push(record);
    }
    return records;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The next record; null when there is none. */
  #read(): string | null {
    try {
      const length = readSync(this.#fd, this.#buffer);
      return length === 0 ? null : this.#buffer.toString('utf8', 0, length);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return null;
      // The record was overwritten before it was read: the next read continues with the oldest record that is left.
      if (code === 'EPIPE') return '4,0,0,-;afbus-topo: kernel log lines were lost, the log is too short\n';
      throw error;
    }
  }
}

/** Format: `priority,sequence,microseconds,flags;text`. The priority contains a facility: 0 is the kernel itself. */
export function parseRecord(raw: string): KernelRecord | null {
  const match = /^(\d+),\d+,\d+,[^;]*;(.*)/.exec(raw);
  if (!match) return null;
  const priority = Number(match[1]);
  return priority >> 3 === 0 ? { level: priority & 7, text: match[2] as string } : null;
}

const matters = ({ level, text }: KernelRecord): boolean =>
  level <= WARNING || SPLAT.test(text) || TRACE.test(text);
