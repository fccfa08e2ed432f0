// SPDX-License-Identifier: MIT
/**
 * Keeps the end of what a host says. Root in the guest can fill a file as fast as its console takes bytes, and the
 * host outlives the command that started it: a process of its own writes, and drops what is old.
 */

import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { EnvironmentError } from '../common/errors.ts';
import { LIMITS } from '../common/limits.ts';
import { identify, type Known } from './process.ts';
import { stateFile } from './state.ts';
import type { KernelVersion } from './types.ts';

/** The first line of a console whose older lines are gone; the line that it replaces was cut anyway. */
export const DROPPED = 'afbus-host: older lines of the console were dropped';

/** A full file takes the place of the one before it. Unbuffered: a line is there when the host says it. */
const KEEP = `umask 077
while :; do
	stdbuf --output=0 head --bytes="$1" >"$2" || exit
	[ "$(stat --format=%s "$2")" -eq "$1" ] || exit 0
	[ ! -e "$3" ] || sed --in-place "1s/.*/$4/" "$2"
	mv "$2" "$3"
done`;

export interface Keeper extends Known {
  /** What is written here is kept; a child may inherit it. */
  readonly socket: Socket;
}

/** It ends when nothing has its socket any more. */
export function spawnKeeper(kernel: KernelVersion): Keeper {
  const files = [stateFile(kernel, 'console'), stateFile(kernel, 'consoleBefore')];
  const child = spawn('sh', ['-c', KEEP, 'sh', `${LIMITS.consoleBytes.most / 2}`, ...files, DROPPED], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.on('error', () => {}); // there is no pid then
  const process = child.pid === undefined ? null : identify(child.pid);
  if (child.pid === undefined || !process) {
    throw new EnvironmentError('cannot run sh', 'put the folder of the shell into PATH');
  }
  child.unref();
  return { pid: child.pid, process, socket: child.stdin as Socket };
}
