// SPDX-License-Identifier: MIT
/** A TLS connection to a host, by its owner's certificate. */

import type { SocketConstructorOpts } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type Certificates, certificatesIn } from '../common/certificates.ts';
import { EnvironmentError } from '../common/errors.ts';
import { addressOf } from './address.ts';
import type { Host } from './types.ts';

/** The name of every host in its certificate, whether it is reached by a port or by a socket. */
const NAME = '127.0.0.1';
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

type Keys = { readonly docker: Pick<Host['docker'], 'certDir'> };

/** The certificates are in the cache: a user who empties it while a host runs can only stop that host. */
export const certificatesOf = ({ docker }: Keys): Certificates =>
  certificatesIn(
    docker.certDir,
    'without it there is no way into the AF_BUS host that runs; "afbus-topo host stop" ends it, and the next run builds another',
  );

/** The owner's TLS connection to a port or socket of the host. */
export async function reach(
  certificates: Certificates,
  url: string,
  options: Pick<SocketConstructorOpts, 'allowHalfOpen'> = {},
): Promise<TLSSocket> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await handshake({ host: NAME, ...addressOf(url), ...certificates, ...options }, until);
    } catch (cause) {
      const again = AGAIN.includes((cause as NodeJS.ErrnoException).code);
      if (!again || performance.now() + PAUSE > until) throw unansweredError(cause);
    }
    await wait(PAUSE);
  }
}

function handshake(options: ConnectionOptions, until: number): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const late = () =>
    socket.destroy(Object.assign(new Error('nothing comes over the connection'), { code: 'ETIMEDOUT' }));
  const socket = connect(options, () => {
    socket.off('error', reject).off('timeout', late).setTimeout(0).setNoDelay(true);
    resolve(socket);
  });
  socket.once('error', reject).once('timeout', late).setTimeout(LET_IN);
  socket.once('connect', () => socket.setTimeout(Math.max(1, until - performance.now())));
  return promise;
}

export const unansweredError = (cause: unknown) =>
  new EnvironmentError(
    `the AF_BUS host does not answer: ${(cause as Error).message}`,
    'look at "afbus-topo host logs"; "afbus-topo host stop" ends it',
    { cause },
  );
