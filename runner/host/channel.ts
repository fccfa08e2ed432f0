// SPDX-License-Identifier: MIT
/** The owner's way into the host: one TLS connection per command, whose stream is the command's stdin and stdout. */

import { Agent } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type Certificates, certificatesIn } from '../common/certificates.ts';
import { EnvironmentError } from '../common/errors.ts';
import type { Host } from './types.ts';

export type Reach = Pick<Host, 'docker' | 'channelPort'>;

/**
 * Runs a command in the host. Its stderr goes to the host's console. If the stream is ended, the command has 5 s, then
 * gets SIGTERM.
 */
export async function channel(host: Reach, command: readonly string[]): Promise<TLSSocket> {
  const socket = await inTurn(() => reach(host, host.channelPort));
  socket.write(`${command.map(quote).join(' ')}\n`);
  return socket;
}

/** Runs a command without input until it exits. */
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

/** One handshake at a time: if there are several at once, QEMU's user-mode network sometimes delays one by a second. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work, work);
  last = mine.catch(() => {});
  return mine;
}

/**
 * How long to try to connect: a stranger may occupy the port. Trying again is safe, as nothing was asked of the host
 * yet.
 */
const PATIENCE = 60_000;
/**
 * How long to wait for one connect. QEMU's listen queue has room for one; for a connection that finds it full, the
 * kernel retries at growing intervals, so a new connect is faster.
 */
const LET_IN = 10_000;
const PAUSE = 100;
/**
 * Errors after which to connect again. If there are very many unfinished handshakes, the host ends the oldest, and the
 * owner's may be among them.
 */
const AGAIN: readonly unknown[] = ['ECONNRESET', 'ETIMEDOUT'];

/** The certificates are in the cache: a user who empties it while a host runs can only stop that host. */
export const certificatesOf = ({ docker }: Pick<Reach, 'docker'>): Certificates =>
  certificatesIn(
    docker.certDir,
    'without it there is no way into the AF_BUS host that runs; "afbus-topo host stop" ends it, and the next run builds another',
  );

/** The owner's TLS connection to one of the host's ports. */
export async function reach(host: Pick<Reach, 'docker'>, port: number): Promise<TLSSocket> {
  const certificates = certificatesOf(host);
  const until = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await handshake({ host: '127.0.0.1', port, ...certificates }, until);
    } catch (cause) {
      const again = AGAIN.includes((cause as NodeJS.ErrnoException).code);
      if (!again || performance.now() + PAUSE > until) throw unansweredError(cause);
    }
    await wait(PAUSE);
  }
}

function handshake(options: ConnectionOptions, until: number): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const late = () => socket.destroy(Object.assign(new Error('nothing comes from it'), { code: 'ETIMEDOUT' }));
  const socket = connect(options, () => {
    socket.off('error', reject).off('timeout', late).setTimeout(0).setNoDelay(true);
    resolve(socket);
  });
  socket.once('error', reject).once('timeout', late).setTimeout(LET_IN);
  socket.once('connect', () => socket.setTimeout(Math.max(1, until - performance.now())));
  return promise;
}

/** Makes the connections for requests to the host's engine; their handshakes are repeated in the same way. */
export class EngineAgent extends Agent {
  readonly #host: Pick<Reach, 'docker'>;

  constructor(host: Pick<Reach, 'docker'>) {
    super();
    this.#host = host;
  }

  override createConnection(...[, done]: Parameters<Agent['createConnection']>): undefined {
    const port = Number(new URL(this.#host.docker.host).port);
    reach(this.#host, port).then(
      (socket) => done?.(null, socket),
      (error: Error) => (done as (error: Error) => void)(error),
    );
  }
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

/** Quotes one word for the shell. A line break would end the command, so the guest inserts it from a variable. */
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`).replaceAll('\n', `'"$nl"'`)}'`;
