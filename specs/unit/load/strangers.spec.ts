// SPDX-License-Identifier: MIT
// What a file of a stranger may read, and what it may ask for.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, it } from 'mocha';
import { load, renderDiagnostics } from '../../../runner/load/index.ts';
import { cli, folder } from '../../helpers/cli.ts';

const said = (file: string, source?: string) => {
  const { diagnostics, sources, topology } = load(file, source === undefined ? {} : { source });
  return { text: renderDiagnostics(diagnostics, sources), topology };
};

const SECRET = 'secret: [hunter2';

describe('a file of a stranger', () => {
  it('includes nothing from outside of its folder by any path, and shows nothing of it', () => {
    using files = folder({ secret: SECRET });
    mkdirSync(files.path('mine/below'), { recursive: true });
    symlinkSync('../secret', files.path('mine/link.yaml'));
    symlinkSync('..', files.path('mine/up'));
    const paths = ['../secret', files.path('secret'), 'link.yaml', 'up/secret', 'below/../../secret'];
    for (const path of [...paths, '/proc/self/environ', '/etc/passwd']) {
      const { text } = said(files.path('mine/a.topo.yaml'), `include: [${path}]\nbuses: { b: {} }\n`);
      assert.match(text, /cannot include .*: it lies outside of the folder of the file that is read/, path);
      assert.doesNotMatch(text, /hunter2|root:/);
    }
  });

  it('is not read through a link that leads out of its folder', () => {
    using files = folder({ secret: SECRET });
    mkdirSync(files.path('mine'));
    symlinkSync('../secret', files.path('mine/a.topo.yaml'));
    symlinkSync('/proc/self/environ', files.path('mine/b.topo.yaml'));
    for (const name of ['a', 'b']) {
      const { text } = said(files.path(`mine/${name}.topo.yaml`));
      assert.match(text, /it lies outside of the folder/);
      assert.doesNotMatch(text, /hunter2|PATH/);
    }
  });

  it('includes what is below its folder, also through a link', () => {
    using files = folder({ 'part.yaml': 'clients: { x: {}, y: {} }' });
    mkdirSync(files.path('below'));
    symlinkSync('../part.yaml', files.path('below/link.yaml'));
    const source = 'include: [below/link.yaml]\nbuses: { b: {} }\ntraffic:\n  - x -> y: hi\n';
    const { text, topology } = said(files.path('a.topo.yaml'), source);
    assert.equal(text, '');
    assert.equal(topology?.clients.length, 2);
  });

  it('gives its nodes no variable that Node, the loader or a shell obeys', () => {
    const names = [
      'NODE_OPTIONS',
      'LD_PRELOAD',
      'PATH',
      'OPENSSL_CONF',
      'GLIBC_TUNABLES',
      'HOME',
      'ld_preload',
    ];
    for (const name of names) {
      const { text } = said('a', `nodes: { n: { env: { ${name}: x } } }\nbuses: { b: {} }\n`);
      assert.match(text, /would steer what plays the node/, name);
    }
    for (const name of ['-i', '--split-string', 'A B', '1A', 'A=B', 'É']) {
      const { text } = said('a', `nodes: { n: { env: { ${JSON.stringify(name)}: x } } }\nbuses: { b: {} }\n`);
      assert.match(text, /expected the name of a variable/, name);
    }
    const inherited = said(
      'a',
      'defaults: { nodes: { env: { NODE_OPTIONS: x } } }\nnodes: { n: {} }\nbuses: { b: {} }\n',
    );
    assert.match(inherited.text, /would steer what plays the node/);
    const nul = said('a', 'nodes: { n: { env: { A: "x\\0y" } } }\nbuses: { b: {} }\n');
    assert.match(nul.text, /expected a text without NUL/);
    const fine = said(
      'a',
      'nodes: { n: { env: { LOG: x, NODE: y, MY_PATH: z } } }\nbuses: { b: { master: { node: n } } }\n',
    );
    assert.doesNotMatch(fine.text, /error/);
  });

  it('sees the variables of the environment that it is given, and no others', async () => {
    using files = folder({
      'a.topo.yaml': 'description: "${TOKEN}"\nbuses: { b: {} }\nclients: { x: {} }\n',
    });
    const env = { TOKEN: 'hunter2' };
    const blind = await cli(['config', files.path('a.topo.yaml')], { env });
    assert.equal(blind.code, 2);
    assert.match(blind.stderr, /the variable TOKEN is not set.*/);
    assert.doesNotMatch(blind.stderr + blind.stdout, /hunter2/);
    const given = await cli(['config', '--set', 'TOKEN', files.path('a.topo.yaml')], { env });
    assert.match(given.stdout, /description: hunter2/);
    const none = await cli(['config', '--set', 'NONE_OF_THAT_NAME', files.path('a.topo.yaml')], { env });
    assert.equal(none.code, 2);
  });
});
