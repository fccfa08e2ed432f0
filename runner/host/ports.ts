// SPDX-License-Identifier: MIT
/** Ports of 127.0.0.1 that nobody listens on. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** These ports, any free one for each 0, no two the same; null when one is taken or may not be used. */
export async function freePorts<const Wanted extends readonly number[]>(
  ...wanted: Wanted
): Promise<{ [Each in keyof Wanted]: number } | null> {
  const servers = wanted.map(() => createServer());
  try {
    // Open at the same time, so that none of them is found twice.
    const found = await Promise.all(servers.map((server, i) => listen(server, wanted[i] ?? 0)));
    return found as { [Each in keyof Wanted]: number };
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
