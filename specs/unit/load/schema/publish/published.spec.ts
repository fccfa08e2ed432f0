// SPDX-License-Identifier: MIT
// The published JSON Schema is the language: it says yes to all that loads and no to what is misshapen.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, it } from 'mocha';
import { parse } from 'yaml';
import { PROSE } from '../../../../../runner/load/schema/prose.ts';
import { jsonSchema } from '../../../../../runner/load/schema/publish/json-schema.ts';
import { reference } from '../../../../../runner/load/schema/publish/reference.ts';
import { topologySchema } from '../../../../../runner/load/schema/schema.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../../../${path}`, import.meta.url));
const topologies = (folder: string) =>
  readdirSync(at(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.topo.yaml'))
    .map((name) => `${folder}/${name}`);

const { schema, wordless, keyless } = jsonSchema();
const ajv = new Ajv2020({ allowUnionTypes: true });
ajv.addKeyword('markdownDescription');
const validate = ajv.compile(schema);

function published(file: string, text: string): void {
  if (process.env.UPDATE === '1') writeFileSync(at(file), text);
  assert.equal(readFileSync(at(file), 'utf8'), text, `${file} is old: run with UPDATE=1`);
}

/**
 * The value of a file that says all of it itself: what variables stand for, and what other files add, is known to the
 * language alone. Also undefined where the text is no YAML.
 */
function wholeValue(file: string): unknown {
  const source = readFileSync(at(file), 'utf8');
  if (source.includes('${') || /^(include|defaults):/m.test(source)) return undefined;
  try {
    return parse(source, { merge: true, logLevel: 'error' });
  } catch {
    return undefined;
  }
}

const WRONG: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  70_000,
  1.5,
  '',
  'x',
  'a b',
  '64B',
  '5s',
  [],
  ['x'],
  {},
  { x: 1 },
];

/** One of that many mutants is asked about: all of them take 12 s. No divisor of how many there are of a key. */
const SAMPLE = 7;

/** The value with one part replaced, left out, or given a key too many; each undone before the next. */
function* mutants(root: unknown, part: unknown = root, path = ''): Generator<[what: string, root: unknown]> {
  if (typeof part !== 'object' || part === null) return;
  const holder = part as Record<string, unknown>;
  for (const [key, value] of Object.entries(holder)) {
    const here = `${path}/${key}`;
    for (const wrong of WRONG) {
      holder[key] = wrong;
      yield [`${here} = ${JSON.stringify(wrong)}`, root];
    }
    holder[key] = value;
    if (!Array.isArray(part)) {
      delete holder[key];
      yield [`without ${here}`, root];
      holder[key] = value;
    }
    yield* mutants(root, value, here);
  }
  if (Array.isArray(part)) return;
  holder.surplus = 1;
  yield [`${path}/surplus`, root];
  delete holder.surplus;
}

/** The paths of all keys that the reference has a row for. */
function rowsOf(page: string): Set<string> {
  const rows = new Set<string>();
  for (const section of page.split(/^## /m)) {
    const [title = ''] = section.split('\n');
    const folder = title.startsWith('`') ? `${title.replaceAll('`', '')}.` : '';
    for (const [, key] of section.matchAll(/^\| `([^`]+)`(?: \*)? \|/gm)) rows.add(folder + key);
  }
  return rows;
}

describe('the published schema', () => {
  it('is what the command prints', () =>
    published('docs/topology.schema.json', `${JSON.stringify(schema, null, 2)}\n`));

  it('is what the reference is made from', () => published('docs/reference.md', reference(schema)));

  it('has words for every key, and no others (runner/load/schema/prose.ts)', () => {
    assert.deepEqual(wordless, [], 'keys of the language that prose.ts says nothing about');
    assert.deepEqual(keyless, [], 'words of prose.ts about keys that are not there');
  });

  it('has a row in the reference for every key that has words', () => {
    const rows = rowsOf(reference(schema));
    const keys = Object.keys(PROSE).filter((path) => /[a-z]$/.test(path));
    assert.ok(keys.length > 100);
    assert.deepEqual(
      keys.filter((path) => !rows.has(path)),
      [],
    );
  });

  for (const file of topologies('topologies')) {
    it(`accepts ${file}, which names it for editors`, () => {
      const source = readFileSync(at(file), 'utf8');
      assert.ok(validate(parse(source, { merge: true })), JSON.stringify(validate.errors, null, 2));
      const [, named = ''] = /^# yaml-language-server: \$schema=(.+)$/m.exec(source) ?? [];
      assert.equal(resolve(dirname(at(file)), named), at('docs/topology.schema.json'));
    });
  }

  it('ignores keys of the file that begin with x-, and no others', () => {
    const file = { buses: { b: {} }, 'x-lamp': { anything: [1] } };
    assert.ok(validate(file), JSON.stringify(validate.errors));
    assert.ok(!validate({ ...file, 'y-lamp': {} }));
    assert.ok(!validate({ ...file, buses: { b: { 'x-lamp': {} } } }));
  });

  it('judges the shape of every topology with one mistake as the language does', () => {
    const disagreed: string[] = [];
    let n = 0;
    for (const file of topologies('topologies')) {
      const value = wholeValue(file);
      for (const [what, wrong] of mutants(value)) {
        if (n++ % SAMPLE !== 0) continue;
        if (validate(wrong) !== topologySchema.safeParse(wrong).success) disagreed.push(`${file}: ${what}`);
      }
    }
    assert.deepEqual(disagreed.slice(0, 20), []);
  }).timeout(30_000);

  it('judges the shape of every broken file as the language does', () => {
    const disagreed = topologies('specs/unit/load/broken').filter((file) => {
      const value = wholeValue(file);
      return value !== undefined && validate(value) !== topologySchema.safeParse(value).success;
    });
    assert.deepEqual(disagreed, []);
  });
});
