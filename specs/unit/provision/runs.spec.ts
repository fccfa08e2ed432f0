// SPDX-License-Identifier: MIT
// Runs of process nodes, as their folders tell: a name with a line break, and a file that is no mark of ownership.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { aboutRun } from '../../../runner/cli/doctor.ts';
import { LABEL, ownership, toLabels } from '../../../runner/provision/labels.ts';
import { RUNS } from '../../../runner/provision/processes.ts';
import { LIST, runsIn, runsOf } from '../../../runner/provision/runs.ts';
import { folder } from '../../helpers/cli.ts';

describe('the runs of process nodes', () => {
  it('are listed whatever their names contain, and even if they cannot be read', () => {
    using files = folder({});
    const owner = ownership('0000000a', 'a.n=1\nrun 0000000f\nowner {}\\n', '/x\ny', true);
    const owners = {
      '0000000a': JSON.stringify(toLabels(owner)),
      '0000000b': 'no JSON',
      '0000000c': '[1]',
      'x y': '{}',
    };
    for (const [run, text] of Object.entries(owners)) {
      mkdirSync(files.path(run));
      writeFileSync(files.path(`${run}/owner`), text);
      writeFileSync(files.path(`${run}/n.pid`), `${process.pid}\n`);
    }
    const said = execFileSync('sh', ['-c', LIST.replaceAll(RUNS, files.path(''))], { encoding: 'utf8' });
    const runs = runsIn(said);
    const node = { name: 'n', id: String(process.pid), state: 'running' };
    assert.deepEqual(
      runs.map(({ run, topology, nodes }) => [run, topology, nodes]),
      [
        ['0000000a', owner.topology, [node]],
        ['0000000b', 'unreadable', [node]],
        ['0000000c', 'unreadable', [node]],
      ],
    );
  });
});

describe('the runs of container nodes', () => {
  const owner = ownership('0000000a', 'chat', '/x', true);
  const container = (node: string, State: string) => ({
    Id: `id of ${node}`,
    State,
    Labels: { ...toLabels(owner, node), [LABEL.nodes]: 'here there gone' },
  });

  const volume = { Labels: { ...toLabels(owner), [LABEL.nodes]: 'here there gone' } };

  it('are none of ours if they have another id, which would become a word of a command', () => {
    const Labels = { ...toLabels(owner, 'here'), [LABEL.run]: 'x;touch ran\u001b[2J' };
    assert.deepEqual(runsOf([{ Id: 'a', State: 'running', Labels }], [{ Labels }]), []);
  });

  it('are known by their volumes when somebody has removed all of their containers', () => {
    const [run, ...others] = runsOf([], [volume, volume]);
    assert.ok(run);
    assert.deepEqual(others, []);
    assert.deepEqual([run.topology, run.launcher], ['chat', 'container']);
    assert.deepEqual(
      run.nodes.map(({ name, state }) => `${name} ${state}`),
      ['here missing', 'there missing', 'gone missing'],
    );
    assert.equal(aboutRun(run, '6.12').fix, 'afbus-topo down 0000000a');
  });

  it('have the nodes whose containers somebody removed, and doctor names those that do not run', () => {
    const [run, ...others] = runsOf([container('there', 'exited'), container('here', 'running')], [volume]);
    assert.ok(run);
    assert.deepEqual(others, []);
    assert.deepEqual(run.nodes, [
      { name: 'here', state: 'running', id: 'id of here' },
      { name: 'there', state: 'exited', id: 'id of there' },
      { name: 'gone', state: 'missing', id: '' },
    ]);
    const { state, text, fix } = aboutRun(run, '6.12');
    assert.deepEqual([state, fix], ['note', 'afbus-topo down 0000000a']);
    assert.match(text, /not running: there exited, gone missing$/);
    assert.equal(aboutRun({ ...run, nodes: run.nodes.slice(0, 1) }, '6.12').state, 'ok');
    assert.equal(
      aboutRun({ ...run, kept: false }, '6.12').state,
      'ok',
      'its nodes come and go while it plays',
    );
  });
});
