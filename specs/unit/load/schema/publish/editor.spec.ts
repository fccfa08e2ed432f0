// SPDX-License-Identifier: MIT
// The schema in the language server that editors run, found by the line at the head of each topology.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'mocha';
import { LanguageServer, type Position } from './language-server.ts';

const topology = (name: string) =>
  fileURLToPath(new URL(`../../../../../topologies/${name}.topo.yaml`, import.meta.url));

/** `|` marks the place that is asked about. */
function marked(text: string): { text: string; at: Position } {
  const before = text.slice(0, text.indexOf('|')).split('\n');
  const at = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
  return { text: text.replace('|', ''), at };
}

const HEAD = '# yaml-language-server: $schema=../docs/topology.schema.json\nbuses: { cabin: {} }\n';

describe('an editor', function () {
  this.timeout(30_000);
  let server: LanguageServer;
  before(async () => {
    server = await LanguageServer.start();
  });
  after(() => server.stop());

  async function complaints(name: string, body: string): Promise<string[]> {
    const found = await server.open(topology(name), HEAD + body);
    return found.map(
      ({ range: { start }, message }) => `${start.line - 1}:${start.character + 1} ${message}`,
    );
  }

  async function completions(name: string, body: string): Promise<string[]> {
    const { text, at } = marked(HEAD + body);
    await server.open(topology(name), text);
    return server.complete(topology(name), at);
  }

  async function hover(name: string, body: string): Promise<string> {
    const { text, at } = marked(HEAD + body);
    await server.open(topology(name), text);
    return server.hover(topology(name), at);
  }

  for (const name of ['quickstart', 'fd-passing', 'master-leaves', 'include', 'matrix']) {
    it(`reports nothing for ${name}`, async () => {
      assert.deepEqual(await server.open(topology(name), readFileSync(topology(name), 'utf8')), []);
    });
  }

  it('underlines a key that does not exist', async () => {
    assert.deepEqual(await complaints('typo', 'clients:\n  camera: { eavesdorp: true }\n'), [
      '2:13 Property eavesdorp is not allowed.',
    ]);
  });

  it('underlines a payload that is no text', async () => {
    assert.deepEqual(await complaints('number', 'traffic:\n  - camera -> lidar: 5\n'), [
      '2:22 Incorrect type. Expected "string".',
    ]);
  });

  it('underlines a fault that lacks its address', async () => {
    assert.deepEqual(await complaints('half', 'traffic:\n  - fault: { add-address: lidar }\n'), [
      '2:5 Missing property "address".',
    ]);
  });

  it('offers the keys of a client', async () => {
    const keys = await completions('keys', 'clients:\n  camera:\n    |\n');
    for (const key of ['groups', 'eavesdrop', 'replicas', 'user']) assert.ok(keys.includes(key), key);
    assert.ok(!keys.includes('prefix'));
  });

  it('offers steps, faults and errnos', async () => {
    const steps = await completions('steps', 'traffic:\n  - |\n');
    for (const key of ['send', 'parallel', 'fault']) assert.ok(steps.includes(key), `${key}: ${steps}`);
    const faults = await completions('faults', 'traffic:\n  - fault:\n      |\n');
    for (const key of ['kill', 'expel', 'add-address']) assert.ok(faults.includes(key), `${key}: ${faults}`);
    const errnos = await completions('errnos', 'traffic:\n  - a -> b: "x"\n    expect:\n      error: |\n');
    assert.ok(errnos.includes('EHOSTUNREACH'), String(errnos));
  });

  it('explains a key, and the short form of a send', async () => {
    assert.match(
      await hover('key', 'clients:\n  camera: { gro|ups: [sensors] }\n'),
      /Groups that it is a member of/,
    );
    assert.match(
      await hover('short', 'traffic:\n  - cam|era -> lidar: "x"\n'),
      /sender, arrow, destination.*`<bus>\.master`/,
    );
  });
});
