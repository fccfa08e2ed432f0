// SPDX-License-Identifier: MIT
/** The kernel's own log, from one moment to another: warnings, and all that looks like a splat. */

import { closeSync, constants, openSync, readSync } from 'node:fs';
import { SPLAT } from '../common/splat.ts';

export interface KernelRecord {
  readonly level: number;
  readonly text: string;
}

const WARNING = 4;
/** Shows where, at a level of its own. */
const TRACE = /Call Trace/;
/** The longest record that the kernel gives. */
const RECORD = 8192;

export class KernelLog {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(RECORD);

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** From now on; null where this process may not read it. */
  static open(path = '/dev/kmsg'): KernelLog | null {
    try {
      const log = new KernelLog(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
      while (log.#read() !== null);
      return log;
    } catch {
      return null;
    }
  }

  /** What matters of everything since `open`, or since the last call. */
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
      // Overwritten before it was read: the next read goes on with the oldest that is left.
      if (code === 'EPIPE') return '4,0,0,-;afbus-topo: kernel log lines were lost, the log is too short\n';
      throw error;
    }
  }
}

/** `priority,sequence,microseconds,flags;text`, where the priority holds a facility: 0 is the kernel's own. */
export function parseRecord(raw: string): KernelRecord | null {
  const match = /^(\d+),\d+,\d+,[^;]*;(.*)/.exec(raw);
  if (!match) return null;
  const priority = Number(match[1]);
  return priority >> 3 === 0 ? { level: priority & 7, text: match[2] as string } : null;
}

const matters = ({ level, text }: KernelRecord): boolean =>
  level <= WARNING || SPLAT.test(text) || TRACE.test(text);
