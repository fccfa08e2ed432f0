// SPDX-License-Identifier: MIT
/** The state of the host of one kernel: host.json, its console and its disk, in one folder. */

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ofPort } from './address.ts';
import { privateFolder, stateDir } from './paths.ts';
import { end, isAlive, type Known } from './process.ts';
import type { Host, KernelVersion } from './types.ts';

const FILES = {
  host: 'host.json',
  pending: 'pending.json',
  console: 'console.log',
  consoleBefore: 'console.1.log',
  disk: 'disk.qcow2',
  dockerSocket: 'docker.sock',
  channelSocket: 'channel.sock',
  lock: 'lock',
};

export const stateFile = (kernel: KernelVersion, name: keyof typeof FILES): string =>
  join(stateDir(kernel), FILES[name]);

/**
 * The host as it was written at its start; it may have ended. A file that cannot be read counts as none, and so does one
 * in a folder of another user, who could name any process and any engine in it.
 */
export function readHost(kernel: KernelVersion): Host | null {
  if (statSync(stateDir(kernel), { throwIfNoEntry: false })?.uid !== process.getuid?.()) return null;
  const host = readJson<Host & { readonly channelPort?: number }>(stateFile(kernel, 'host'));
  if (host === null || host.channel !== undefined) return host;
  return { ...host, channel: ofPort(host.channelPort ?? 0), exposed: BY_EARLIER_VERSION };
}

/** It wrote the port of its channel alone, and knew nothing but ports. */
const BY_EARLIER_VERSION = { why: 'an earlier version started it', hint: 'stop it and start it again' };

function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Writes the file whole, by a rename: the writer may be killed at any time, and others read meanwhile. */
function writeJson(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export const writeHost = (host: Host): void => writeJson(stateFile(host.kernel, 'host'), host);

/** Notes a machine that is starting: if its starter is killed meanwhile, the next command ends it. */
export function writePending(kernel: KernelVersion, machine: Known): void {
  const { pid, process } = machine;
  writeJson(stateFile(kernel, 'pending'), { pid, process });
}

/** Ends a machine that a killed starter left; the caller holds the start lock. */
export async function endPending(kernel: KernelVersion): Promise<void> {
  const machine = readJson<Known>(stateFile(kernel, 'pending'));
  if (machine && isAlive(machine)) await end(machine);
  settlePending(kernel);
}

export const settlePending = (kernel: KernelVersion): void =>
  rmSync(stateFile(kernel, 'pending'), { force: true });

/** Forgets a host that has ended; its console stays, to show why. */
export function forgetHost(kernel: KernelVersion): void {
  for (const name of ['host', 'disk', 'dockerSocket', 'channelSocket'] as const)
    rmSync(stateFile(kernel, name), { force: true });
}

/** Makes the state folder empty for a new host; the console of the last host is kept under another name. */
export function newState(kernel: KernelVersion): string {
  const folder = privateFolder(stateDir(kernel));
  forgetHost(kernel);
  for (const name of ['console', 'consoleBefore'] as const) {
    const old = join(folder, FILES[name].replace('console', 'console.old'));
    rmSync(old, { force: true });
    try {
      renameSync(stateFile(kernel, name), old);
    } catch {} // there was no console
  }
  return folder;
}
