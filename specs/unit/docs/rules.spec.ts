// SPDX-License-Identifier: MIT
// Each rule of the contract has a row in docs/rules.yaml: what would fail without it, and where model and kernel have it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { parse } from 'yaml';

const ROOT = new URL('../../../', import.meta.url).pathname;
const KINDS = ['topology', 'model', 'kernel', 'test'] as const;

interface Row extends Record<(typeof KINDS)[number], string | { readonly none: string }> {
  readonly rule: string;
  readonly begins?: string;
}

const rows = parse(readFileSync(`${ROOT}docs/rules.yaml`, 'utf8')) as Row[];

const sources = (folder: string, suffix: string): string =>
  readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => readFileSync(`${ROOT}${folder}/${name}`, 'utf8'))
    .join('\n');

const MODEL = sources('runner/model', '.ts');
const KERNEL = ['af_bus', 'nfdbus'].map((name) => sources(`kernel/${name}`, '')).join('\n');
const TESTS = sources('kernel/tests', '.c');

const EXISTS: Readonly<Record<(typeof KINDS)[number], (name: string) => boolean>> = {
  topology: (name) => existsSync(`${ROOT}topologies/${name}.topo.yaml`),
  model: (name) => new RegExp(`function ${name}\\(`).test(MODEL),
  // A definition: its last line of arguments is followed by the body.
  kernel: (name) => new RegExp(`\\b${name}\\([^;{}]*\\)\\s*\\{`).test(KERNEL),
  test: (name) =>
    new RegExp(`^TEST[A-Z_]*\\(${name}[,)]`, 'm').test(TESTS) || existsSync(`${ROOT}kernel/tests/${name}.c`),
};

/** Items of a page that begin a line, numbered within their section; options by the name of the first of each row. */
function rulesOf(page: string, sections: readonly string[]): Map<string, string> {
  const rules = new Map<string, string>();
  let [section, n] = ['', 0];
  for (const line of readFileSync(`${ROOT}docs/${page}.md`, 'utf8').split('\n')) {
    const [, heading] = /^## (\d+)\./.exec(line) ?? [];
    if (heading !== undefined) [section, n] = [heading, 0];
    if (!sections.includes(section)) continue;
    const [, text] = /^(?:\d+\.|-) (.*)/.exec(line) ?? [];
    const [, option] = /^\| (BUS_\w+)/.exec(line) ?? [];
    if (text !== undefined) rules.set(`${page} ${section}.${++n}`, text);
    if (option !== undefined) rules.set(`${page} ${option}`, '');
  }
  return rules;
}

const RULES = new Map([...rulesOf('af_bus', ['2', '3', '4', '5', '6']), ...rulesOf('dbus', ['3'])]);

describe('a rule of the contract', () => {
  it('has one row, and each row has a rule', () => {
    assert.ok(RULES.size > 40);
    assert.deepEqual(rows.map(({ rule }) => rule).toSorted(), [...RULES.keys()].toSorted());
  });

  for (const row of rows) {
    it(`${row.rule} has all that its row names`, () => {
      assert.ok(RULES.get(row.rule)?.startsWith(row.begins ?? ''), `${row.rule}: ${RULES.get(row.rule)}`);
      for (const kind of KINDS) {
        const value = row[kind];
        if (typeof value === 'string') assert.ok(EXISTS[kind](value), `no ${kind} ${value}`);
        else assert.match(value?.none ?? '', /\w+ \w+/, `neither a ${kind} nor why there is none`);
      }
    });
  }
});
