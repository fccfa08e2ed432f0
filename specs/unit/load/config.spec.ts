// SPDX-License-Identifier: MIT
// The resolved file loads to the same topology, whatever it was put together from.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { configOf, load, renderDiagnostics } from '../../../runner/load/index.ts';
import type { Topology } from '../../../runner/topology/topology.ts';
import { plain } from '../../helpers/corpus.ts';

const FOLDER = fileURLToPath(new URL('../../../topologies/', import.meta.url));

/** Without the places, and without what says that it was one of several. */
const bare = ({ combination: _, ...topology }: Topology) =>
  JSON.parse(
    JSON.stringify(plain(topology), (key, value) => (key === 'place' || key === 'file' ? undefined : value)),
  );

function sameAgain(file: string, source?: string): void {
  for (const explain of [false, true]) {
    const { written, diagnostics, sources } = configOf(file, { explain, ...(source && { source }) });
    assert.ok(written.length > 0, renderDiagnostics(diagnostics, sources));
    for (const { topology, yaml } of written) {
      // A combination's name is more than a name can be; all else is plain.
      const text = yaml.replace(/^name: .*\n/, '');
      const again = load(`${topology.name}.topo.yaml`, { source: text });
      assert.ok(again.topology, `${yaml}\n${renderDiagnostics(again.diagnostics, again.sources)}`);
      assert.deepEqual({ ...bare(again.topology), name: '' }, { ...bare(topology), name: '' });
    }
  }
}

describe('the resolved file', () => {
  for (const name of readdirSync(FOLDER).filter((each) => each.endsWith('.topo.yaml')))
    it(`of ${name.replace('.topo.yaml', '')} loads to the same`, () => sameAgain(FOLDER + name));

  it('keeps texts that look like something else', () => {
    sameAgain(
      'x.topo.yaml',
      `description: "$\${A} and $$$$"
defaults: { sends: { count: 2, nonblocking: true }, clients: { user: "3:4" } }
nodes: { ecu: { env: { V: 1.10, Z: 007, T: "true", E: "" } } }
buses: { cabin: { path: "@x y" } }
groups: { g: { prefix: 0x10 } }
clients: { a: , tool: { replicas: 2, groups: [g] } }
traffic:
  - a -> tool-0: "12"
    expect: { recipients: [tool-0] }
  - a -> tool-1: "null # no, \\n a text"
    expect: { recipients: [tool-1] }
  - parallel:
      - - a -> g: ""
          expect: { recipients: [tool] }
      - send: { from: tool-0, to: a, size: 64..4KiB }
        expect: { recipients: [a] }`,
    );
  });

  it('is written for each combination', () => {
    const source = 'matrix: { n: [1, 2] }\nbuses: { cabin: { queueLength: "${n}" } }';
    sameAgain('x.topo.yaml', source);
    assert.match(configOf('x', { source }).written[1]?.yaml ?? '', /queueLength: 2\n/);
  });

  it('says where each value comes from', () => {
    const { written } = configOf('main.topo.yaml', {
      explain: true,
      source: `include: [part.yaml]
defaults: { clients: { user: "\${U}:1" } }
buses: { cabin: { queueLength: 3 } }`,
      set: { U: '5' },
      read: () => ({ text: 'clients: { a: { receive: manual } }' }),
    });
    const origins = [
      'queueLength: 3 # main.topo.yaml:3:32',
      'receive: manual # part.yaml:1:26, included from main.topo.yaml:1:11',
      'user: "5:1" # defaults.clients at main.topo.yaml:2:30, ${U} from --set',
      'overflow: block # built-in default',
    ];
    for (const line of origins) assert.ok(written[0]?.yaml.includes(line), `${line}\n${written[0]?.yaml}`);
  });

  it('is not written if the file has mistakes', () => {
    const { written, diagnostics } = configOf('x', { source: 'buses: { cabin: { x: 1 } }' });
    assert.deepEqual([written.length, diagnostics.length], [0, 1]);
  });
});
