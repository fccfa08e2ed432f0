// SPDX-License-Identifier: MIT
// Plain English in what users read: the habits that crept in most often stay out (CONTRIBUTING.md, "Rules").
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
  { not: /\b(let|lets|letting) on\b/i, say: 'admit' },
  { not: /\bput off the bus\b/i, say: 'expel, evict' },
  { not: /\bmidst\b/i, say: 'in the middle' },
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
];

function lines(): { place: string; text: string }[] {
  const names = execFileSync('git', ['-C', ROOT, 'ls-files', ...READ_BY_USERS], { encoding: 'utf8' });
  return names
    .split('\n')
    .filter((name) => name !== '')
    .flatMap((name) =>
      readFileSync(ROOT + name, 'utf8')
        .split('\n')
        .map((text, n) => ({ place: `${name}:${n + 1}`, text })),
    );
}

const found = (texts: readonly { place: string; text: string }[]): string[] =>
  HABITS.flatMap(({ not, say, right }) =>
    texts
      .filter(({ text }) => not.test(text) && right?.test(text) !== true)
      .map(({ place, text }) => `${place}: ${not.source} (say: ${say}): ${text.trim()}`),
  );

describe('plain English', () => {
  it('is what users read', () => assert.deepEqual(found(lines()), []));

  it('is not a message that comes behind another, for whoever waits', () => {
    const text = 'so many messages come behind it for whoever is let on';
    assert.equal(found([{ place: 'x:1', text }]).length, 4);
  });
});
