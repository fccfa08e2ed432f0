// SPDX-License-Identifier: MIT
// docs/dbus.md section 3 by example: who gets what on a bus that speaks D-Bus.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Subject } from '../../../runner/dbus/index.ts';
import * as model from '../../../runner/model/index.ts';
import { Scene } from './scene.ts';

const CHANGED: Subject = { type: 'signal', path: '/p', interface: 'a.P', member: 'Changed', args: [] };
const TO_ALL = model.EVERYONE;

/** Clients by name, each with its rules. */
function bus(clients: Readonly<Record<string, readonly string[]>>, options: model.BusOptions = {}): Scene {
  const scene = new Scene({ protocol: 'dbus', ...options }).add(...Object.keys(clients));
  for (const [name, rules] of Object.entries(clients))
    for (const rule of rules) assert.equal(model.addMatch(scene.accepted(name), rule), undefined);
  return scene;
}

describe('model, match rules', () => {
  it('decide who gets a multicast of a client', () => {
    const scene = bus({
      a: [],
      b: ['member=Changed'],
      c: ['member=Other', 'path=/p'],
      d: ['member=Other'],
      e: [],
    });
    assert.equal(scene.tell('a', TO_ALL, { dbus: CHANGED }), 'b c');
    const outcome = scene.send('a', TO_ALL, { dbus: CHANGED });
    assert.ok('copies' in outcome);
    assert.equal(scene.names(outcome.denied), 'a d e');
    assert.match(outcome.because, /section 3\.4\); .* match rules .*dbus\.md section 3/);
  });

  it('decide about copies to the sender, too, and to groups', () => {
    const scene = bus({ a: ['member=Changed'], b: ['member=Changed'], c: [] });
    for (const name of ['a', 'c']) model.addAddress(scene.accepted(name), `0002/00000000000${name}`);
    assert.equal(scene.tell('a', TO_ALL, { dbus: CHANGED }), 'a b');
    assert.equal(scene.tell('b', '0002/ffffffffffff', { dbus: CHANGED }), 'a');
  });

  it('drop multicasts that are no D-Bus messages', () => {
    const scene = bus({ a: [], b: [''] });
    assert.equal(scene.tell('a', TO_ALL), 'nobody');
    const outcome = scene.send('a', TO_ALL);
    assert.ok('copies' in outcome);
    assert.match(outcome.because, /it is no D-Bus message.*dbus\.md section 3/);
    assert.equal(scene.tell('a', TO_ALL, { dbus: CHANGED }), 'b');
  });

  it('judge no unicast, and no multicast of the master that is no D-Bus message', () => {
    const scene = bus({ a: [], b: [] });
    assert.equal(scene.tell('a', 'b'), 'b');
    assert.equal(scene.tell('a'), '@a');
    assert.equal(scene.tell('a', '0009/000000000001'), '@a');
    assert.equal(scene.tell('@a', 'b'), 'b');
    assert.equal(scene.tell('@a', TO_ALL), 'a b');
    assert.equal(new Scene().add('a', 'b').tell('a', TO_ALL), 'a b');
  });

  it('decide whether an eavesdropper gets its copy of a multicast, which does not count as lost', () => {
    const scene = bus({ a: [], b: ['member=Changed'], w: ['member=Other'] });
    model.setEavesdrop(scene.accepted('w'), true);
    model.addAddress(scene.accepted('b'), '0002/000000000001');
    const other = { ...CHANGED, member: 'Other' };
    assert.equal(scene.tell('a', '0002/ffffffffffff', { dbus: CHANGED }), 'b');
    assert.equal(scene.tell('a', '0002/ffffffffffff', { dbus: other }), 'w');
    assert.equal(scene.tell('a', 'b', { dbus: CHANGED }), 'b w');
    assert.deepEqual(
      [...scene.client('w').queue].map(({ lost }) => lost),
      [0, 0],
    );
  });

  it('keep other bytes than D-Bus messages from eavesdroppers, and multicasts of them from all', () => {
    const scene = bus({ a: [], b: [], w: [''] });
    model.setEavesdrop(scene.accepted('w'), true);
    assert.equal(scene.tell('a', 'b'), 'b');
    assert.equal(scene.tell('a'), '@a');
    assert.equal(scene.tell('@a', TO_ALL), 'a b w');
    assert.equal(scene.tell('a', undefined, { dbus: CHANGED }), '@a w');
  });

  it('let a full client without a matching rule hold up no sender', () => {
    const scene = bus({ a: [], b: ['member=Changed'], full: [] }, { queueLength: 1 });
    scene.fill('full');
    assert.equal(scene.tell('a', TO_ALL, { dbus: CHANGED }), 'b');
  });

  it('count as often as they were added, and end with their client', () => {
    const scene = bus({ a: [], b: ['member=Changed', 'member=Changed'] });
    const b = scene.accepted('b');
    assert.equal(model.removeMatch(b, "member='Changed'"), undefined);
    assert.equal(scene.tell('a', TO_ALL, { dbus: CHANGED }), 'b');
    assert.equal(model.removeMatch(b, 'eavesdrop=true,member=Changed'), 'ENOENT');
    assert.equal(model.removeMatch(b, 'eavesdrop=false,member=Changed'), undefined);
    assert.equal(scene.tell('a', TO_ALL, { dbus: CHANGED }), 'nobody');
    assert.equal(model.removeMatch(b, 'member=Changed'), 'ENOENT');
    assert.equal(model.addMatch(b, 'member'), 'EINVAL');
    assert.equal(model.addMatch(scene.client('b'), ''), 'EINVAL');
    model.addMatch(b, 'member=Changed');
    model.expel(b);
    assert.deepEqual(scene.client('b').rules, []);
    assert.equal(model.addMatch(b, ''), 'ENOTCONN');
  });

  it('are separate after a fork of the bus', () => {
    const scene = bus({ a: [], b: ['member=Changed'] });
    const twin = model.fork(scene.bus, scene.endpoints());
    model.removeMatch(twin.of(scene.accepted('b')), 'member=Changed');
    model.setName(scene.accepted('a'), 'org.example.A');
    assert.equal(scene.tell('a', TO_ALL, { dbus: CHANGED }), 'b');
    const outcome = model.send(twin.of(scene.client('a')), { to: TO_ALL, length: 1, dbus: CHANGED });
    assert.ok('copies' in outcome && outcome.copies.length === 0);
    assert.equal(twin.bus.names.size, 0);
  });

  it('name senders by their addresses, and by the names that the master says they own', () => {
    const scene = bus({ a: [], b: ['sender=:0.1'], c: ['sender=org.example.A'] });
    assert.equal(scene.tell('a', TO_ALL, { dbus: CHANGED }), 'b');
    assert.equal(model.setName(scene.accepted('a'), 'org.example.A'), undefined);
    assert.equal(scene.tell('a', TO_ALL, { dbus: CHANGED }), 'b c');
    assert.equal(model.setName(scene.accepted('b'), 'org.example.A'), undefined);
    assert.equal(scene.tell('a', TO_ALL, { dbus: CHANGED }), 'b');
    assert.equal(scene.tell('b', TO_ALL, { dbus: CHANGED }), 'c');
    model.close(scene.client('b'));
    assert.equal(model.unsetName(scene.bus, 'org.example.A'), 'ENOENT');
    for (const name of ['player', ':0.1', 'org.freedesktop.DBus'])
      assert.equal(model.setName(scene.accepted('a'), name), 'EINVAL');
  });
});
