// SPDX-License-Identifier: MIT
// Which messages for others a client wants.
import assert from 'node:assert/strict';
import { it } from 'mocha';
import { hears } from '../../../daemon/bus/hears.ts';
import { ruleOf } from '../../../daemon/driver/bus-methods.ts';
import { Scene, string } from './scene.ts';

it('a message is judged without its body, unless a rule asks for an argument', () => {
  const scene = new Scene();
  const { name } = scene.join();
  const signal = { type: 'signal', path: '/p', interface: 'a.B', member: 'S', args: [string('x')] } as const;
  const { header, bytes } = scene.incoming(signal);
  const wanted = (rules: readonly string[], of: Uint8Array): boolean =>
    hears(scene.driver, rules.map(ruleOf), header, of, name);
  const head = bytes.subarray(0, header.bodyStart);
  assert.deepEqual(
    [wanted([], head), wanted(["member='S'"], head), wanted(["member='T'"], head)],
    [true, true, false],
  );
  assert.deepEqual([wanted(["arg0='x'"], bytes), wanted(["arg0='y'"], bytes)], [true, false]);
  assert.throws(() => wanted(["arg0='x'"], head));
});
