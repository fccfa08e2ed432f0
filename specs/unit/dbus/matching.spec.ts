// SPDX-License-Identifier: MIT
// Which messages a rule wants.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { matches, parseRule, type Subject, uniqueName } from '../../../runner/dbus/index.ts';

const CHANGED: Subject = {
  type: 'signal',
  path: '/org/example/Player',
  interface: 'org.example.Player',
  member: 'Changed',
  destination: 'org.example.Panel',
  args: [
    { type: 's', value: 'volume' },
    { type: 'o', value: '/aa/bb/cc' },
    { type: 'i', value: 7 },
    { type: 's', value: '/aa/bb/' },
    { type: 'ay', value: new Uint8Array(2) },
  ],
};
const FROM = { unique: ':0.1f', owns: (name: string) => name === 'org.example.Player' };

function wants(text: string, subject: Partial<Subject> = {}): boolean {
  const rule = parseRule(text);
  assert.ok('key' in rule, text);
  return matches(rule, { ...CHANGED, ...subject }, FROM);
}

const YES = [
  '',
  'type=signal',
  'path=/org/example/Player,member=Changed',
  'interface=org.example.Player,eavesdrop=true',
  'eavesdrop=false',
  'path_namespace=/org',
  'path_namespace=/org/example/Player',
  'sender=:0.1f',
  'sender=org.example.Player',
  'destination=org.example.Panel',
  'arg0=volume',
  "arg3='/aa/bb/'",
  'arg1path=/aa/bb/cc',
  'arg1path=/aa/bb/',
  'arg1path=/',
  'arg3path=/aa/bb/cc',
  'arg3path=/aa/bb/',
  'arg3path=/aa/',
  'arg0path=volume',
  'arg0namespace=volume',
];

const NO = [
  'type=method_call',
  'member=changed',
  'path=/org/example',
  'path_namespace=/org/ex',
  'path_namespace=/org/example/Player/x',
  'sender=:0.1',
  'sender=:0.01f',
  'sender=org.example.Other',
  'sender=org.freedesktop.DBus',
  'destination=:0.1f',
  'interface=org.example.Player,member=Other',
  'arg0=vol',
  'arg1=/aa/bb/cc',
  'arg2=7',
  'arg4=x',
  "arg9=''",
  'arg1path=/aa/bb',
  'arg1path=/aa/bb/c',
  'arg1path=/aa/bb/cc/',
  'arg3path=/aa/bb',
  'arg2path=7',
  'arg0namespace=vol',
];

describe('a message', () => {
  for (const text of YES) it(`is wanted by ${text || 'no condition'}`, () => assert.equal(wants(text), true));
  for (const text of NO) it(`is not wanted by ${text}`, () => assert.equal(wants(text), false));

  it('is in a namespace of names that ends at a dot', () => {
    const named = (value: string): Partial<Subject> => ({ args: [{ type: 's', value }] });
    assert.equal(wants('arg0namespace=org.example', named('org.example.Player')), true);
    assert.equal(wants('arg0namespace=org.example', named('org.example')), true);
    assert.equal(wants('arg0namespace=org.example', named('org.examples')), false);
    assert.equal(wants('arg0namespace=org.example', { args: [{ type: 'o', value: '/org' }] }), false);
    assert.equal(wants('arg0namespace=org.example', { args: [] }), false);
  });

  it('does not match a rule for a field that it lacks', () => {
    const { path: _, interface: __, ...bare } = CHANGED;
    const rule = (text: string) => {
      const parsed = parseRule(text);
      assert.ok('key' in parsed);
      return matches(parsed, bare, FROM);
    };
    assert.equal(rule('path=/'), false);
    assert.equal(rule('path_namespace=/org'), false);
    assert.equal(rule('interface=org.example.Player'), false);
    assert.equal(rule('type=signal'), true);
  });

  it('comes from the unique name that belongs to its address', () => {
    assert.equal(uniqueName('0000/0000deadbeef'), ':0.deadbeef');
    assert.equal(uniqueName('0000/000000000001'), ':0.1');
    assert.equal(uniqueName('0000/000000000000'), 'org.freedesktop.DBus');
  });
});
