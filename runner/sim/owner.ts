// SPDX-License-Identifier: MIT
/** A simulated process as the kernel knows it: its identity, and what it holds open. */

import type { Credentials } from '../common/credentials.ts';
import type { User } from '../topology/topology.ts';
import { Descriptors } from './files.ts';
import type { Process } from './scheduler.ts';

export class Owner {
  readonly process: Process;
  readonly pid: number;
  readonly pidNamespace: string;
  readonly user: User;
  readonly descriptors: Descriptors;
  /** Kills the process if its unread messages have more bytes than this. */
  memory = Infinity;
  /** Called when the kernel kills the process. */
  kill: () => void = () => {};
  /** Everything that is closed when it ends. */
  readonly open = new Set<{ close(): void }>();

  constructor(process: Process, pid: number, pidNamespace: string, user: User) {
    this.process = process;
    this.pid = pid;
    this.pidNamespace = pidNamespace;
    this.user = user;
    this.descriptors = new Descriptors(process);
  }

  /** Its credentials as a process in this pid namespace sees them. */
  seenFrom(pidNamespace: string): Credentials {
    const { uid, gid } = this.user;
    return { pid: pidNamespace === this.pidNamespace ? this.pid : 0, uid, gid };
  }

  /** Ends the process. */
  end(): void {
    this.process.end();
    for (const each of [...this.open]) each.close();
    this.descriptors.closeAll();
  }
}
