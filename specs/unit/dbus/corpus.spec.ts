// SPDX-License-Identifier: MIT
// The corpus, as this project's own reader has it. nfdbus, dbus-daemon and dbus-broker are held to the same lines.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type Endian, matches, NotDbus, parse, parseRule, readHeader } from '../../../runner/dbus/index.ts';
import { type MessageCase, plain, type RuleCase, readCorpus, verdictOf } from '../../helpers/corpus.ts';

const { rules, messages } = readCorpus();
const FROM = { unique: ':0.1f', owns: () => false };

describe('the corpus of match rules', () => {
  for (const rule of rules) {
    it(`line ${rule.number}: ${rule.sign} ${rule.rule.slice(0, 80)}`, () => {
      assert.equal(judge(rule), verdictOf(rule, 'runner', rule.sign));
    });
  }
});

describe('the corpus of messages', () => {
  for (const message of messages) {
    for (const endian of ['little', 'big'] as const) {
      it(`line ${message.number}: ${message.title} (${endian})`, () => checkMessage(message, endian));
    }
  }

  it('has 400 cases at least', () => {
    const cases = messages.reduce((sum, { matches: all }) => sum + 1 + all.length, rules.length);
    assert.ok(cases >= 400, `${cases}`);
  });
});

function judge({ rule, base }: RuleCase): string {
  const parsed = parseRule(rule);
  if ('mistake' in parsed) return '-';
  if (base === undefined) return '+';
  const other = parseRule(base);
  return 'key' in other && other.key === parsed.key ? '=' : '!';
}

function checkMessage(message: MessageCase, endian: Endian): void {
  const bytes = message.bytes(endian);
  assert.equal(verdict(bytes), verdictOf(message, 'runner', message.verdict));
  if (message.verdict !== 'valid') return;
  const received = parse(bytes);
  assert.equal(received.endian, endian);
  if (message.values !== undefined)
    assert.deepEqual(plain(received.args.map(({ value }) => value)), JSON.parse(message.values));
  for (const match of message.matches) {
    const rule = parseRule(match.rule.replaceAll('$SENDER', FROM.unique));
    assert.ok('key' in rule, match.rule);
    const found = matches(rule, received, FROM) ? 'yes' : 'no';
    assert.equal(
      found,
      verdictOf(match, 'runner', match.yes ? 'yes' : 'no'),
      `line ${match.number}: ${match.rule}`,
    );
  }
}

function verdict(bytes: Buffer): string {
  const step = (read: () => unknown): boolean => {
    try {
      read();
      return true;
    } catch (error) {
      assert.ok(error instanceof NotDbus, String(error));
      return false;
    }
  };
  if (!step(() => readHeader(bytes))) return 'bad';
  return step(() => parse(bytes)) ? 'valid' : 'body';
}
