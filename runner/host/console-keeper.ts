// SPDX-License-Identifier: MIT
/**
 * Keeps the last part of the host's console. Root in the guest can write to the console as fast as it takes bytes, and
 * the host outlives the command that started it. So a separate process writes the console's files and drops old lines.
 */

import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { EnvironmentError } from '../common/errors.ts';
import { LIMITS } from '../common/limits.ts';
import { identify, type Known } from './process.ts';
import { stateFile } from './state.ts';
import type { KernelVersion } from './types.ts';

/** Replaces the first line of a console whose older lines were dropped: that line was cut anyway. */
export const DROPPED = 'afbus-host: older lines of the console were dropped';

/**
 * When a file is full, it replaces the one before it. Output is unbuffered: a line is in the file as soon as the host
 * says it.
 */
const KEEP = `umask 077
while :; do
	stdbuf --output=0 head --bytes="$1" >"$2" || exit
	[ "$(stat --format=%s "$2")" -eq "$1" ] || exit 0
	[ ! -e "$3" ] || sed --in-place "1s/.*/$4/" "$2"
	mv "$2" "$3"
done`;

export interface Keeper extends Known {
  /** What is written here is kept. A child process may inherit it. */
  readonly socket: Socket;
}

/** Starts the keeper, which ends when no process has its socket open any more. */
export function spawnKeeper(kernel: KernelVersion): Keeper {
  const files = [stateFile(kernel, 'console'), stateFile(kernel, 'consoleBefore')];
  const child = spawn('sh', ['-c', KEEP, 'sh', `${LIMITS.consoleBytes.most / 2}`, ...files, DROPPED], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.on('error', () => {}); // there is no pid then, which is checked below
  const process = child.pid === undefined ? null : identify(child.pid);
  if (child.pid === undefined || !process) {
    throw new EnvironmentError('cannot run sh', 'put the folder of the shell into PATH');
  }
  child.unref();
  return { pid: child.pid, process, socket: child.stdin as Socket };
}
