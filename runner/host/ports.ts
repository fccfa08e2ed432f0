// SPDX-License-Identifier: MIT
/** Finds ports of 127.0.0.1 on which nobody listens. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { EnvironmentError } from '../common/errors.ts';

/** Two ports: the first is `first`, or any if that is 0. null if `first` is taken or may not be used. */
export async function freePorts(first = 0): Promise<readonly [number, number] | null> {
  const servers = [createServer(), createServer()] as const;
  try {
    // Both are open at the same time, so that they differ.
    return await Promise.all([listen(servers[0], first), listen(servers[1], 0)]);
  } catch {
    return null;
  } finally {
    await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen({ host: '127.0.0.1', port });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** `port` is 0 if any would do. */
export const portError = (port: number) =>
  new EnvironmentError(
    port ? `port ${port} of 127.0.0.1 is in use` : 'no free port on 127.0.0.1',
    port ? 'choose another, or omit --port to get a free one' : 'close some programs that listen',
  );
