// SPDX-License-Identifier: MIT
// Messages that others have found by fuzzing their own readers, as dbus-tests keeps them: no reader of ours takes one.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { check, NotDbus, parse } from '../../runner/dbus/index.ts';

const FOLDER = '/usr/lib/dbus-1.0/debug-build/libexec/installed-tests/dbus/data/invalid-messages/';
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.message-raw'));

describe('the invalid messages of dbus-tests', () => {
  it('are there', () => assert.ok(files.length > 0, FOLDER));

  for (const file of files)
    it(`${file.replace('.message-raw', '')} is refused`, () => {
      const bytes = readFileSync(FOLDER + file);
      assert.throws(() => check(bytes), NotDbus);
      assert.throws(() => parse(bytes), NotDbus);
    });
});
