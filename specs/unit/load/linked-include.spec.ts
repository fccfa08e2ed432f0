// SPDX-License-Identifier: MIT
// A file that is included by its name and by a link to it is there once; one that includes itself by a link is a circle.
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { describe, it } from 'mocha';
import { load } from '../../../runner/load/index.ts';
import { folder } from '../../helpers/cli.ts';

const TRAFFIC = 'buses: { b: {} }\nclients: { x: {} }\ntraffic: [{ x -> lamp: hi }]\n';

describe('an included file with two names', () => {
  it('is included once', () => {
    using files = folder({
      't.topo.yaml': `include: [part.yaml, same.yaml]\n${TRAFFIC}`,
      'part.yaml': 'clients: { lamp: {} }\n',
    });
    symlinkSync('part.yaml', files.path('same.yaml'));
    const { topology, diagnostics } = load(files.path('t.topo.yaml'));
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(topology?.clients.map(({ name }) => name).sort(), ['lamp', 'x']);
  });

  it('is found in a circle by either name', () => {
    using files = folder({ 't.topo.yaml': `include: [same.yaml]\n${TRAFFIC}` });
    symlinkSync('t.topo.yaml', files.path('same.yaml'));
    const { diagnostics } = load(files.path('t.topo.yaml'));
    assert.match(diagnostics[0]?.message ?? '', /these files include each other/);
  });
});
