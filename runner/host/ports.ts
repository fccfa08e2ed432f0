// SPDX-License-Identifier: MIT
/** Ports of 127.0.0.1 that nobody listens on. */

import { type AddressInfo, createServer } from 'node:net';

/** `port` when it is free, any free one for 0; null when it is taken or may not be used. */
export function freePort(port = 0): Promise<number | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(null));
    server.listen({ host: '127.0.0.1', port }, () => {
      const found = (server.address() as AddressInfo).port;
      server.close(() => resolve(found));
    });
  });
}
