// SPDX-License-Identifier: MIT
/** Translates a YAML parser's errors for the writer of the file. */
import type { ErrorCode } from 'yaml';
import type { DiagnosticText } from '../../common/diagnostic.ts';

type Said = readonly [message: string, hint?: string];

const SAID: { readonly [code in ErrorCode]?: Said } = {
  TAB_AS_INDENT: ['a tab cannot indent YAML', 'Indent with spaces.'],
  BAD_INDENT: [
    'this line is indented differently from its neighbours',
    'Give all keys of one map the same indent.',
  ],
  MISSING_CHAR: [
    'something is missing here',
    'A `:` after a key, a space after `:`, or a closing quote or bracket.',
  ],
  UNEXPECTED_TOKEN: [
    'this does not belong here',
    'Look for an unclosed bracket or quote, or a stray character, before it.',
  ],
  BLOCK_AS_IMPLICIT_KEY: [
    'a map cannot start here',
    'Two `key: value` on one line? Put each on its own, or write { key: value, … }.',
  ],
  BLOCK_IN_FLOW: [
    'a block cannot stand inside { } or [ ]',
    'Close the bracket first, or write it all in one style.',
  ],
  MULTILINE_IMPLICIT_KEY: ['a key must fit on one line', 'Is there a missing `:` or an unclosed quote?'],
  KEY_OVER_1024_CHARS: ['a key is longer than 1024 characters'],
  BAD_ALIAS: [
    'this alias leads nowhere',
    'An alias (*name) repeats what an anchor (&name) has named above it.',
  ],
  BAD_SCALAR_START: ['a plain text cannot start with this character', 'Put the text in "quotes".'],
  BAD_DQ_ESCAPE: ['unknown escape in a "quoted" text', "Write \\\\ for a backslash, or use 'single quotes'."],
  BAD_DIRECTIVE: ['bad % directive', 'A topology needs none: remove the line.'],
  BAD_PROP_ORDER: ['anchors and tags come before the value'],
  BAD_COLLECTION_TYPE: ['this tag does not fit its value', 'Remove the tag.'],
  MULTIPLE_ANCHORS: ['two anchors on one value'],
  MULTIPLE_TAGS: ['two tags on one value'],
  MULTIPLE_DOCS: ['a second document starts here', 'A file holds one topology: remove the `---`.'],
  TAG_RESOLVE_FAILED: ['unknown tag', 'A topology needs no tags: remove it.'],
  NON_STRING_KEY: ['a key must be a plain word'],
  RESOURCE_EXHAUSTION: ['nested too deep to be read', 'Is a bracket unclosed?'],
};

export interface ParseWords {
  readonly words: DiagnosticText;
  /** The character that was opened and never closed. It is marked instead of the place where the parser gave up. */
  readonly opener?: string | undefined;
}

/** The words for a parse error; the first sentence of the parser if there are no better ones. */
export function wordsOf(code: ErrorCode, message: string): ParseWords {
  const opener = OPENERS.find(([pattern]) => pattern.test(message))?.[1];
  if (opener !== undefined) return { words: neverClosed(opener), opener };
  const known = BETTER.find(([pattern]) => pattern.test(message))?.[1] ?? SAID[code];
  const [said, hint] = known ?? [message.split('\n')[0]?.replace(/\.$/, '') ?? code];
  return { words: { code: 'syntax', message: said, hint } };
}

const OPENERS: readonly (readonly [RegExp, string])[] = [
  [/Missing closing "quote/, '"'],
  [/Missing closing 'quote/, "'"],
  [/end with a \]/, '['],
  [/end with a \}/, '{'],
];

/** Closing brackets; a quote closes itself. */
export const CLOSER: Readonly<Record<string, string>> = { '[': ']', '{': '}' };

const neverClosed = (opener: string): DiagnosticText => ({
  code: 'syntax',
  message: `this ${opener} is never closed`,
  hint: `Add the closing ${CLOSER[opener] ?? opener}.`,
});

/** Better words for frequent mistakes that share an error code with others. */
const BETTER: readonly (readonly [RegExp, Said])[] = [
  [
    /Nested mappings are not allowed/,
    [
      'a map cannot start here, and a plain text holds no ": "',
      'Put a text with a colon in "quotes"; start a map on a line of its own.',
    ],
  ],
  [
    /All sequence items must start at the same column|sequence may not be used as an implicit/,
    ['this `-` is indented differently from its neighbours', 'Start all items of a list in the same column.'],
  ],
  [
    /Sequence item without - indicator/,
    [
      'this line is indented less than the item above, and is no item itself',
      'Start a key below the first key of its item (`expect` below its send), and an item with a `-`.',
    ],
  ],
  [
    /Implicit map keys need to be followed by map values/,
    ['this line is neither `key: value` nor an item', 'Is there a `:` missing after the key?'],
  ],
];

/** Words for `{ replicas: ${n} }`; `text` is the value as it is written. */
export const unquoted = (text: string): DiagnosticText => ({
  code: 'syntax',
  message: 'a variable inside { } or [ ] needs quotes',
  hint: `Write ${JSON.stringify(text)}: without quotes its { begins a map.`,
});

/** Words for deeper nesting than any topology needs. */
export function tooDeep(limit: number): DiagnosticText {
  return {
    code: 'too-big',
    message: `nested more than ${limit} levels deep`,
    hint: 'Is a bracket unclosed?',
  };
}

/** Words for a name with control characters, which would change a terminal or log that prints it. */
export const steering = (what: string): DiagnosticText => ({
  code: 'bad-name',
  message: `${what} holds a control character`,
  hint: 'Names are printed in reports: leave out line breaks, escapes and direction marks.',
});
