// SPDX-License-Identifier: MIT
// The scripts know every verb and flag, since they are made from the command line; bash really runs its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'mocha';
import { cli, folder } from '../../helpers/cli.ts';

describe('completion', function () {
  this.timeout(30_000);
  const files = folder({ 'cabin.topo.yaml': '', 'notes.txt': '', 'two words.topo.yaml': '' });
  after(() => files[Symbol.dispose]());
  let script: string;
  before(async () => {
    script = (await cli(['completion', 'bash'])).stdout;
  });

  /** What bash offers for a line whose last word is being written. */
  const offered = (...words: string[]) => offeredWith('', ...words);

  /** The same where some commands are others. */
  function offeredWith(commands: string, ...words: string[]): string[] {
    const driver = `${script}
      ${commands}
      on=$(complete -p afbus-topo); on=\${on#*-F }
      COMP_WORDS=(afbus-topo "$@"); COMP_CWORD=$#
      \${on%% *}; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', ['--norc', '-c', driver, 'bash', ...words], {
      cwd: files.path('.'),
      encoding: 'utf8',
    });
    return out.split('\n').filter(Boolean);
  }

  it('offers verbs, and the verbs below a verb', async () => {
    assert.deepEqual(offered('val'), ['validate']);
    assert.deepEqual(offered('host', 'st'), ['start', 'stop', 'status']);
    const help = (await cli(['--help'])).stdout;
    const verbs = [...help.matchAll(/^ {2}([a-z]+) .{10}/gm)].map(([, verb]) => verb as string);
    for (const verb of verbs.filter((each) => each !== 'help')) assert.ok(offered('').includes(verb), verb);
  });

  it('offers flags of the verb, wherever they stand', () => {
    assert.deepEqual(offered('run', '--for'), ['--format']);
    assert.deepEqual(offered('run', '--kernel', '6.1', 'cabin.topo.yaml', '--la'), ['--launcher']);
    assert.deepEqual(offered('validate', '--la'), []);
  });

  it('offers values of a flag, after a blank or an equals sign', () => {
    assert.deepEqual(offered('run', '--format', 'j'), ['json', 'jsonl', 'junit']);
    assert.deepEqual(offered('run', '--format', '=', 'k'), ['ktap']);
    assert.deepEqual(offered('run', '--format', '='), offered('run', '--format', ''));
    assert.deepEqual(offered('host', 'start', '--kernel', ''), ['6.12', '6.1']);
    assert.deepEqual(offered('run', '--seed', ''), []);
  });

  it('offers topologies, and nothing else, as a file argument', () => {
    assert.deepEqual(offered('run', '').sort(), ['cabin.topo.yaml', 'two words.topo.yaml']);
    assert.deepEqual(offered('validate', 'cabin.topo.yaml', 'two'), ['two words.topo.yaml']);
    assert.deepEqual(offered('schema', ''), []);
    assert.deepEqual(offered('completion', 'z'), ['zsh']);
  });

  it('offers topologies that are up to the verb down', () => {
    const ps = `afbus-topo() { [ "$*" = ps ] && printf 'TOPOLOGY  RUN\\ncabin     1a\\ntrunk     2b\\n'; }\n`;
    assert.deepEqual(offeredWith(ps, 'down', ''), ['cabin', 'trunk']);
    assert.deepEqual(offeredWith(ps, 'down', 'cabin', 't'), ['trunk']);
    assert.deepEqual(offeredWith('afbus-topo() { false; }\n', 'down', ''), []);
  });

  it('runs no name of what is up, and offers it as one word', () => {
    const name = '$(touch${IFS}ran)`touch${IFS}ran`;touch';
    writeFileSync(files.path('up'), `TOPOLOGY  RUN\n${name}  1a\n`);
    const ps = 'afbus-topo() { cat up; }\n';
    const [word = '', ...others] = offeredWith(ps, 'down', '');
    assert.deepEqual(others, []);
    const echoed = execFileSync('bash', ['-c', `printf %s ${word}`], { cwd: files.path('.') });
    assert.equal(String(echoed), name);
    assert.ok(!existsSync(files.path('ran')));
  });

  for (const shell of ['zsh', 'fish']) {
    it(`for ${shell} has every verb with its words`, async () => {
      const { stdout } = await cli(['completion', shell]);
      for (const words of [
        'draw buses, nodes, clients and groups',
        'start the host, building what is missing',
        'auto vm docker',
      ])
        assert.ok(stdout.includes(words), words);
      assert.match(stdout, /\*?\.topo\.yaml/);
      assert.match(stdout, /afbus-topo ps 2>\/dev\/null/);
    });
  }

  it('knows no other shell', async () => {
    const { code, stderr } = await cli(['completion', 'tcsh']);
    assert.equal(code, 2);
    assert.match(stderr, /bash, zsh, fish/);
  });
});
