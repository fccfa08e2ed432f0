// SPDX-License-Identifier: MIT
// A topology as a drawing: all of it is there, nothing of the file breaks out of its place, and it is the same each time.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { dot, mermaid, pictureOf, svg } from '../../../runner/graph/index.ts';
import { cli } from '../../helpers/cli.ts';
import { ok } from '../load/helpers.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const picture = (source: string) => pictureOf(ok(source));
const quickstart = () => picture(readFileSync(at('topologies/quickstart.topo.yaml'), 'utf8'));

const NASTY = `
name: nasty
description: 'a <b> & "c" \\ #d {e} [f] | \`g\`'
buses: { cabin: { path: '@x<y>&"z"\\' } }
clients: { a: {} }`;

/** Throws where tags are not closed in turn, and returns the text between them. */
function wellFormed(xml: string): string {
  const open: string[] = [];
  const body = xml.replace(/<!--.*?-->/gs, '');
  for (const [, close, name = '', , self] of body.matchAll(/<(\/?)([a-z]+)((?:\s[^<>]*?)?)(\/?)>/g)) {
    if (close) assert.equal(open.pop(), name);
    else if (!self) open.push(name);
  }
  assert.deepEqual(open, []);
  const texts = body.replace(/<[^<>]+>/g, '');
  assert.doesNotMatch(texts, /[<>]|&(?!amp;|lt;|gt;|quot;)/);
  return texts;
}

const counts = (text: string, ...patterns: RegExp[]) => patterns.map((p) => text.match(p)?.length ?? 0);

describe('a graph', () => {
  it('says which bus speaks D-Bus, and who has match rules', () => {
    const { buses, nodes } = picture(`
buses: { s: { protocol: dbus } }
clients: { a: {}, b: { match: ["type='signal'"] }, c: { match: ["member=A", "member=B"] } }`);
    assert.deepEqual(buses[0]?.notes, ['D-Bus']);
    assert.deepEqual(
      nodes.flatMap(({ parties }) => parties.map(({ notes }) => notes)),
      [[], [], ['1 match rule'], ['2 match rules']],
    );
  });

  it('knows who is on the bus, who hears all of it, and who is left out', () => {
    const parties = quickstart().nodes.flatMap((node) => node.parties);
    assert.deepEqual(
      parties.map((p) => [p.name, p.standing, p.eavesdrops, p.groups]),
      [
        ['cabin.master', 'joined', false, []],
        ['logger', 'joined', true, []],
        ['camera', 'joined', false, ['sensors']],
        ['lidar', 'joined', false, ['sensors']],
        ['stranger', 'refused', false, []],
      ],
    );
  });

  it('draws replicas as one, apart from those that the master refuses', () => {
    const { nodes } = picture(
      'buses: { cabin: { master: { admit: [tool-1, tool-2] } } }\nclients: { tool: { replicas: 3 } }',
    );
    const clients = nodes.flatMap((node) => node.parties).filter((p) => p.kind === 'client');
    assert.deepEqual(
      clients.map((p) => [p.label, p.count, p.standing]),
      [
        ['tool-0', 1, 'refused'],
        ['tool-1 … tool-2', 2, 'joined'],
      ],
    );
  });

  it('shows a client that is restarted once', () => {
    const { nodes } = picture('buses: { b: {} }\nclients: { c: {} }\ntraffic: [ fault: { restart: c } ]');
    assert.deepEqual(
      nodes[1]?.parties.map((p) => p.label),
      ['c'],
    );
  });

  it('stays legible with a thousand clients, each written by itself', () => {
    const names = Array.from({ length: 1000 }, (_, n) => `  c${n}: { groups: [${n % 2 ? 'odd' : 'even'}] }`);
    const big = picture(
      `buses: { cabin: {} }\ngroups: { odd: { prefix: 1 }, even: { prefix: 2 } }\nclients:\n${names.join('\n')}`,
    );
    assert.deepEqual(
      big.nodes[1]?.parties.map((p) => [p.label, p.count]),
      [
        ['c0 and others', 500],
        ['c1 and others', 500],
      ],
    );
    const width = Number(/width="(\d+)"/.exec(svg(big))?.[1]);
    assert.ok(width < 1000, String(width));
  });

  describe('as SVG', () => {
    it('has a box for each party, a rail for each bus, a lane for each group, and a mark where they meet', () => {
      const text = svg(quickstart());
      wellFormed(text);
      assert.deepEqual(
        counts(
          text,
          /class="node"/g,
          /class="rail"/g,
          /class="lane g0"/g,
          /<circle class="g0"/g,
          /class="ring"/g,
        ),
        [3, 1, 1, 2, 2],
      );
      for (const name of ['cabin.master', 'camera', 'lidar', 'logger', 'stranger'])
        assert.ok(text.includes(`>${name}</text>`), name);
    });

    it('tells those who cannot see it, and needs nothing from elsewhere', () => {
      const text = svg(quickstart());
      assert.match(text, /role="img" aria-labelledby="quickstart-title quickstart-desc"/);
      assert.match(text, /<title id="quickstart-title">quickstart<\/title>/);
      assert.match(text, /camera on ecu, in sensors; .*stranger on guest, not admitted\./);
      assert.doesNotMatch(text, /<script|<image|href|@import|url\(/);
      assert.match(text, /prefers-color-scheme:dark/);
    });

    it('keeps wires of different parties apart', () => {
      for (const name of ['two-buses', 'groups', 'mixed-order']) {
        const text = svg(picture(readFileSync(at(`topologies/${name}.topo.yaml`), 'utf8')));
        const boxes = [
          ...text.matchAll(/<rect class="(?:chip|master)[^"]*" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g),
        ];
        const ends = boxes.map(([, x, width]) => [Number(x), Number(x) + Number(width)] as const);
        ends.sort(([a], [b]) => a - b);
        ends.slice(1).forEach(([x], i) => void assert.ok(x > (ends[i]?.[1] ?? 0), `${name}: boxes overlap`));
      }
    });

    it('lets nothing of the file out of its place', () => {
      const texts = wellFormed(svg(picture(NASTY)));
      assert.ok(texts.includes('a &lt;b&gt; &amp; &quot;c&quot;'));
      assert.ok(texts.includes('@x&lt;y&gt;&amp;&quot;z&quot;\\'));
    });
  });

  describe('as Mermaid', () => {
    it('has nodes as subgraphs, and wires to buses and groups', () => {
      const text = mermaid(quickstart());
      assert.match(text, /^flowchart TB$/m);
      assert.match(
        text,
        /subgraph node_ecu\["ecu"\]\n {4}client_camera\["camera"\]\n {4}client_lidar\["lidar"\]\n {2}end/,
      );
      for (const wire of [
        'master_cabin ==> bus_cabin',
        'client_camera --- group_sensors',
        'client_stranger -. "not admitted" .- bus_cabin',
        'bus_cabin -- "everything" --> client_logger',
      ])
        assert.ok(text.includes(`  ${wire}\n`), wire);
    });

    it('lets nothing of the file out of its place', () => {
      const text = mermaid(picture(NASTY));
      assert.ok(text.includes('"cabin<br/>@x#60;y#62;#38;#34;z#34;#92;"'), text);
    });
  });

  describe('as DOT', () => {
    it('has nodes as clusters, and wires to buses and groups', () => {
      const text = dot(quickstart());
      assert.equal(counts(text, /subgraph cluster_\d/g)[0], 3);
      assert.ok(text.includes('"client camera" -- "group sensors";'));
      assert.ok(text.includes('"client stranger" -- "bus cabin" [style=dashed];'));
    });

    it('lets nothing of the file out of its place', () => {
      assert.ok(dot(picture(NASTY)).includes('[label="cabin\\n@x<y>&\\"z\\"\\\\", shape=hexagon]'));
    });
  });

  it('is the same each time', () => {
    for (const write of [svg, mermaid, dot]) assert.equal(write(quickstart()), write(quickstart()));
  });

  it('of the quickstart is the one in the README', () => {
    const published = at('docs/quickstart.svg');
    if (process.env.UPDATE === '1') writeFileSync(published, svg(quickstart()));
    assert.equal(
      readFileSync(published, 'utf8'),
      svg(quickstart()),
      'docs/quickstart.svg is old: run with UPDATE=1',
    );
    assert.ok(readFileSync(at('README.md'), 'utf8').includes('](docs/quickstart.svg)'));
  });

  it('comes from the command, in each format, and not from a broken file', async () => {
    const file = at('topologies/quickstart.topo.yaml');
    const starts = { mermaid: /^%%|^flowchart/, dot: /^graph "quickstart"/, svg: /<svg / };
    for (const [format, start] of Object.entries(starts)) {
      const { code, stdout, stderr } = await cli(['graph', '--format', format, file]);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, start);
    }
    const broken = await cli(['graph', at('specs/unit/load/broken/unknown-key.topo.yaml')]);
    assert.deepEqual([broken.code, broken.stdout], [2, '']);
    assert.match(broken.stderr, /unknown-key\.topo\.yaml:\d+:\d+: error: unknown key/);
  });
});
