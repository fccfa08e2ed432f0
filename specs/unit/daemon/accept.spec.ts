// SPDX-License-Identifier: MIT
// The accept loop of the message bus, at a listener that fails.
import assert from 'node:assert/strict';
import { it } from 'mocha';
import { acceptAll } from '../../../daemon/bus/accept.ts';
import { BusError } from '../../../native/lib/index.ts';

it('an accept without a free descriptor is tried again, and leaves time for other work', async () => {
  const served: string[] = [];
  const logged: string[] = [];
  let freed = false;
  const listener = {
    closed: false,
    accept: (): Promise<string> =>
      freed
        ? Promise.resolve('client')
        : Promise.reject(new BusError(24, 'EMFILE', 'too many open files', { syscall: 'accept' })),
  };
  setTimeout(() => {
    freed = true;
  });
  const serve = (client: string): void => {
    served.push(client);
    listener.closed = true;
  };
  await acceptAll(listener, serve, { log: (text) => logged.push(text), waitForRoom: async () => {} });
  assert.deepEqual(served, ['client']);
  assert.deepEqual(logged, ['cannot accept a client: EMFILE: too many open files, accept']);
});
