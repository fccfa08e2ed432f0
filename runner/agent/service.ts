// SPDX-License-Identifier: MIT
/**
 * Services that our D-Bus daemon starts. It starts programs, and a client is a process already: the program connects to
 * the socket at which the client waits, and ends.
 */
import { once } from 'node:events';
import type { ServiceOrder } from './protocol.ts';

/** `@name` is an abstract name here, as in all of this project. */
const CONNECT = `
require('node:net').connect(process.argv[1].replace(/^@/, '\\0')).on('error', () => process.exit(1));
`;

/**
 * The daemon kills a program whose name has no owner in time, but not what the program has put in the background: a busy
 * machine may take longer to start Node than a short service_start_timeout, and the client must be told all the same.
 */
const IN_BACKGROUND = ['/bin/sh', '-c', '"$0" "$@" &'];

/** The program that the daemon starts for a service. */
export const serviceOf = (order: ServiceOrder): { readonly name: string; readonly exec: string[] } => ({
  name: order.name,
  exec:
    'at' in order
      ? [...IN_BACKGROUND, process.execPath, '-e', CONNECT, order.at]
      : ['/bin/sh', '-c', `exit ${order.exit}`],
});

/** Resolves when somebody listens at `at`; calls `then` for the first connection, and takes no more. */
export async function startable(at: string, then: () => void): Promise<void> {
  const { createServer } = process.getBuiltinModule('node:net');
  const server = createServer((connection) => {
    server.close();
    connection.destroy();
    then();
  });
  server.listen(at.replace(/^@/, '\0')).unref();
  await once(server, 'listening');
}
