// SPDX-License-Identifier: MIT
// Match rules: which texts are some, what they ask for, and what is said of those that are none.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseRule } from '../../../runner/dbus/index.ts';
import fc from '../../helpers/drawn.ts';

const conditions = (text: string): unknown => {
  const rule = parseRule(text);
  return 'mistake' in rule
    ? rule.mistake
    : rule.conditions.map(({ kind, arg, value }) => (arg === 0 ? [kind, value] : [kind, arg, value]));
};

const key = (text: string): string => {
  const rule = parseRule(text);
  assert.ok('key' in rule, text);
  return rule.key;
};

/** `11+3: unknown key …` */
const wrong = (text: string): string => {
  const rule = parseRule(text);
  assert.ok('mistake' in rule, text);
  const { at, length, message } = rule.mistake;
  return `${at}+${length}: ${message}`;
};

describe('a match rule', () => {
  it('has values with quotes, without, and with quotes in part', () => {
    assert.deepEqual(conditions(''), []);
    assert.deepEqual(conditions("type='signal', member=Changed,"), [
      ['type', 'signal'],
      ['member', 'Changed'],
    ]);
    assert.deepEqual(conditions(" type ='signal'"), [['type', 'signal']]);
    assert.deepEqual(conditions("arg0= 'x' "), [['arg', ' x ']]);
    assert.deepEqual(conditions("arg0=un'quo'ted"), [['arg', 'unquoted']]);
    assert.deepEqual(conditions("arg0='a, b = c',arg1=''"), [
      ['arg', 'a, b = c'],
      ['arg', 1, ''],
    ]);
  });

  it('has backslashes that matter only before an apostrophe, outside of quotes', () => {
    assert.deepEqual(conditions("arg0='it'\\''s'"), [['arg', "it's"]]);
    assert.deepEqual(conditions("arg0=it\\'s"), [['arg', "it's"]]);
    assert.deepEqual(conditions("arg0='\\'"), [['arg', '\\']]);
    assert.deepEqual(conditions('arg0=\\\\'), [['arg', '\\\\']]);
    assert.deepEqual(conditions('arg0=a\\b'), [['arg', 'a\\b']]);
  });

  it('has arguments by number, as texts, paths and names', () => {
    assert.deepEqual(conditions('arg3path=/a/,arg0namespace=org,arg63=z'), [
      ['argpath', 3, '/a/'],
      ['arg0namespace', 'org'],
      ['arg', 63, 'z'],
    ]);
  });

  it('equals another with the same terms, in any order and with any quotes', () => {
    assert.equal(key("type='signal',member='X'"), key('member=X, type=signal,eavesdrop=false'));
    assert.notEqual(key("type='signal'"), key('type=signal,eavesdrop=true'));
    assert.notEqual(key('member=X'), key('member=Y'));
    assert.notEqual(key('arg1=x'), key('arg2=x'));
    assert.notEqual(key('arg1=/x'), key('arg1path=/x'));
    assert.notEqual(key("arg0='x y',arg1=z"), key("arg0=x,arg1='y z'"));
  });

  it('is refused with the place and the reason', () => {
    assert.equal(wrong("type='signal',typ='x'"), '14+3: unknown key "typ"');
    assert.equal(wrong("type='signals'"), '5+9: the value of "type" is not a type of message: "signals"');
    assert.equal(
      wrong("member='a.b',type=signal"),
      '7+5: the value of "member" is not the name of a member: "a.b"',
    );
    assert.equal(wrong("path='/a',path_namespace='/a'"), '10+14: "path_namespace" and "path" in one rule');
    assert.equal(wrong('arg0=a,arg0=b'), '7+4: "arg0" is there twice');
    assert.equal(wrong('arg64=a'), '0+5: there is no argument 64');
    assert.equal(wrong('member'), '0+6: no "=" after "member"');
    assert.equal(wrong("=''"), '0+1: a key is missing');
    assert.equal(wrong("sender='it"), '7+3: an apostrophe that nothing closes');
    assert.equal(wrong("type='signal',,member='x'"), '14+1: a comma with nothing before it');
    assert.match(wrong(`arg0='${'x'.repeat(1024)}'`), /at most 1024 bytes, not 1031/);
    assert.match(wrong('arg0=a\0b'), /no NUL/);
    assert.match(wrong('arg0=\ud800'), /half of a character/);
    assert.match(wrong('constructor=x'), /unknown key "constructor"/);
  });

  it('is refused with no other error', () => {
    const pieces = [
      'type',
      'arg0',
      'arg1path',
      '=',
      "'",
      ',',
      '\\',
      ' ',
      'signal',
      '/a',
      'org.a',
      'true',
      '\0',
    ];
    const texts = fc
      .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })))
      .map((p) => p.join(''));
    fc.assert(
      fc.property(texts, (text) => {
        const rule = parseRule(text);
        if (!('mistake' in rule)) return;
        const { at, length } = rule.mistake;
        assert.ok(at >= 0 && length > 0 && at <= text.length, JSON.stringify(rule.mistake));
      }),
    );
  });
});
