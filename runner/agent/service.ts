// SPDX-License-Identifier: MIT
/**
 * Services that our D-Bus daemon starts. It starts programs, and a client is a process already: the program connects to
 * the socket at which the client waits, and ends. If nobody waits there, its exit status is 1.
 */
import { once } from 'node:events';
import type { ServiceOrder } from './protocol.ts';

/** `@name` is an abstract name here, as in all of this project. */
const CONNECT = `
require('node:net').connect(process.argv[1].replace(/^@/, '\\0')).on('error', () => process.exit(1));
`;

/** The program that the daemon starts for a service. */
export const serviceOf = (order: ServiceOrder): { readonly name: string; readonly exec: string[] } => ({
  name: order.name,
  exec: 'at' in order ? [process.execPath, '-e', CONNECT, order.at] : ['/bin/sh', '-c', `exit ${order.exit}`],
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
