// SPDX-License-Identifier: MIT
/** The daemon's log: one line for each thing that went wrong, with the client that it is about. */
import type { Peer } from '../driver/peer.ts';

export type Log = (text: string, about?: Peer) => void;

export const toStderr: Log = (text, about) => {
  const whom = about && ` ${about.name} (pid ${about.credentials.pid}, uid ${about.credentials.uid}):`;
  process.stderr.write(`afbus-topo dbus-daemon:${whom ?? ''} ${text}\n`);
};

/** A mistake of this program while it serves a client: it may end this connection, but no other, and not the bus. */
export const failure = (error: unknown): string => `the bus has failed: ${(error as Error).stack}`;
