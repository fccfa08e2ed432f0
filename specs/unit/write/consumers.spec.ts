// SPDX-License-Identifier: MIT
// Reports as their consumers take them: parsers of others, and the rules of those who have none that can be run here.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { parseXml, type XmlElement } from '@rgrove/parse-xml';
import AjvDraft4 from 'ajv-draft-04';
import { parse as parseJunit } from 'junit2json';
import { describe, it } from 'mocha';
import { Parser } from 'tap-parser';
import type { Diagnostic } from '../../../runner/common/diagnostic.ts';
import type { CheckResult, Verdict } from '../../../runner/verdict/verdict.ts';
import { writeGithub } from '../../../runner/write/github.ts';
import { writeJunit } from '../../../runner/write/junit.ts';
import { writeKtap } from '../../../runner/write/ktap.ts';
import { CHECK_RULES, findingsOf, remarksIn, sarif, writeSarif } from '../../../runner/write/sarif.ts';
import type { Report } from '../../../runner/write/unplayed.ts';
import { broke, failed, failing, passed } from './verdicts.ts';

const SLY = 'x\u0000\u001b[31m]]> <&"\n::error::forged\nok 9 forged # SKIP\r\n%0A \ud800';
const warning: Diagnostic = {
  ...{ code: 'vacuous', severity: 'warning', message: SLY, path: 'traffic[0]' },
  ...{ file: `a b,c:${SLY}.yaml`, line: 3, column: 5, endColumn: 9 },
};

const skipped = (): Verdict => ({ ...passed(), result: 'skip', reason: 'no message was delivered' });

/** One of each kind, the same one twice, and some whose every text is somebody else's. */
const REPORTS: readonly Report[] = [
  passed(),
  failed(),
  failed(),
  broke(),
  skipped(),
  { ...passed(), account: [SLY], warnings: [warning], topology: 'sly' },
  failing([{ summary: SLY, observed: SLY, expected: SLY }]),
  { ...broke(), reason: SLY, file: `${SLY}.topo.yaml` },
  {
    schemaVersion: 1,
    file: `${SLY}.topo.yaml`,
    result: 'error',
    reason: SLY,
    diagnostics: [{ ...warning, severity: 'error' }],
  },
];
const VERDICTS = REPORTS.filter((report): report is Verdict => 'checks' in report);

interface Rule {
  readonly needs?: readonly string[];
  readonly may?: readonly string[];
  readonly children?: readonly string[];
  readonly text?: true;
}

/** The schema of Jenkins' xUnit plugin for JUnit, as far as elements and attributes go. */
const XUNIT: Readonly<Record<string, Rule>> = {
  testsuites: { may: ['name', 'time', 'tests', 'failures', 'errors'], children: ['testsuite'] },
  testsuite: {
    needs: ['name'],
    may: [
      ...['tests', 'failures', 'errors', 'skipped', 'time', 'timestamp', 'hostname', 'id'],
      ...['package', 'group', 'file', 'log', 'url', 'version'],
    ],
    children: ['testsuite', 'properties', 'testcase', 'system-out', 'system-err'],
  },
  properties: { children: ['property'] },
  property: { needs: ['name', 'value'] },
  testcase: {
    needs: ['name'],
    may: ['classname', 'time', 'group'],
    children: ['skipped', 'error', 'failure', 'system-out', 'system-err'],
  },
  skipped: { may: ['type', 'message'], text: true },
  error: { may: ['type', 'message'], text: true },
  failure: { may: ['type', 'message'], text: true },
  'system-out': { text: true },
  'system-err': { text: true },
};
const NUMBERS = ['tests', 'failures', 'errors', 'skipped'];

function conforms(element: XmlElement): void {
  const rule = XUNIT[element.name];
  assert.ok(rule, `<${element.name}> is not in the schema`);
  const { needs = [], may = [], children = [], text } = rule;
  for (const name of needs) assert.ok(name in element.attributes, `<${element.name}> needs ${name}`);
  for (const [name, value] of Object.entries(element.attributes)) {
    assert.ok([...needs, ...may].includes(name), `<${element.name}> has no ${name}`);
    if (NUMBERS.includes(name)) assert.match(value, /^\d+$/);
    if (name === 'time') assert.match(value, /^\d+(\.\d{0,3})?$/);
  }
  for (const child of element.children) {
    if (child.type === 'element') {
      assert.ok(children.includes((child as XmlElement).name), `${child.toJSON()}`);
      conforms(child as XmlElement);
    } else if (!text) assert.equal(String((child as unknown as { text: string }).text).trim(), '');
  }
}

const elements = (parent: XmlElement, name: string): XmlElement[] =>
  parent.children.filter((child): child is XmlElement => (child as XmlElement).name === name);

describe('JUnit for its consumers', () => {
  const xml = writeJunit(REPORTS);
  const root = parseXml(xml).root as XmlElement;

  it('is what the schema of Jenkins allows', () => conforms(root));

  it('counts in each suite what is in it', () => {
    for (const suite of elements(root, 'testsuite')) {
      const cases = elements(suite, 'testcase');
      const having = (name: string) => cases.filter((each) => elements(each, name).length > 0).length;
      const { tests, failures, errors, skipped: left } = suite.attributes;
      const counted = [cases.length, having('failure'), having('error'), having('skipped')].map(String);
      assert.deepEqual([tests, failures, errors, left], counted, suite.attributes.name);
    }
  });

  it('shows a run that proves nothing as a case that failed', () => {
    const only = elements(parseXml(writeJunit([skipped()])).root as XmlElement, 'testsuite')[0] as XmlElement;
    const [first] = elements(only, 'testcase');
    assert.equal(first?.attributes.name, 'test verdict');
    assert.match(elements(first as XmlElement, 'failure')[0]?.attributes.message ?? '', /no message was/);
    assert.equal(only.attributes.failures, '1');
  });

  it('is read by a parser of others, with every suite and case', async () => {
    const output = await parseJunit(xml);
    const suites = (output && 'testsuite' in output && output.testsuite) || [];
    assert.equal(suites.length, REPORTS.length);
    assert.deepEqual(
      suites.map(({ testcase = [] }) => testcase.length),
      elements(root, 'testsuite').map((suite) => elements(suite, 'testcase').length),
    );
  });
});

describe('KTAP for its consumers', () => {
  it('is read by a TAP parser: a test a report, in order, each with its outcome', () => {
    const results = Parser.parse(writeKtap(REPORTS)).flatMap((event) =>
      event[0] === 'assert' ? [event[1] as { ok: boolean; id: number; skip?: unknown }] : [],
    );
    assert.deepEqual(
      results.map(({ ok, id }) => [ok, id]),
      REPORTS.map(({ result }, n) => [result === 'pass', n + 1]),
    );
    assert.ok(results.every(({ skip }) => !skip));
  });

  it('has no result that kunit.py takes for a skipped one, whatever its reason is', () => {
    // In tools/testing/kunit/kunit_parser.py of Linux.
    const skipped = /^\s*(ok|not ok) ([0-9]+) ?(- )?(.*) # SKIP ?(.*)$/m;
    for (const reason of ['x # SKIP', 'x # # SKIP', '# SKIP', 'x\n# SKIP', 'x ## # SKIP y', 'x #\t# SKIP']) {
      const report: Report = { schemaVersion: 1, file: 'a', result: 'error', reason, diagnostics: [] };
      for (const each of [report, { ...broke(), reason }])
        assert.doesNotMatch(writeKtap([each]), skipped, reason);
    }
    const check: CheckResult = {
      name: 'errors',
      result: 'skip',
      checked: 0,
      unit: '',
      failed: 0,
      failures: [],
    };
    assert.match(writeKtap([{ ...passed(), checks: [{ ...check, reason: 'nothing was sent' }] }]), skipped);
  });

  it('has subtests that the parser reads too, once they are indented as TAP has it', () => {
    const tap = writeKtap([failed()]).replace(/^ {2}/gm, '    ');
    const parser = new Parser();
    const names: string[] = [];
    parser.on('child', (child) => child.on('assert', ({ name }: { name: string }) => names.push(name)));
    parser.end(tap);
    assert.deepEqual(
      names,
      failed().checks.map(({ name }) => `test.${name}`),
    );
  });
});

describe('SARIF for its consumers', () => {
  const require = createRequire(import.meta.url);
  const schema = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
  const validate = new AjvDraft4.default({
    strict: false,
    validateFormats: false,
    unicodeRegExp: false,
  }).compile(schema);

  it('is what the schema of the standard allows', () => {
    const tool = { version: '1.2.3', rules: CHECK_RULES };
    for (const findings of [findingsOf(VERDICTS), findingsOf([passed()])])
      for (const complete of [true, false]) {
        const remarks = remarksIn(VERDICTS);
        const log = JSON.parse(writeSarif(findings, tool, { complete, remarks }));
        assert.ok(validate(log), JSON.stringify(validate.errors, null, 2));
      }
  });

  it('has a result for a run that proves nothing', () => {
    const { runs } = sarif(findingsOf([skipped()]), { version: '1', rules: CHECK_RULES });
    assert.deepEqual(
      runs[0]?.results.map(({ ruleId }) => ruleId),
      ['nothing-proved'],
    );
  });
});

describe('what no check counts as wrong', () => {
  it('is in SARIF a notification about the file, with the result of its run', () => {
    const simulated = { ...passed().where, backend: 'sim' as const };
    const verdict = { ...passed(), where: simulated, account: ['20 of 20 reached nobody'] };
    const { runs } = sarif([], { version: '1', rules: CHECK_RULES }, { remarks: remarksIn([verdict]) });
    const told = runs[0]?.invocations[0]?.toolExecutionNotifications ?? [];
    assert.ok(told.every(({ level }) => level === 'note'));
    const texts = told.map(({ message }) => message.text);
    assert.ok(texts.some((text) => text.startsWith('test: PASS (simulated): ')));
    assert.ok(texts.includes('test: 20 of 20 reached nobody'));
  });
});

describe('what a check has not judged', () => {
  it('is in each report that people read', () => {
    const verdict = passed();
    const [first, ...others] = verdict.checks as [CheckResult];
    const noted = { ...verdict, checks: [{ ...first, notes: ['2 copies not judged'] }, ...others] };
    const inSarif = (verdicts: readonly Verdict[]) =>
      writeSarif([], { version: '1', rules: CHECK_RULES }, { remarks: remarksIn(verdicts) });
    for (const write of [writeJunit, writeKtap, writeGithub, inSarif])
      assert.ok(write([noted]).includes('recipients: 2 copies not judged'), write.name);
  });
});

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

/** As the runner of GitHub Actions reads a line: `::name key=value,key=value::message`, escapes undone last. */
function commandIn(line: string): Command | undefined {
  const found = /^\s*::([^\s:]+)(?: (.*?))?::(.*)$/s.exec(line);
  if (!found) return undefined;
  const [, name = '', list = '', message = ''] = found;
  const plain = (text: string) => text.replace(/%0D/g, '\r').replace(/%0A/g, '\n').replace(/%25/g, '%');
  const value = (text: string) => plain(text.replace(/%3A/g, ':').replace(/%2C/g, ','));
  const pairs = list.split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [] : [[pair.slice(0, at), value(pair.slice(at + 1))] as const];
  });
  return { name, properties: Object.fromEntries(pairs), message: plain(message) };
}

describe('GitHub commands for their runner', () => {
  it('are errors and warnings with known properties, whatever the texts say', () => {
    const commands = writeGithub(REPORTS)
      .split(/\r?\n/)
      .flatMap((line) => commandIn(line) ?? []);
    assert.ok(commands.length >= 9);
    for (const { name, properties, message } of commands) {
      assert.ok(['error', 'warning'].includes(name), name);
      for (const key of Object.keys(properties))
        assert.ok(['file', 'line', 'endLine', 'col', 'endColumn', 'title'].includes(key), key);
      assert.notEqual(message, 'forged');
    }
  });

  it('say of a file where it is, though its name has commas and colons', () => {
    const report = { ...passed(), warnings: [{ ...warning, file: 'a,b:c%41.yaml', message: 'odd' }] };
    const [first] = writeGithub([report]).split('\n');
    assert.deepEqual(commandIn(first ?? '')?.properties, {
      ...{ file: 'a,b:c%41.yaml', line: '3', col: '5', endColumn: '8' },
    });
  });

  it('say that a run proves nothing', () => {
    const [first] = writeGithub([skipped()]).split('\n');
    const { name, properties, message } = commandIn(first ?? '') ?? {};
    assert.deepEqual([name, properties?.title], ['error', 'test: proves nothing']);
    assert.match(message ?? '', /no message was delivered/);
  });
});
