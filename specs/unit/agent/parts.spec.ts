// SPDX-License-Identifier: MIT
// Small parts of the agents: lines, kernel log records, socket counts.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { socketsLeft } from '../../../runner/agent/kernel-facts.ts';
import { parseRecord } from '../../../runner/agent/kernel-log.ts';
import { Waiters } from '../../../runner/agent/waiters.ts';
import { wallClock } from '../../../runner/common/clock.ts';
import { CutLines, Lines } from '../../../runner/common/lines.ts';

describe('Lines', () => {
  it('cuts at newlines, however the bytes come', () => {
    const text = 'one\n\ntwo and more\nlast';
    for (let size = 1; size <= text.length; size++) {
      const got: string[] = [];
      const lines = new Lines((line) => got.push(line.toString()));
      for (let at = 0; at < text.length; at += size) lines.push(Buffer.from(text.slice(at, at + size)));
      assert.deepEqual(got, ['one', '', 'two and more'], `pieces of ${size}`);
    }
  });
});

describe('CutLines', () => {
  it('passes on all of a line that is too long, and the lines after it, however the bytes come', () => {
    const text = `1234\n\n12345\n${'x'.repeat(9)}\nnext\nlast`;
    for (let size = 1; size <= text.length; size++) {
      const got: string[] = [];
      const lines = new CutLines((line) => got.push(line.toString()), 4);
      for (let at = 0; at < text.length; at += size) lines.push(Buffer.from(text.slice(at, at + size)));
      assert.deepEqual(got, ['1234', '', '1234', '5', 'xxxx', 'xxxx', 'x', 'next'], `pieces of ${size}`);
      lines.end();
      lines.end();
      assert.equal(got.slice(8).join(), 'last', `pieces of ${size}`);
    }
  });
});

describe('kernel log', () => {
  it('reads level and text of messages of the kernel itself only', () => {
    assert.deepEqual(parseRecord('4,812,5551,-;BUG: bad thing\n SUBSYSTEM=net\n'), {
      level: 4,
      text: 'BUG: bad thing',
    });
    assert.equal(parseRecord('30,813,5552,-;systemd[1]: hello\n'), null);
    assert.equal(parseRecord('nonsense'), null);
  });
});

describe('sockets left', () => {
  const table = (rows: string) =>
    `protocol  size sockets  memory press maxhdr  slab module     cl co di\n${rows}\nUNIX      1024     40      -1   NI       0   yes  kernel      n  n  n\n`;

  it('counts those of the family', () => {
    assert.equal(
      socketsLeft(table('BUS        960      3      -1   NI       0   yes  af_bus      n  n  n')),
      3,
    );
  });

  it('are unknown if the kernel does not say', () => {
    assert.equal(
      socketsLeft(table('TCP       2200      3      -1   NI       0   yes  kernel      n  n  n')),
      null,
    );
    assert.equal(
      socketsLeft(table('BUS        960     -1      -1   NI       0   yes  af_bus      n  n  n')),
      null,
    );
  });
});

describe('Waiters', () => {
  it('end all at once, or each at its own time', async () => {
    const waiters = new Waiters(wallClock);
    await waiters.wait(1);
    assert.equal(waiters.size, 0);
    const both = [waiters.wait(), waiters.wait(60_000)];
    waiters.settle();
    await Promise.all(both);
  });
});
