// SPDX-License-Identifier: MIT
// Files and folders that others have made: they write nowhere else, and forge nothing in any output.
import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, it } from 'mocha';
import { cli, folder } from '../../helpers/cli.ts';
import { assertHarmless } from '../../helpers/harmless.ts';

const FORMATS = ['text', 'json', 'junit', 'ktap', 'github', 'sarif'];
const FORGED = [
  '::error file=evil::forged',
  '\u001b[2J\u009b2J',
  'ok 99 forged',
  '##[error]forged',
  '\u202eltr',
];

const topology = (more = '') => `buses: { cabin: {} }
clients: { camera: {}, lidar: {} }
traffic:
  - camera -> lidar: hello
${more}`;

describe('a file of a stranger', function () {
  this.timeout(120_000);

  const run = (file: string, ...flags: string[]) =>
    cli(['run', '--backend', 'sim', ...flags, file], { env: { XDG_STATE_HOME: `${file}.state` } });

  for (const format of FORMATS) {
    it(`forges nothing by a value of its matrix (${format})`, async () => {
      const evil = JSON.stringify(`\n${FORGED.join('\n')}`);
      {
        using files = folder({
          'a.topo.yaml': `matrix: { x: [${evil}, "b"] }\n${topology('  - camera -> lidar: "${x}"\n')}`,
        });
        const said = await run(files.path('a.topo.yaml'), '--format', format);
        assert.equal(said.code, 2);
        assertHarmless(said, format);
      }
    });

    it(`forges nothing by what is wrong in it (${format})`, async () => {
      const evil = FORGED.map((each) => JSON.stringify(`\n${each}\n`));
      using files = folder({
        'a.topo.yaml': topology(`  - { send: { from: ${evil[0]}, to: ${evil[1]} } }
  - ${evil[2]}
  - camera -> ${evil[3]}: x
${evil.map((each) => `${each}: { }`).join('\n')}
description: [${evil.join(', ')}]
nodes: { ${evil.map((each) => `${each}: {}`).join(', ')} }
`),
      });
      const said = await run(files.path('a.topo.yaml'), '--format', format);
      assert.equal(said.code, 2);
      assertHarmless(said, format);
    });

    it(`forges nothing by a failing check (${format})`, async () => {
      using files = folder({
        'a # SKIP.topo.yaml': `matrix: { x: ["1 # SKIP", "::error file=evil::x", "##[error]x"] }\n${topology(
          `  - send: { from: camera, to: lidar, payload: "\${x}" }
    expect: { error: EPERM }
`,
        )}`,
      });
      const said = await run(files.path('a # SKIP.topo.yaml'), '--format', format);
      assert.equal(said.code, 1, said.stderr);
      assertHarmless(said, format);
      if (format === 'ktap') assert.doesNotMatch(said.stdout, /^(not )?ok \d+ [^\n]*#/m);
    });

    it(`forges nothing by its name (${format})`, async () => {
      {
        const name = `x\n${FORGED.join('\n').replaceAll('/', '')}.topo.yaml`;
        using files = folder({ [name]: topology() });
        const said = await run(files.path(name), '--format', format);
        assert.equal(said.code, 2);
        assertHarmless(said, format);
      }
    });
  }

  it('has its lines shown by a failing check, though its name is printed in another form', async () => {
    using files = folder({
      '##[error]x.topo.yaml': topology(
        '  - { send: { from: camera, to: lidar }, expect: { error: EPERM } }\n',
      ),
    });
    const said = await run(files.path('##[error]x.topo.yaml'), '-q');
    assert.equal(said.code, 1, said.stderr);
    assertHarmless(said, 'text');
    assert.match(said.stdout, /## \[error\]x\.topo\.yaml:5.*\n +5 │ +- \{ send: /);
  });

  it('forges nothing by the name that a combination has', async () => {
    using files = folder({
      'a.topo.yaml': `matrix: { x: ["##[error]x"] }\n${topology('  - camera -> lidar: "${x}"\n')}`,
    });
    const said = await cli(['validate', files.path('a.topo.yaml')]);
    assert.equal(said.code, 0, said.stderr);
    assertHarmless(said, 'text');
    assert.match(said.stdout, /is valid: 1 bus/);
  });

  it('is written to the folder of artifacts and nowhere else', async () => {
    using files = folder({
      'a.topo.yaml': `matrix: { x: ["/../../../escaped", "..", "a/b", ${JSON.stringify('ü'.repeat(300))}] }\n${topology('  - camera -> lidar: "${x}"\n')}`,
    });
    mkdirSync(files.path('deep/out'), { recursive: true });
    const said = await run(files.path('a.topo.yaml'), '-q', '--artifacts', files.path('deep/out'));
    assert.equal(said.code, 0, said.stderr);
    assert.deepEqual(readdirSync(files.path('')).sort(), ['a.topo.yaml', 'deep']);
    assert.deepEqual(readdirSync(files.path('deep')), ['out']);
    const kept = readdirSync(files.path('deep/out'));
    assert.equal(kept.length, 4);
    for (const each of kept) assert.ok(existsSync(files.path(`deep/out/${each}/verdict.json`)), each);
  });

  it('has no artifact written through a link that is already there', async () => {
    using files = folder({ 'a.topo.yaml': topology(), precious: 'precious' });
    mkdirSync(files.path('out'));
    const names = ['verdict.json', 'report.txt', 'trace.jsonl', 'sequence.mmd'];
    for (const name of names.slice(1)) symlinkSync('../precious', files.path(`out/${name}`));
    linkSync(files.path('precious'), files.path('out/verdict.json'));
    const said = await run(files.path('a.topo.yaml'), '-q', '--artifacts', files.path('out'));
    assert.equal(said.code, 0, said.stderr);
    assert.equal(readFileSync(files.path('precious'), 'utf8'), 'precious');
    for (const name of names) assert.ok(lstatSync(files.path(`out/${name}`)).isFile(), name);
    assert.deepEqual(readdirSync(files.path('out')).sort(), [...names].sort());
  });

  it('has no artifacts in a folder that is a link, or below one', async () => {
    using files = folder({ 'a.topo.yaml': topology() });
    mkdirSync(files.path('elsewhere'));
    symlinkSync('elsewhere', files.path('out'));
    for (const named of ['out', './out/', 'out/deeper']) {
      const said = await cli(['run', '--backend', 'sim', '--artifacts', named, 'a.topo.yaml'], {
        cwd: files.path(''),
        env: { XDG_STATE_HOME: files.path('state') },
      });
      assert.equal(said.code, 2, named);
      assert.match(said.stderr, /leads through the symbolic link .*\nhint: name the folder/);
    }
    assert.deepEqual(readdirSync(files.path('elsewhere')), []);
  });

  it('has no artifacts of a combination in a folder that is a link', async () => {
    using files = folder({
      'a.topo.yaml': `matrix: { x: ["b"] }\n${topology('  - camera -> lidar: "${x}"\n')}`,
    });
    mkdirSync(files.path('elsewhere'));
    mkdirSync(files.path('out'));
    symlinkSync('../elsewhere', files.path('out/a.x=b'));
    const said = await run(files.path('a.topo.yaml'), '-q', '--artifacts', files.path('out'));
    assert.match(said.stderr, /artifacts of this run are not kept: .* leads through the symbolic link/);
    assert.deepEqual(readdirSync(files.path('elsewhere')), []);
  });

  it('is printed by other verbs as it is printed by run', async () => {
    using files = folder({});
    const file = files.path('a.topo.yaml');
    const evil = JSON.stringify(FORGED.map((each) => `\n${each}`).join(''));
    writeFileSync(file, `description: ${evil}\n${topology(`  - camera -> lidar: ${evil}\n`)}`);
    for (const args of [
      ['plan', '--why'],
      ['plan', '--format', 'json'],
      ['graph'],
      ['graph', '--format', 'dot'],
      ['graph', '--format', 'svg'],
      ['config'],
      ['config', '--explain'],
      ['config', '--format', 'json'],
      ['validate', '--format', 'github'],
    ]) {
      const said = await cli([...args, file]);
      assert.equal(said.code, 0, said.stderr);
      assertHarmless(said, args.join(' '));
    }
    assertHarmless(await cli(['run', `--no\n::error file=evil::x`]), 'a bad option');
  });
});
