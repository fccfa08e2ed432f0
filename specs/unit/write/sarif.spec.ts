// SPDX-License-Identifier: MIT
// SARIF 2.1.0: the types of the standard hold what is written, and the rules that types cannot say are asserted.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import type { Log, Result } from 'sarif';
import { CHECK_RULES, type Finding, findingsOf, sarif } from '../../../runner/write/sarif.ts';
import { cli, folder } from '../../helpers/cli.ts';
import { broke, failed, passed } from './verdicts.ts';

const BROKEN = fileURLToPath(new URL('../load/broken/', import.meta.url));
const CORPUS = readdirSync(BROKEN).filter((name) => name.endsWith('.topo.yaml'));

/** What a consumer relies on and the types leave open; returns the results. */
function conforms(log: Log): readonly Result[] {
  assert.equal(log.version, '2.1.0');
  const [run] = log.runs;
  assert.ok(run?.results !== undefined);
  const rules = run.tool.driver.rules ?? [];
  assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length, 'rules are distinct');
  for (const result of run.results) {
    assert.equal(rules[result.ruleIndex ?? -1]?.id, result.ruleId);
    assert.ok(result.message.text);
    for (const { physicalLocation } of result.locations ?? []) {
      const { uri = '' } = physicalLocation?.artifactLocation ?? {};
      assert.match(uri, /^(?:[A-Za-z0-9._~%/-]+|file:\/\/\/[A-Za-z0-9._~%/-]+)$/, 'a URI reference');
      const { startLine = 1, startColumn = 1, endColumn = startColumn + 1 } = physicalLocation?.region ?? {};
      assert.ok(startLine >= 1 && startColumn >= 1 && endColumn > startColumn);
    }
  }
  return run.results;
}

const written = (findings: readonly Finding[], complete = true): Log =>
  sarif(findings, { version: '1.2.3', rules: CHECK_RULES }, { complete });

describe('SARIF', () => {
  it('has a result for each failure, at its line, under the rule of its check', () => {
    const [first, ...others] = conforms(written(findingsOf([failed()])));
    assert.ok(others.length >= 4);
    assert.deepEqual(
      [first?.ruleId, first?.level, first?.locations?.[0]?.physicalLocation?.region],
      ['recipients', 'error', { startLine: 12, startColumn: 5 }],
    );
    assert.match(first?.message.text ?? '', /^r3 did not get a#3\nexpected: .*\nobserved: /);
  });

  it('has no result for a check that passed', () => {
    assert.deepEqual(conforms(written(findingsOf([passed()]))), []);
  });

  it('distinguishes a run that broke down from one that found nothing', () => {
    const [result] = conforms(written(findingsOf([broke()]), false));
    assert.equal(result?.ruleId, 'environment');
    assert.equal(written([], false).runs[0]?.invocations?.[0]?.executionSuccessful, false);
  });

  it('writes files as URIs', () => {
    const uri = (file: string) =>
      conforms(written([{ rule: 'kernel', level: 'error', message: 'x', file }]))[0]?.locations?.[0]
        ?.physicalLocation?.artifactLocation?.uri;
    assert.equal(uri('./a b/ü#1.topo.yaml'), 'a%20b/%C3%BC%231.topo.yaml');
    assert.equal(uri('/tmp/a b.yaml'), 'file:///tmp/a%20b.yaml');
  });

  it('comes from validate for every file that is broken', async function () {
    // The whole corpus is read twice, on a machine that may have much else to do.
    this.timeout(120_000);
    const { code, stdout } = await cli(['validate', '--format', 'sarif', ...CORPUS], { cwd: BROKEN });
    const json = await cli(['validate', '--format', 'json', ...CORPUS], { cwd: BROKEN });
    const { diagnostics } = JSON.parse(json.stdout) as { diagnostics: { code: string; line: number }[] };
    assert.equal(code, 2);
    assert.deepEqual(
      conforms(JSON.parse(stdout) as Log).map((each) => [
        each.ruleId,
        each.locations?.[0]?.physicalLocation?.region?.startLine ?? 0,
      ]),
      diagnostics.map((each) => [each.code, each.line]),
    );
  });

  it('comes from run, with broken files and failed checks side by side', async () => {
    using files = folder({
      'bad.topo.yaml': 'buses: { cabin: { queue: 3 } }\n',
      'fails.topo.yaml':
        'buses: { cabin: {} }\nclients: { a: {}, b: {} }\ntraffic:\n  - a -> b: "x"\n    expect: { recipients: [a] }\n',
    });
    const args = [
      'run',
      '--quiet',
      '--backend',
      'sim',
      '--format',
      'sarif',
      'bad.topo.yaml',
      'fails.topo.yaml',
    ];
    const { stdout } = await cli(args, { cwd: files.path('.') });
    const results = conforms(JSON.parse(stdout) as Log);
    assert.deepEqual([...new Set(results.map((r) => r.ruleId))], ['unknown-key', 'recipients', 'impossible']);
  });
});
