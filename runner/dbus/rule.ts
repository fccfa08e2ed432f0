// SPDX-License-Identifier: MIT
/** Parses match rules (D-Bus Specification, "Match Rules"; docs/dbus.md section 3). */
import { MESSAGE_TYPES } from './header.ts';
import { isBusName, isInterface, isMember, isNamespace, isPath } from './names.ts';
import { quoted } from './refusal.ts';

/** Limit of nfdbus: NFDBUS_RULE_MAX. */
export const MAX_RULE = 1024;
const LAST_ARG = 63;
const MAX_DIGITS = 2;

/** The key of a rule, without the number of its argument. */
type Kind =
  | ('type' | 'sender' | 'interface' | 'member' | 'path' | 'path_namespace' | 'destination')
  | ('arg' | 'argpath' | 'arg0namespace' | 'eavesdrop');

export interface Condition {
  readonly kind: Kind;
  /** Number of the argument in `arg3` and `arg3path`; 0 for other keys. */
  readonly arg: number;
  readonly value: string;
}

export interface Rule {
  readonly conditions: readonly Condition[];
  /** Equal for all rules that mean the same. */
  readonly key: string;
}

/** Why a text is no valid rule. */
export interface Mistake {
  readonly message: string;
  readonly hint?: string;
  /** Index of the character in the text. */
  readonly at: number;
  readonly length: number;
  /** The unknown key, so that the caller can suggest another. */
  readonly unknown?: string;
}

/** Keys as people write them. */
export const RULE_KEYS: readonly string[] = [
  ...['type', 'sender', 'interface', 'member', 'path', 'path_namespace', 'destination'],
  ...['arg0', 'arg1', 'arg2', 'arg3', 'arg0path', 'arg1path', 'arg0namespace', 'eavesdrop'],
];

/** The rule that this text is, or the first thing that is wrong with it. */
export function parseRule(text: string): Rule | { readonly mistake: Mistake } {
  try {
    return rule(text);
  } catch (error) {
    if (error instanceof Wrong) return { mistake: error.mistake };
    throw error;
  }
}

class Wrong extends Error {
  readonly mistake: Mistake;

  constructor(at: number, length: number, message: string, more: Pick<Mistake, 'hint' | 'unknown'> = {}) {
    super(message);
    this.mistake = { message, at, length: Math.max(1, length), ...more };
  }
}

function rule(text: string): Rule {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_RULE) throw new Wrong(0, text.length, `a rule has at most ${MAX_RULE} bytes, not ${bytes}`);
  if (text.includes('\0')) throw new Wrong(text.indexOf('\0'), 1, 'a rule holds no NUL');
  if (!text.isWellFormed()) throw new Wrong(0, text.length, 'half of a character is no text');
  const conditions: Condition[] = [];
  for (let at = skipBlanks(text, 0); at < text.length; at = skipBlanks(text, at)) {
    const key = keyAt(text, at);
    const value = valueAt(text, key.end);
    const condition = { ...kindOf(key.text, at), value: value.text };
    check(condition, key.text, value);
    refuseTwice(conditions, condition, key.text, at);
    conditions.push(condition);
    at = value.end;
  }
  return { conditions, key: keyOf(conditions) };
}

/** Whether it selects messages for others. */
export const eavesdrops = ({ conditions }: Rule): boolean =>
  conditions.some(({ kind, value }) => kind === 'eavesdrop' && value === 'true');

/** `eavesdrop='false'` means the same as a rule without it. */
function keyOf(conditions: readonly Condition[]): string {
  const said = conditions.filter(({ kind, value }) => kind !== 'eavesdrop' || value === 'true');
  return JSON.stringify(said.map(({ kind, arg, value }) => [kind, arg, value].join(' ')).toSorted());
}

const BLANK = ' \t\r\n';

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && BLANK.includes(text[at] as string)) at++;
  return at;
}

interface Piece {
  readonly text: string;
  readonly start: number;
  /** Index after the piece and after its delimiter. */
  readonly end: number;
}

/** `type =` */
function keyAt(text: string, start: number): Piece {
  let end = start;
  while (end < text.length && text[end] !== '=' && !BLANK.includes(text[end] as string)) end++;
  const key = text.slice(start, end);
  const equals = skipBlanks(text, end);
  if (key === '') throw new Wrong(start, 1, 'a key is missing', { hint: HINT });
  if (key.startsWith(',')) throw new Wrong(start, 1, 'a comma with nothing before it', { hint: HINT });
  if (text[equals] !== '=') throw new Wrong(start, key.length, `no "=" after ${quoted(key)}`, { hint: HINT });
  return { text: key, start, end: equals + 1 };
}

const HINT = "A rule is type='signal',interface='org.example.Player'.";

/**
 * Reads up to a comma outside of quotes; blanks are a part of the value. Inside quotes all characters are literal.
 * Outside, `\'` is an apostrophe, and any other backslash is literal.
 */
function valueAt(text: string, start: number): Piece {
  let value = '';
  let quote = -1;
  let at = start;
  for (; at < text.length && (quote >= 0 || text[at] !== ','); at++) {
    if (text[at] === "'") quote = quote < 0 ? at : -1;
    else if (quote < 0 && text[at] === '\\' && text[at + 1] === "'") value += text[++at];
    else value += text[at];
  }
  if (quote >= 0)
    throw new Wrong(quote, text.length - quote, 'an apostrophe that nothing closes', { hint: QUOTE_HINT });
  return { text: value, start, end: at + 1 };
}

const QUOTE_HINT =
  "For an apostrophe in a value, close the quotes, write \\', and open them again: 'it'\\''s'.";

function kindOf(key: string, at: number): Pick<Condition, 'kind' | 'arg'> {
  if (Object.hasOwn(CHECKS, key) && !key.startsWith('arg')) return { kind: key as Kind, arg: 0 };
  if (key === 'arg0namespace') return { kind: key, arg: 0 };
  const [, digits = '', path] = /^arg(\d+)(path)?$/.exec(key) ?? [];
  const arg = Number(digits);
  if (digits !== '' && digits.length <= MAX_DIGITS && arg <= LAST_ARG)
    return { kind: path ? 'argpath' : 'arg', arg };
  if (digits !== '') {
    const hint = `Arguments count from 0 to ${LAST_ARG}.`;
    throw new Wrong(at, key.length, `there is no argument ${digits}`, { hint });
  }
  const namespace = /^arg\d+namespace$/.test(key);
  const hint = namespace ? 'Only arg0namespace exists.' : undefined;
  throw new Wrong(at, key.length, `unknown key ${quoted(key)}`, hint ? { hint } : { unknown: key });
}

interface Check {
  readonly what: string;
  readonly hint?: string;
  readonly test: (value: string) => boolean;
}

const BUS_NAME: Check = {
  what: 'a bus name',
  hint: 'Write org.example.Player, or a unique name: :0.1f.',
  test: isBusName,
};
const PATH: Check = { what: 'an object path', hint: 'Write /org/example/Player.', test: isPath };

/** What a value must be, by the kind of its key. */
const CHECKS: Readonly<Record<Kind, Check | undefined>> = {
  type: {
    what: 'a type of message',
    hint: `The types are ${MESSAGE_TYPES.join(', ')}.`,
    test: (value) => (MESSAGE_TYPES as readonly string[]).includes(value),
  },
  sender: BUS_NAME,
  destination: BUS_NAME,
  interface: { what: 'an interface', hint: 'Write org.example.Player.', test: isInterface },
  member: { what: 'the name of a member', hint: 'Write Changed.', test: isMember },
  path: PATH,
  path_namespace: PATH,
  arg: undefined,
  argpath: undefined,
  arg0namespace: {
    what: 'the beginning of a name',
    hint: 'Write org.example, without a dot at the end.',
    test: isNamespace,
  },
  eavesdrop: {
    what: 'true or false',
    test: (value) => value === 'true' || value === 'false',
  },
};

function check({ kind, value }: Condition, key: string, { start, end }: Piece): void {
  const { what, hint, test } = CHECKS[kind] ?? { what: '', test: () => true };
  if (test(value)) return;
  const message = `the value of ${quoted(key)} is not ${what}: ${quoted(value)}`;
  throw new Wrong(start, end - 1 - start, message, hint === undefined ? {} : { hint });
}

/** Refuses keys that a rule may have only once, including keys that exclude each other. */
function refuseTwice(before: readonly Condition[], { kind, arg }: Condition, key: string, at: number): void {
  const place = (each: Pick<Condition, 'kind' | 'arg'>) => {
    if (['path', 'path_namespace'].includes(each.kind)) return 'path';
    return each.kind.startsWith('arg') ? `arg${each.arg}` : each.kind;
  };
  const other = before.find((each) => place(each) === place({ kind, arg }));
  if (other === undefined) return;
  const message =
    other.kind === kind
      ? `${quoted(key)} is there twice`
      : `${quoted(key)} and ${quoted(nameOf(other))} in one rule`;
  throw new Wrong(at, key.length, message, { hint: 'A client may have several rules: make it two.' });
}

const nameOf = ({ kind, arg }: Condition): string =>
  kind === 'arg' ? `arg${arg}` : kind === 'argpath' ? `arg${arg}path` : kind;
