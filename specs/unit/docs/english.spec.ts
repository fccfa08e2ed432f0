// SPDX-License-Identifier: MIT
// Plain English: the habits that crept in most often stay out (CONTRIBUTING.md, "Rules").
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What is not written, what is written instead, and where it is right all the same. */
const HABITS: readonly { readonly not: RegExp; readonly say: string; readonly right?: RegExp }[] = [
  { not: /\bwhoever\b/i, say: 'the client, the reader, the master: name the subject' },
  { not: /\bso many\b/i, say: 'that many' },
  { not: /\b(let|lets|letting) ((it|them|him|her|nobody|clients|users) )?on\b/i, say: 'admit' },
  { not: /\bput off the bus\b/i, say: 'expel, evict' },
  { not: /\bmidst\b/i, say: 'in the middle' },
  {
    not: /\b(wait\w* for|finds? no|told of|makes?) space\b|\bspace for (a|the|this|another) message\b/i,
    say: 'room, as the contract calls what a queue has free',
  },
  { not: /\bone behind the other\b/i, say: 'in sequence' },
  {
    not: /\bbehind\b/i,
    say: 'after',
    right:
      /\b(left|leaves?|stays?|fall)\b.*\bbehind\b|\broom there is behind\b|behind the (work item's back|device)|bytes_behind/i,
  },
];

const READ_BY_USERS = [
  '*.md',
  'topologies/**.yaml',
  'specs/unit/load/broken/*.txt',
  'kernel/*.7',
  'kernel/*.8',
  'libafbus-dbus/*.3',
];

const SOURCES = [
  'runner',
  'daemon',
  'dbus',
  'native',
  'libafbus-dbus',
  'kernel',
  'images',
  'bin',
  'bench',
  'specs/**.ts',
];

function lines(...patterns: string[]): { place: string; text: string }[] {
  const names = execFileSync('git', ['-C', ROOT, 'ls-files', ...patterns], { encoding: 'utf8' });
  return names
    .split('\n')
    .filter((name) => name !== '')
    .flatMap((name) =>
      readFileSync(ROOT + name, 'utf8')
        .split('\n')
        .map((text, n) => ({ place: `${name}:${n + 1}`, text })),
    );
}

/** The text of the pages: without their examples and tables, which have the width that they need. */
function pageLines(): { place: string; text: string }[] {
  let example = false;
  return lines('*.md').filter(({ text }) => {
    const fence = text.trimStart().startsWith('```');
    if (fence) example = !example;
    return !fence && !example && !text.trimStart().startsWith('|');
  });
}

const found = (texts: readonly { place: string; text: string }[], habits = HABITS): string[] =>
  habits.flatMap(({ not, say, right }) =>
    texts
      .filter(({ text }) => not.test(text) && right?.test(text) !== true)
      .map(({ place, text }) => `${place}: ${not.source} (say: ${say}): ${text.trim()}`),
  );

describe('plain English', () => {
  it('is what users read', () => assert.deepEqual(found(lines(...READ_BY_USERS)), []));

  it('is what maintainers read', () => {
    const texts = lines(...SOURCES).filter(
      ({ place }) => !place.startsWith('specs/unit/docs/english.spec.ts'),
    );
    // Code is full of things that stand behind others: a look at each is left to the reviewer.
    const habits = HABITS.filter(({ not }) => !not.test('behind'));
    assert.deepEqual(found(texts, habits), []);
  });

  it('has no line over 100 characters in a page, tables and examples aside', () => {
    const long = pageLines().filter(({ text }) => text.length > 100);
    assert.deepEqual(long, []);
  });

  it('fails for words that it must keep out', () => {
    const text = 'so many messages come behind it for whoever is let on, and wait for space';
    assert.equal(found([{ place: 'x:1', text }]).length, 5);
  });
});
