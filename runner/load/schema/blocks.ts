// SPDX-License-Identifier: MIT
/**
 * Building blocks of the schema that carry their own words: a zod issue's message is the JSON of what to tell,
 * so that wrong input is described in this tool's terms right where the rule stands.
 */
import * as z from 'zod';
import type { DiagnosticCode } from '../../common/diagnostic.ts';
import { didYouMean } from '../../common/nearest.ts';
import { NAME } from '../../common/scalars.ts';
import { either, show } from '../../common/text.ts';

/** What an issue's message holds, as JSON. */
export type Told =
  | {
      readonly code: DiagnosticCode;
      readonly message: string;
      readonly hint?: string | undefined;
      readonly onKey?: boolean;
    }
  /** Keys that the map knows; the issue lists those that it does not know. */
  | { readonly keys: readonly string[] }
  /** A key that must be there; what it would hold. */
  | { readonly missing: string };

export const tell = (told: Told): string => JSON.stringify(told);

type RawIssue = z.core.$ZodRawIssue;
type Hint = string | ((input: unknown) => string | undefined);

/** `expected a duration, got 500`, with advice; a missing key is left to the map that misses it. */
export function expected(what: string, hint?: Hint, code: DiagnosticCode = 'bad-value') {
  return (issue: RawIssue): string | undefined => {
    if (issue.input === undefined) return tell({ missing: what });
    const advice = typeof hint === 'function' ? hint(issue.input) : hint;
    const kind = issue.code === 'invalid_type' ? 'wrong-type' : code;
    return tell({ code: kind, message: `expected ${what}, got ${show(issue.input)}`, hint: advice });
  };
}

/** A text of a form. */
export function text(pattern: RegExp, what: string, hint?: Hint, code?: DiagnosticCode) {
  const error = expected(what, hint, code);
  return z.string({ error }).regex(pattern, { error });
}

/** The name of something; whether it exists is looked up later, with better words. */
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

/** A number in quotes that would be right without them. */
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

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]) {
  return z.enum(words, {
    error: (issue) => {
      if (issue.input === undefined) return tell({ missing: either(words) });
      const message = `expected ${either(words)}, got ${show(issue.input)}`;
      return tell({ code: 'bad-value', message, hint: didYouMean(String(issue.input), words) });
    },
  });
}

/** A map with these keys and no others. */
export function map<T extends z.core.$ZodLooseShape>(shape: T, what = 'a map', hint?: Hint) {
  const otherwise = expected(what, hint);
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return otherwise(issue);
      return tell({ keys });
    },
  });
}

export const NAME_HINT = 'Lower-case letters, digits and dashes, at most 63, a letter first.';

/** A map from names to things. */
export function named<T extends z.ZodType>(thing: T, what: string) {
  return z.record(text(NAME, 'a name', NAME_HINT, 'bad-name'), thing, {
    error: expected(`a map from names to ${what}`),
  });
}

function listHint(input: unknown): string | undefined {
  // A comma in a list ends an item, so whatever is no plain word has quotes around it.
  if (typeof input === 'string')
    return `Write [${/^[\w@*./ -]*$/.test(input) ? input : JSON.stringify(input)}].`;
  return typeof input === 'object' && input !== null ? 'Start each item with a `-`.' : undefined;
}

export function list<T extends z.ZodType>(item: T) {
  return z.array(item, {
    error: expected('a list', listHint),
  });
}

/** The index of an option, or what is wrong with all of them (`at`: with the value of which key). */
export type Choice =
  | number
  | { code?: DiagnosticCode; message: string; hint?: string | undefined; at?: string; onKey?: boolean };

type Options = readonly [z.ZodType, ...z.ZodType[]];
const OPTIONS = new WeakMap<z.ZodType, Options>();

/** The alternatives of a `pick`; the published schema writes them as a union. */
export const optionsOf = (schema: z.ZodType): Options | undefined => OPTIONS.get(schema);

/**
 * Alternatives of which `choose` picks one by what the writer began to write; the others are not tried, so that
 * the complaint is about what was meant. (A zod union tries all and cannot know.)
 */
export function pick<const T extends Options>(options: T, choose: (input: unknown) => Choice) {
  const schema = z.unknown().superRefine((input, context) => {
    if (input === undefined) return;
    const choice = choose(input);
    if (typeof choice !== 'number') {
      const { at, ...words } = choice;
      const message = tell({ code: 'wrong-type', ...words });
      context.addIssue({ code: 'custom', message, path: at === undefined ? [] : [at] });
      return;
    }
    const result = options[choice]?.safeParse(input, { reportInput: true });
    for (const issue of result?.error?.issues ?? []) context.issues.push(issue as z.core.$ZodRawIssue);
  }) as unknown as z.ZodType<z.infer<T[number]>>;
  OPTIONS.set(schema, options);
  return schema;
}

/** Does `input` have this key? */
export const has = (input: unknown, key: string): boolean =>
  typeof input === 'object' && input !== null && Object.hasOwn(input, key);
