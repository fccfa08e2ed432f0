// SPDX-License-Identifier: MIT
/** A backend: a Docker Engine whose kernel has AF_BUS, and what a run needs to know of it. */

import type { Duplex } from 'node:stream';
import type Dockerode from 'dockerode';
import type { HostDied } from '../common/errors.ts';
import type { Where } from './where.ts';

export interface Backend {
  readonly where: Omit<Where, 'launcher'>;
  readonly docker: Dockerode;
  /** Environment that points testcontainers and the docker command at the same engine. */
  readonly environment: Readonly<Record<string, string>>;
  /** Name of the image in the engine that nodes run from. */
  readonly image: string;
  /** Folders on the engine's machine that complete the image: mounted read-only at the same path in every node. */
  readonly mounts: readonly string[];
  /**
   * Copies the agent to the AF_BUS host if needed; resolves with the command that starts it there as a plain process.
   */
  readonly agentOnHost: () => Promise<string>;
  /** Runs a command in the root namespaces of the AF_BUS host; the stream is its stdin and stdout. */
  readonly channel: (command: readonly string[]) => Promise<Duplex>;
  /** Rejects if what the backend needs breaks; never resolves. */
  readonly broken: Promise<never>;
  /** Asks the host now: null if it lives, else how it died. */
  readonly probe: () => Promise<HostDied | null>;
  /** Closes the connections to the engine, which goes on running. */
  readonly release: () => void;
}
