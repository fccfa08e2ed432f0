// SPDX-License-Identifier: MIT
/** A backend: a Docker Engine whose kernel has AF_BUS, and what can be known and done beside it. */

import type { Duplex } from 'node:stream';
import type Dockerode from 'dockerode';
import type { HostDied } from '../common/errors.ts';
import type { Where } from './where.ts';

export interface Backend {
  readonly where: Omit<Where, 'launcher'>;
  readonly docker: Dockerode;
  /** Environment that points testcontainers and the docker command at the same engine. */
  readonly environment: Readonly<Record<string, string>>;
  /** Name of the image that nodes run from, present in the engine. */
  readonly image: string;
  /** Folders of the engine's machine that complete the image, at the same place in every node, read-only. */
  readonly mounts: readonly string[];
  /** Command that starts the agent as a plain process of the AF_BUS host; brings it there where it is not. */
  readonly agentOnHost: () => Promise<string>;
  /** Runs a command in the root namespaces of the AF_BUS host; its stdio is the stream. */
  readonly channel: (command: readonly string[]) => Promise<Duplex>;
  /** Rejects when what the backend stands on breaks; never resolves. */
  readonly broken: Promise<never>;
  /** Asks whether it lives: null when it does, else how it died. */
  readonly probe: () => Promise<HostDied | null>;
  /** Lets go of the engine; does not stop it. */
  readonly release: () => void;
}
