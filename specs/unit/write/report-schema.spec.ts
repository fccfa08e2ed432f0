// SPDX-License-Identifier: MIT
// The published shape of reports is that of what is written: verdicts of every kind, files without one, lists and lines.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, it } from 'mocha';
import { reportSchema } from '../../../runner/write/report-schema.ts';
import { cli, folder } from '../../helpers/cli.ts';

const FILE = fileURLToPath(new URL('../../../docs/report.schema.json', import.meta.url));
const validate = new Ajv2020({ allowUnionTypes: true }).compile(reportSchema());

const FILES = {
  'pass.topo.yaml': 'buses: { car: {} }\nclients: { a: {}, b: {} }\ntraffic: [{ a -> b: hi }]\n',
  'warn.topo.yaml':
    'buses: { car: {} }\nnodes: { n: {}, unused: {} }\nclients: { a: { node: n }, b: { node: n } }\ntraffic: [{ a -> b: hi }]\n',
  'skip.topo.yaml': 'buses: { car: {} }\nclients: { a: {} }\ntraffic: [{ fault: { kill: a } }]\n',
  'broken.topo.yaml': 'buses: { car: {} }\nclients: { a: {} }\ntraffic: [{ a -> lidra: hi }]\n',
};
const NAMES = Object.keys(FILES);

async function reports(format: string, names: readonly string[], ...more: string[]): Promise<string> {
  using files = folder(FILES);
  return (
    await cli(['run', '-q', '--backend', 'sim', '--format', format, ...more, ...names], {
      cwd: files.path('.'),
    })
  ).stdout;
}

function assertShape(value: unknown): void {
  assert.ok(validate(value), JSON.stringify(validate.errors?.slice(0, 5), null, 1));
}

describe('the shape of reports', () => {
  it('is published', () => {
    const text = `${JSON.stringify(reportSchema(), null, 2)}\n`;
    if (process.env.UPDATE === '1') writeFileSync(FILE, text);
    assert.equal(readFileSync(FILE, 'utf8'), text, `${FILE} is old: run with UPDATE=1`);
  });

  for (const name of NAMES) {
    it(`is that of ${name}`, async () => assertShape(JSON.parse(await reports('json', [name]))));
  }

  it('is that of a failure with its witnesses', async () => {
    const value = JSON.parse(await reports('json', ['pass.topo.yaml'], '--sim-bug', 'corrupt'));
    assert.equal(value.result, 'fail');
    assertShape(value);
  });

  it('is one document however many files', async () => {
    const value = JSON.parse(await reports('json', NAMES));
    assert.equal(value.length, NAMES.length);
    assertShape(value);
  });

  it('describes each line of line-wise JSON', async () => {
    const lines = (await reports('jsonl', NAMES)).trim().split('\n');
    assert.equal(lines.length, NAMES.length);
    for (const line of lines) assertShape(JSON.parse(line));
  });

  it('allows nothing else', async () => {
    const value = JSON.parse(await reports('json', ['pass.topo.yaml']));
    assert.ok(!validate({ ...value, more: 1 }));
    assert.ok(!validate({ ...value, result: 'green' }));
    assert.ok(!validate({ ...value, checks: [{ ...value.checks[0], failed: -1 }] }));
  });
});
