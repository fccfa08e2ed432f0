// SPDX-License-Identifier: MIT
/**
 * A program beside QEMU, in the same network: leads from sockets of the host's owner to its ports. The Docker API is plain
 * on this side, as programs expect it of a socket. The channel stays TLS from end to end: who connects to it learns by
 * the handshake that the host answers.
 */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { addressOf, ofPort } from './address.ts';
import { certificatesOf, reach } from './reach.ts';

export interface Relay {
  readonly docker: string;
  readonly channel: string;
  readonly certDir: string;
  readonly ports: { readonly docker: number; readonly channel: number };
}

/** Each side may go on after the other has said its last. */
const HALF_OPEN = { allowHalfOpen: true };

function offer(path: string, open: () => Promise<Socket>): void {
  createServer(HALF_OPEN, (near) => {
    near.on('error', () => {}); // 'close' follows
    open().then(
      (far) => join(near, far),
      () => near.destroy(),
    );
  })
    .on('error', (error) => {
      console.error(`afbus-host: the relay cannot listen: ${error.message}; --port gives a port instead`);
      process.exit(1);
    })
    .listen(path);
}

function join(near: Socket, far: Socket): void {
  const done = () => {}; // after an error both are gone
  pipeline(near, far, done);
  pipeline(far, near, done);
}

async function connected(url: string): Promise<Socket> {
  const socket = connect({ ...addressOf(url), ...HALF_OPEN }).setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

function main([text = '', starter = '']: readonly string[]): void {
  if (process.ppid !== Number(starter)) return; // it ended before this one was to end with it
  const { docker, channel, certDir, ports }: Relay = JSON.parse(text);
  const certificates = certificatesOf({ docker: { certDir } });
  offer(docker, () => reach(certificates, ofPort(ports.docker), HALF_OPEN));
  offer(channel, () => connected(ofPort(ports.channel)));
}

main(process.argv.slice(2));
