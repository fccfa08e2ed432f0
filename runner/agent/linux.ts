// SPDX-License-Identifier: MIT
/**
 * The real system: AF_BUS sockets of the kernel under this process, its pipes and its clock. What few agents use (the
 * D-Bus daemon, programs) is loaded by those, since it takes longer to load than all the rest.
 */

import { chmodSync, closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { limitDescriptors } from '../../native/lib/descriptors.ts';
import { busFamily } from '../../native/lib/family.ts';
import { BusClient, BusMaster } from '../../native/lib/index.ts';
import { loadedAddon } from '../../native/lib/load.ts';
import { wallClock } from '../common/clock.ts';
import { formatAddress } from '../dbus/index.ts';
import { settled } from './event-loop.ts';
import { serviceOf, startable } from './service.ts';
import type { PipeEnds, System } from './system.ts';

/**
 * Clients that may wait to be accepted, which is as many as the system allows by default: a crowd connects faster than
 * its master accepts, and each connect that finds no room takes a turn in the thread pool.
 */
const BACKLOG = 4096;

/** Clients may run as any user: the bus's policy decides who may connect, not the file system. */
const ANYONE = 0o666;

export const linux: System = {
  clock: wallClock,

  /** CLOCK_MONOTONIC as a number: exact for the first 104 days after boot, and to 2 ns for the next 104. */
  now() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e9 + nanoseconds;
  },

  settled,

  async connect(path, { filter, ...options }) {
    const socket = await BusClient.connect(path, options);
    if (filter) socket.attachFilter(filter);
    return socket;
  },

  async listen(options) {
    // The backlog would be the queue length otherwise.
    const listener = await BusMaster.listen({
      queueLength: loadedAddon().constants.BUS_MAX_QLEN,
      ...options,
      backlog: BACKLOG,
    });
    if (!options.path.startsWith('@')) chmodSync(options.path, ANYONE);
    return listener;
  },

  async serveDbus({ path, unixPath, limits, services: orders }) {
    const { startDaemon } = await import('../../daemon/daemon.ts');
    const services = orders.map(serviceOf);
    const [address, listen] = [addressOf('afbus', path), [addressOf('unix', unixPath)]];
    await startDaemon({ address, listen, limits, services, serviceOutput: STDERR });
  },

  startable,

  async joinDbus(path, connect) {
    if (connect === 'legacy') return (await import('../../dbus/stream.ts')).StreamConnection.open(path);
    return (await import('../../dbus/connection.ts')).Connection.open(path);
  },

  start: async (...program) => (await import('./start-program.ts')).startProgram(...program),

  pipes: openPipes,

  write: (fd, text) => void writeSync(fd, text),
  close: closeSync,
  limitDescriptors,
};

/** An agent reports on its stdout: what a service writes there would be taken for a report. */
const STDERR = 2;

const addressOf = (transport: string, path: string): string =>
  formatAddress({
    transport,
    options: new Map(path.startsWith('@') ? [['abstract', path.slice(1)]] : [['path', path]]),
  });

/**
 * Loads early what takes long to load: processes start side by side, and connect in turn. If that fails, the first order
 * that needs it reports the error.
 */
export function warmUp(): void {
  try {
    busFamily();
  } catch {}
}

/** Node has no pipe(2). A FIFO that is opened at both ends and then unlinked serves as one. */
async function openPipes(count: number): Promise<PipeEnds[]> {
  const folder = mkdtempSync('/tmp/afbus-pipes-');
  const opened: number[] = [];
  const open = (name: string, flags: number): number => {
    const fd = openSync(name, flags);
    opened.push(fd);
    return fd;
  };
  try {
    const names = Array.from({ length: count }, (_, i) => `${folder}/${i}`);
    await mkfifo(names);
    return names.map((name) => {
      const reader = open(name, constants.O_RDONLY | constants.O_NONBLOCK);
      const writer = open(name, constants.O_WRONLY);
      return { writer, read: (onText, onEnd) => readPipe(reader, onText, onEnd) };
    });
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readPipe(fd: number, onText: (text: string) => void, onEnd: () => void): void {
  const { Socket } = process.getBuiltinModule('node:net');
  const reader = new Socket({ fd, readable: true, writable: false });
  reader.setEncoding('utf8');
  reader.on('data', onText);
  reader.on('close', onEnd);
  reader.unref();
}

function mkfifo(names: readonly string[]): Promise<void> {
  const { execFile } = process.getBuiltinModule('node:child_process');
  return new Promise((resolve, reject) => {
    execFile('mkfifo', [...names], (error) => (error ? reject(error) : resolve()));
  });
}
