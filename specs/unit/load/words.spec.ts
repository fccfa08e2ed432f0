// SPDX-License-Identifier: MIT
// The small tools behind the words: carets, suggestions, patterns, paths.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { formatPath } from '../../../runner/common/diagnostic.ts';
import { nearest } from '../../../runner/common/nearest.ts';
import { load, renderDiagnostics } from '../../../runner/load/index.ts';
import { matches } from '../../../runner/load/resolve/clients.ts';

describe('did you mean', () => {
  const words = ['camera', 'lidar', 'logger', 'groups', 'buses', 'ecu'];
  const cases: [string, string | undefined][] = [
    ['camra', 'camera'],
    ['cmaera', 'camera'],
    ['Lidar', 'lidar'],
    ['group', 'groups'],
    ['bus', 'buses'],
    ['ecuu', 'ecu'],
    ['radar', undefined],
    ['x', undefined],
    ['ec', 'ecu'],
    ['xcu', 'ecu'],
    ['xc', undefined],
    ['c'.repeat(10_000), undefined],
  ];
  for (const [word, meant] of cases) {
    it(`${word.slice(0, 12)} → ${meant ?? 'nothing'}`, () => assert.equal(nearest(word, words), meant));
  }
});

describe('a name of one letter', () => {
  const cases: [string, string | undefined][] = [
    ['x', undefined],
    ['ax', undefined],
    ['A', 'a'],
  ];
  for (const [word, meant] of cases)
    it(`${word} → ${meant ?? 'nothing'}`, () => assert.equal(nearest(word, ['a', 'b', 'c']), meant));
});

describe('patterns', () => {
  it('take * for any characters', () => {
    const yes = [
      ['*', ''],
      ['tool-*', 'tool-'],
      ['tool-*', 'tool-12'],
      ['*-0', 'a-0'],
      ['a*b*c', 'a1b2c'],
      ['a', 'a'],
    ];
    const no = [
      ['tool-*', 'tool'],
      ['a*a', 'a'],
      ['a*b*c', 'acb'],
      ['a.c', 'abc'],
      ['', 'a'],
      ['*b*', 'a'],
    ];
    for (const [pattern = '', name = ''] of yes) assert.ok(matches(pattern, name), `${pattern} ${name}`);
    for (const [pattern = '', name = ''] of no) assert.ok(!matches(pattern, name), `${pattern} ${name}`);
  });

  it('take no long time for any pattern', () => {
    assert.ok(!matches('*a'.repeat(30), `${'a'.repeat(60)}b`));
  });
});

describe('rendering', () => {
  it('quotes odd keys in paths', () => {
    assert.equal(formatPath(['traffic', 3, 'a -> b', 'to']), 'traffic[3]["a -> b"].to');
  });

  it('colours only when asked to, and shows tabs and control characters harmlessly', () => {
    const source = 'buses: { cabin: {} }\nclients: {\tcamera: { nod\u202ee: x } }\n';
    const { diagnostics, sources } = load('x.topo.yaml', { source });
    const plain = renderDiagnostics(diagnostics, sources);
    const [, line, caret] = plain.split('\n');
    assert.equal(line, '    2 | clients: {\tcamera: { nod�e: x } }');
    assert.equal(caret, '      |           \t          ^^^^^');
    assert.ok(
      !plain.includes('\u001b') &&
        renderDiagnostics(diagnostics, sources, { color: true }).includes('\u001b['),
    );
  });
});
