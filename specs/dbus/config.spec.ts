// SPDX-License-Identifier: MIT
// The configurations of Debian's buses: this project's bus reads and obeys them.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accounts } from '../../daemon/accounts.ts';
import { readConfig } from '../../daemon/config/config.ts';
import { ConfiguredPolicy } from '../../daemon/config/policy.ts';
import { Scene, string, uint32 } from '../unit/daemon/scene.ts';

const debian = (name: string) => readConfig(`/usr/share/dbus-1/${name}.conf`, { accounts, env: {} });

/** A client of an ordinary user, on a bus with that configuration. */
function ordinary(name: string) {
  const { sections, limits } = debian(name);
  const scene = new Scene({ limits });
  const [client, other, root] = [scene.join(), scene.join(), scene.join({ uid: 0 })];
  scene.driver.policy = new ConfiguredPolicy(sections, scene.driver.names, 1);
  return { scene, client, other, root };
}

const STATS = { interface: 'org.freedesktop.DBus.Debug.Stats' };

describe("Debian's configurations", () => {
  it('session.conf has its type and limits, and allows everything', () => {
    const { type, auth, limits } = debian('session');
    assert.deepEqual([type, auth], ['session', ['EXTERNAL']]);
    assert.equal(limits.max_match_rules_per_connection, 50_000);
    assert.equal(limits.reply_timeout, -1);
    const { scene, client, other } = ordinary('session');
    assert.equal(scene.driver.policy.isOpenFor(client), true);
    assert.match(
      scene.call(client, 'RequestName', [string('org.example.A'), uint32(0)]).at(-1) as string,
      /return 1/,
    );
    assert.match(
      scene.handle(client, { path: '/', member: 'X', destination: other.name })[0] as string,
      / > /,
    );
  });

  it('system.conf allows no names, only calls to the bus, signals, and statistics for root', () => {
    const { type, user, servicehelper, limits } = debian('system');
    assert.deepEqual([type, user], ['system', 'messagebus']);
    assert.match(servicehelper ?? '', /dbus-daemon-launch-helper/);
    assert.equal(limits.max_match_rules_per_connection, 512);
    const { scene, client, other, root } = ordinary('system');
    const first = (words: string[]) => words[0] as string;
    assert.match(
      first(scene.call(client, 'RequestName', [string('org.example.A'), uint32(0)])),
      /!AccessDenied/,
    );
    assert.match(
      first(scene.handle(client, { path: '/', member: 'X', destination: other.name })),
      /!AccessDenied/,
    );
    assert.match(
      first(scene.handle(client, { type: 'signal', path: '/', interface: 'a.B', member: 'C' })),
      / > all C/,
    );
    assert.match(first(scene.call(client, 'ListNames')), /return/);
    assert.match(first(scene.call(client, 'GetStats', [], STATS)), /!AccessDenied/);
    assert.match(first(scene.call(root, 'GetStats', [], STATS)), /return/);
  });
});
