// SPDX-License-Identifier: MIT
/**
 * Building blocks of the schema that contain their own diagnostics: the message of a zod issue is JSON with the words
 * to report, so that each rule describes wrong input in this tool's terms.
 */
import * as z from 'zod';
import type { DiagnosticCode } from '../../common/diagnostic.ts';
import { didYouMean } from '../../common/nearest.ts';
import { NAME } from '../../common/scalars.ts';
import { either, show } from '../../common/text.ts';

/** The JSON in an issue's message. */
export type IssueData =
  | {
      readonly code: DiagnosticCode;
      readonly message: string;
      readonly hint?: string | undefined;
      readonly onKey?: boolean;
    }
  /** The keys that the map knows; the issue itself lists the unknown ones. */
  | { readonly keys: readonly string[] }
  /** A required key is absent; this is what it would contain. */
  | { readonly missing: string };

export const issueMessage = (data: IssueData): string => JSON.stringify(data);

type RawIssue = z.core.$ZodRawIssue;
type Hint = string | ((input: unknown) => string | undefined);

/** `expected a duration, got 500`, with a hint. A missing key is reported by the map that lacks it. */
export function expected(what: string, hint?: Hint, code: DiagnosticCode = 'bad-value') {
  return (issue: RawIssue): string | undefined => {
    if (issue.input === undefined) return issueMessage({ missing: what });
    const advice = typeof hint === 'function' ? hint(issue.input) : hint;
    const kind = issue.code === 'invalid_type' ? 'wrong-type' : code;
    return issueMessage({ code: kind, message: `expected ${what}, got ${show(issue.input)}`, hint: advice });
  };
}

/** A text that matches a pattern. */
export function text(pattern: RegExp, what: string, hint?: Hint, code?: DiagnosticCode) {
  const error = expected(what, hint, code);
  return z.string({ error }).regex(pattern, { error });
}

/** The name of something. Whether it exists is checked later, with a better message. */
export const ref = (what: string) => z.string({ error: expected(what) });

export const flag = z.boolean({
  error: expected('true or false', (input) =>
    /^(yes|on|true)$/i.test(String(input))
      ? 'Write true.'
      : /^(no|off|false)$/i.test(String(input))
        ? 'Write false.'
        : undefined,
  ),
});

/** Whether the input is a number in quotes that would be valid without them. */
const isQuoted = (input: unknown, min: number, max: number): boolean =>
  typeof input === 'string' &&
  /^(0x[0-9a-f]+|\d+)$/i.test(input) &&
  Number(input) >= min &&
  Number(input) <= max;

export function whole(what: string, min: number, max = 1_000_000) {
  const error = expected(`${what} (a whole number, ${min} … ${max})`, (input) =>
    isQuoted(input, min, max) ? 'Remove the quotes.' : undefined,
  );
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** One of several words. */
export function oneOf<const T extends string>(words: readonly T[]) {
  return z.enum(words, {
    error: (issue) => {
      if (issue.input === undefined) return issueMessage({ missing: either(words) });
      const message = `expected ${either(words)}, got ${show(issue.input)}`;
      return issueMessage({ code: 'bad-value', message, hint: didYouMean(String(issue.input), words) });
    },
  });
}

/** A map with exactly these keys. */
export function map<T extends z.core.$ZodLooseShape>(shape: T, what = 'a map', hint?: Hint) {
  const otherwise = expected(what, hint);
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return otherwise(issue);
      return issueMessage({ keys });
    },
  });
}

export const NAME_HINT = 'Lower-case letters, digits and dashes, at most 63, a letter first.';

/** A map from names to values of one kind. */
export function named<T extends z.ZodType>(thing: T, what: string) {
  return z.record(text(NAME, 'a name', NAME_HINT, 'bad-name'), thing, {
    error: expected(`a map from names to ${what}`),
  });
}

export function listHint(input: unknown): string | undefined {
  // A comma ends an item of a list, so a text with other characters than those of a word needs quotes.
  if (typeof input === 'string')
    return `Write [${/^[\w@*./ -]*$/.test(input) ? input : JSON.stringify(input)}].`;
  return typeof input === 'object' && input !== null ? 'Start each item with a `-`.' : undefined;
}

export function list<T extends z.ZodType>(item: T, hint: Hint = listHint) {
  return z.array(item, {
    error: expected('a list', hint),
  });
}

/** The index of an alternative, or what is wrong with all of them (`at`: report it at that key). */
export type Choice =
  | number
  | { code?: DiagnosticCode; message: string; hint?: string | undefined; at?: string; onKey?: boolean };

type Options = readonly [z.ZodType, ...z.ZodType[]];
const OPTIONS = new WeakMap<z.ZodType, Options>();

/** The alternatives of a `pick`, which the published schema writes as a union. */
export const optionsOf = (schema: z.ZodType): Options | undefined => OPTIONS.get(schema);

/**
 * Alternatives, one of which `choose` selects by the keys that were written. Only that one is validated, so that the
 * diagnostics are about what the writer meant. (A zod union tries all alternatives and cannot know.)
 */
export function pick<const T extends Options>(options: T, choose: (input: unknown) => Choice) {
  const schema = z.unknown().superRefine((input, context) => {
    if (input === undefined) return;
    const choice = choose(input);
    if (typeof choice !== 'number') {
      const { at, ...words } = choice;
      const message = issueMessage({ code: 'wrong-type', ...words });
      context.addIssue({ code: 'custom', message, path: at === undefined ? [] : [at] });
      return;
    }
    const result = options[choice]?.safeParse(input, { reportInput: true });
    for (const issue of result?.error?.issues ?? []) context.issues.push(issue as z.core.$ZodRawIssue);
  }) as unknown as z.ZodType<z.infer<T[number]>>;
  OPTIONS.set(schema, options);
  return schema;
}

/** Whether `input` has this key. */
export const has = (input: unknown, key: string): boolean =>
  typeof input === 'object' && input !== null && Object.hasOwn(input, key);
