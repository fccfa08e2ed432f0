// SPDX-License-Identifier: MIT
// What the bus fails to handle or to answer costs nobody the connection. Its driver has a fault here.
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { acceptAll } from '../../daemon/bus/accept.ts';
import { Bus } from '../../daemon/bus/bus.ts';
import { Legacy } from '../../daemon/bus/legacy.ts';
import { Driver } from '../../daemon/driver/driver.ts';
import type { Effect, Incoming } from '../../daemon/driver/effect.ts';
import { DEFAULT_LIMITS } from '../../daemon/driver/limits.ts';
import type { Peer } from '../../daemon/driver/peer.ts';
import { onlyFor } from '../../daemon/driver/policy.ts';
import { UnixListener } from '../../native/lib/index.ts';
import { RawClient } from '../dbus/raw-client.ts';
import { bytesOf, errorOf } from './talk.ts';

const NO_REPLY_EXPECTED = 1;
/** Less than the bus says of itself. */
const LIMITS = { ...DEFAULT_LIMITS, max_message_size: 4096 };

class FaultyDriver extends Driver {
  override handle(peer: Peer, message: Incoming): readonly Effect[] {
    if (message.header.member === 'Break') throw new TypeError('there is no such thing');
    return super.handle(peer, message);
  }
}

describe('a message that the bus cannot handle', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'dbus-guard-'));
  const logged: string[] = [];
  let bus: Bus;
  let listener: UnixListener;

  before(async () => {
    const driver = new FaultyDriver({
      ...{ limits: LIMITS, policy: onlyFor(0), id: '0'.repeat(32), machineId: '0'.repeat(32) },
      self: { pid: process.pid, uid: 0 },
    });
    const nothing = () => {};
    bus = await Bus.open(`@guard-${process.pid}`, {
      ...{ driver, guid: '0'.repeat(32), mechanisms: ['EXTERNAL'] },
      services: { start: nothing, setEnvironment: nothing, reload: nothing },
      log: (text, about) => logged.push(`${about?.name} ${text}`),
    });
    bus.serve(nothing);
    listener = UnixListener.listen(join(folder, 'bus'));
    void acceptAll(listener, (stream) => void new Legacy(bus, stream).run(), bus.acceptOptions);
  });

  after(() => {
    listener.close();
    bus.close();
    rmSync(folder, { recursive: true });
  });

  it('is answered with an error and logged, and its descriptors are closed', async () => {
    using client = await RawClient.join(join(folder, 'bus'));
    const fd = openSync('/dev/null', 'r');
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    await client.send(bytesOf({ member: 'Break', unixFds: 1 }), [{ fd }]);
    const answer = await client.until(({ type }) => type === 'error');
    assert.deepEqual(
      [errorOf(answer), answer.args[0]?.value],
      ['Failed', 'The bus could not handle the message: there is no such thing'],
    );
    assert.equal(open(), before);
    closeSync(fd);
    await client.send(bytesOf({ member: 'Break', flags: NO_REPLY_EXPECTED }));
    assert.match(String((await client.call('GetId')).args[0]?.value), /^0{32}$/);
    const line = `${client.name} cannot handle a message: TypeError: there is no such thing`;
    assert.deepEqual(
      logged.map((text) => text.split('\n')[0]),
      [line, line],
    );
  });

  it('is LimitsExceeded if the answer is longer than the bus takes', async () => {
    using client = await RawClient.join(join(folder, 'bus'));
    const introspectable = { interface: 'org.freedesktop.DBus.Introspectable' };
    assert.equal(errorOf(await client.call('Introspect', [], introspectable)), 'LimitsExceeded');
    assert.equal(errorOf(await client.call('GetId')), 'method_return');
  });
});
