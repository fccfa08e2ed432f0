// SPDX-License-Identifier: MIT
/** The owner's way into the host: one TLS connection per command, whose stream is the command's stdin and stdout. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { EnvironmentError } from '../common/errors.ts';
import type { Host } from './types.ts';

export type Reach = Pick<Host, 'docker' | 'channelPort'>;

/** stderr of the command goes to the host's console. Ending the stream leaves the command 5 s, then SIGTERM. */
export async function channel(host: Reach, command: readonly string[]): Promise<TLSSocket> {
  const socket = await inTurn(() => open(host));
  socket.write(`${command.map(quote).join(' ')}\n`);
  return socket;
}

/** Runs a command without input to its end. */
export async function runInHost(
  host: Reach,
  command: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const all = await buffer(await channel(host, ['/run/afbus/collect', ...command])).catch(unanswered);
  const end = all.indexOf('\n');
  const [code = Number.NaN, out = 0, err = 0] = all.subarray(0, end).toString().split(' ').map(Number);
  if (end < 0 || Number.isNaN(code)) throw unanswered(new Error('the connection ended early'));
  const from = end + 1;
  return {
    code,
    stdout: all.toString('utf8', from, from + out),
    stderr: all.toString('utf8', from + out, from + out + err),
  };
}

let last: Promise<unknown> = Promise.resolve();

/** One handshake at a time: of several at once QEMU's user-mode network now and then keeps one waiting for a second. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work, work);
  last = mine.catch(() => {});
  return mine;
}

function open(host: Reach): Promise<TLSSocket> {
  const read = (name: string) => readFileSync(join(host.docker.certDir, name));
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect(
    {
      host: '127.0.0.1',
      port: host.channelPort,
      ca: read('ca.pem'),
      cert: read('cert.pem'),
      key: read('key.pem'),
    },
    () => {
      socket.off('error', fail);
      socket.setNoDelay(true);
      resolve(socket);
    },
  );
  const fail = (cause: Error) => reject(unansweredError(cause));
  socket.once('error', fail);
  return promise;
}

const unansweredError = (cause: unknown) =>
  new EnvironmentError(
    `the AF_BUS host does not answer: ${(cause as Error).message}`,
    'look at "afbus-topo host logs"; "afbus-topo host stop" ends it',
    { cause },
  );

function unanswered(cause: unknown): never {
  throw unansweredError(cause);
}

/** One shell word; a line break would end the command, so the guest puts it in from a variable. */
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`).replaceAll('\n', `'"$nl"'`)}'`;
