// SPDX-License-Identifier: MIT
/** The owner's way into the host: one TLS connection per command, whose stream is the command's stdin and stdout. */

import { Agent } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { answer } from './answer.ts';
import { certificatesOf, reach, unansweredError } from './reach.ts';
import type { Host } from './types.ts';

export type Reach = Pick<Host, 'docker' | 'channel'>;

/**
 * Runs a command in the host. Its stderr goes to the host's console. If the stream is ended, the command has 5 s, then
 * gets SIGTERM.
 */
export async function channel(host: Reach, command: readonly string[]): Promise<TLSSocket> {
  const socket = await inTurn(() => reach(certificatesOf(host), host.channel));
  socket.write(`${command.map(quote).join(' ')}\n`);
  return socket;
}

/** Runs a command without input until it exits. */
export async function runInHost(
  host: Reach,
  command: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const all = await answer(await channel(host, ['/run/afbus/collect', ...command]));
  const end = all.indexOf('\n');
  const [code = Number.NaN, out = 0, err = 0] = all.subarray(0, end).toString().split(' ').map(Number);
  if (end < 0 || Number.isNaN(code)) throw unansweredError(new Error('the connection ended early'));
  const from = end + 1;
  return {
    code,
    stdout: all.toString('utf8', from, from + out),
    stderr: all.toString('utf8', from + out, from + out + err),
  };
}

let last: Promise<unknown> = Promise.resolve();

/** One handshake at a time: if there are several at once, QEMU's user-mode network sometimes delays one by a second. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work, work);
  last = mine.catch(() => {});
  return mine;
}

/** Makes the connections for requests to an engine at a port; their handshakes are repeated in the same way. */
export class EngineAgent extends Agent {
  readonly #host: Pick<Reach, 'docker'>;

  constructor(host: Pick<Reach, 'docker'>) {
    super();
    this.#host = host;
  }

  override createConnection(...[, done]: Parameters<Agent['createConnection']>): undefined {
    reach(certificatesOf(this.#host), this.#host.docker.host).then(
      (socket) => done?.(null, socket),
      (error: Error) => (done as (error: Error) => void)(error),
    );
  }
}

/** Quotes one word for the shell. A line break would end the command, so the guest inserts it from a variable. */
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`).replaceAll('\n', `'"$nl"'`)}'`;
