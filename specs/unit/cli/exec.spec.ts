// SPDX-License-Identifier: MIT
// Nodes in which a command can run, and those in which none can.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { commandIn } from '../../../runner/cli/exec.ts';
import { type Found, pickRunning } from '../../../runner/cli/find-run.ts';

describe('a node', () => {
  const nodes = [
    { name: 'ecu', id: '1', state: 'running' },
    { name: 'hub', id: '2', state: 'exited' },
  ];
  const found = { run: { topology: 'cabin', nodes } } as unknown as Found;

  it('that runs takes a command', () => assert.equal(pickRunning(found, 'ecu').id, '1'));

  it('that has ended takes none, and the error says so', () => {
    assert.throws(
      () => pickRunning(found, 'hub'),
      /node "hub" of "cabin" is exited: no command can run in it/,
    );
  });
});

describe('the command of exec', () => {
  it('may stand after --', () => {
    assert.deepEqual(commandIn(['--', 'ls', '--', '-l']), ['ls', '--', '-l']);
    assert.deepEqual(commandIn(['ls', '--', '-l']), ['ls', '--', '-l']);
  });

  it('is needed after --', () => assert.throws(() => commandIn(['--']), /there is no command after --/));
});
