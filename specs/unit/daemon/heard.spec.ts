// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Heard } from '../../../daemon/bus/heard.ts';

describe('what was heard', () => {
  it('is repeated by the bus alone, by sender and serial', () => {
    const heard = new Heard();
    assert.equal(heard.isRepeated(false, ':0.1', 7), false);
    assert.equal(heard.isRepeated(true, ':0.1', 7), true);
    assert.equal(heard.isRepeated(true, ':0.2', 7), false);
    assert.equal(heard.isRepeated(true, ':0.1', 8), false);
    // A client that uses a serial again says something new.
    assert.equal(heard.isRepeated(false, ':0.1', 7), false);
  });

  it('is forgotten after many messages, so that it takes no more memory', () => {
    const heard = new Heard();
    for (let serial = 1; serial <= 0x1_0001; serial++) heard.isRepeated(false, ':0.1', serial);
    assert.equal(heard.isRepeated(true, ':0.1', 2), true);
    assert.equal(heard.isRepeated(true, ':0.1', 1), false);
  });
});
