// SPDX-License-Identifier: MIT
// A client of the AF_UNIX listener, whose stream and attachment are lists here.
import assert from 'node:assert/strict';
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Bus } from '../../../daemon/bus/bus.ts';
import { Legacy } from '../../../daemon/bus/legacy.ts';
import type { Peer } from '../../../daemon/driver/peer.ts';
import type { UnixStream } from '../../../native/lib/index.ts';
import { type DbusMessage, DRIVER, lengthOf, parse } from '../../../runner/dbus/index.ts';
import { Scene, uint32 } from './scene.ts';

const MASTER = '0000/000000000000';
const ADDRESS = '0000/0000000000ff';
const LOGIN = '\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n';
const SIGNAL = { type: 'signal', path: '/p', interface: 'a.B' } as const;

describe('a client of the listener that is a monitor', () => {
  let scene: Scene;
  let legacy: Legacy;
  let from: Peer;
  let said: string[];
  let logged: string[];
  let hear: (batch: unknown[]) => void;

  beforeEach(async () => {
    scene = new Scene();
    from = scene.join();
    said = [];
    logged = [];
    const chunks = [Buffer.from(LOGIN)];
    const stream = {
      credentials: { pid: 7, uid: 1000, gid: 1000 },
      groups: [],
      pendingBytes: 0,
      receive: async () => ({ data: chunks.shift() ?? (await new Promise<Buffer>(() => {})), fds: [] }),
      async write(pieces: Uint8Array | readonly Uint8Array[]) {
        const bytes = Buffer.concat(pieces instanceof Uint8Array ? [pieces] : pieces);
        if (lengthOf(bytes) === bytes.length) said.push(parse(bytes).member ?? parse(bytes).type);
      },
      close() {},
    };
    async function* batches() {
      for (;;) yield await new Promise<unknown[]>((resolve) => (hear = resolve));
    }
    const nothing = () => {};
    const accepted = { close: nothing, removeAllMatches: nothing, addMatch: nothing, setEavesdrop: nothing };
    const joined = Promise.withResolvers<void>();
    const bus = {
      ...{ driver: scene.driver, guid: '0'.repeat(32), mechanisms: ['EXTERNAL'] },
      newcomers: { add: nothing, delete: nothing },
      attach: async () => ({ client: { address: ADDRESS, batches, close: nothing }, accepted }),
      add({ peer }: Legacy) {
        scene.driver.connect(peer);
        joined.resolve();
      },
      remove: ({ peer }: Legacy) => scene.driver.leave(peer),
      log: (text: string) => logged.push(text),
      peerAt: (address: string) => (address === from.address ? from : undefined),
    };
    legacy = new Legacy(bus as unknown as Bus, stream as unknown as UnixStream);
    void legacy.run();
    await joined.promise;
    scene.call(legacy.peer, 'Hello');
    scene.call(legacy.peer, 'BecomeMonitor', [{ type: 'as', value: [] }, uint32(0)], {
      interface: 'org.freedesktop.DBus.Monitoring',
    });
    legacy.becomeMonitor(102);
  });

  afterEach(() => legacy.close());

  /** What it gets when this comes for it. */
  async function gets(sender: Peer | undefined, message: Partial<DbusMessage>, lost?: number) {
    const { bytes } = scene.incoming({ ...(!sender && { sender: DRIVER }), ...message });
    hear([{ data: bytes, fds: [], from: sender?.address ?? MASTER, ...(lost !== undefined && { lost }) }]);
    await immediate();
    return said.splice(0);
  }

  const answer = (replySerial: number) =>
    gets(undefined, { type: 'method_return', destination: legacy.peer.name, replySerial });

  it('hears nothing before the reply to that call, whatever else is answered', async () => {
    assert.deepEqual(await answer(101), ['method_return']);
    assert.deepEqual(await gets(from, { ...SIGNAL, member: 'Early' }), []);
    assert.deepEqual(await answer(102), ['method_return']);
    assert.deepEqual(await gets(from, { ...SIGNAL, member: 'Late' }), ['Late']);
  });

  it('is cut off when the kernel has dropped copies for it', async () => {
    await answer(102);
    assert.deepEqual(await gets(from, { ...SIGNAL, member: 'After' }, 3), []);
    assert.deepEqual(logged, ['disconnected: more messages for others came than the bus could copy to it']);
  });
});
