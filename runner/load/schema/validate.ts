// SPDX-License-Identifier: MIT
/** Validates values against the schema, and reports the issues in this tool's words at the right places. */
import type * as z from 'zod';
import type { Path } from '../../common/diagnostic.ts';
import { formatPath } from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { asQuestion, nearest } from '../../common/nearest.ts';
import { show } from '../../common/text.ts';
import type { Problems } from '../diagnostic/index.ts';
import type { Tree } from '../yaml/index.ts';
import type { IssueData } from './blocks.ts';
import { topologySchema, type Written } from './schema.ts';

/** Checks the shape of the values. Parts that `problems` calls broken must not be used afterwards. */
export function validate(tree: Tree, problems: Problems): Written {
  const { value } = tree;
  let result = topologySchema.safeParse(value, { reportInput: true });
  if (!result.success && asTexts(tree, result.error.issues))
    result = topologySchema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const meant = new Set(result.error.issues.flatMap(meantKeys));
  for (const issue of result.error.issues) {
    if (problems.enough) break;
    // A misspelt key is one mistake; it is not reported as missing as well.
    if (!meant.has(formatPath(issue.path as Path))) report(issue, problems);
  }
  return value as Written;
}

/** Converts scalars that came from variables back to text if a text is expected, even if they look like numbers. */
function asTexts(tree: Tree, issues: readonly z.core.$ZodIssue[]): boolean {
  let changed = false;
  for (const { path } of issues) {
    const text = tree.substituted(path as Path);
    const key = path.at(-1);
    const holder = path
      .slice(0, -1)
      .reduce<unknown>((at, part) => (at as Holder)?.[part as string], tree.value);
    if (text === undefined || key === undefined || holder === null || typeof holder !== 'object') continue;
    if (typeof (holder as Holder)[key as string] === 'string') continue;
    (holder as Holder)[key as string] = text;
    changed = true;
  }
  return changed;
}

type Holder = Record<string, unknown>;

/** Paths of the keys that the unknown keys were probably meant to be. */
function meantKeys(issue: z.core.$ZodIssue): string[] {
  const data = dataOf(issue.message);
  if (issue.code !== 'unrecognized_keys' || data === undefined || !('keys' in data)) return [];
  const near = issue.keys.slice(0, LIMITS.mistakes.most).map((key) => nearest(key, data.keys));
  return near.flatMap((key) => (key === undefined ? [] : [formatPath([...(issue.path as Path), key])]));
}

function report(issue: z.core.$ZodIssue, problems: Problems): void {
  const path = issue.path as Path;
  const data = dataOf(issue.message);
  if (problems.isFaulty(path)) return;
  if (issue.code === 'invalid_key') {
    const inner = issue.issues[0] && dataOf(issue.issues[0].message);
    if (inner !== undefined && 'code' in inner) problems.error(path, { ...inner, onKey: true });
  } else if (data !== undefined && 'missing' in data) {
    missing(data.missing, path, problems);
  } else if (data === undefined) {
    reportUnworded(issue, path, problems);
  } else if ('code' in data) {
    problems.error(path, data);
  } else if (issue.code === 'unrecognized_keys') {
    for (const name of issue.keys) {
      if (problems.enough) break;
      unknownKey(name, data.keys, path, problems);
    }
  }
}

function dataOf(message: string): IssueData | undefined {
  return message.startsWith('{') ? (JSON.parse(message) as IssueData) : undefined;
}

/** Reports issues for which no rule of the schema has words: missing keys, and plain wrong types. */
function reportUnworded(issue: z.core.$ZodIssue, path: Path, problems: Problems): void {
  if (issue.input === undefined) {
    missing(undefined, path, problems);
    return;
  }
  const wanted = issue.code === 'invalid_type' ? (WORDS[issue.expected] ?? issue.expected) : 'something else';
  problems.error(path, { code: 'wrong-type', message: `expected ${wanted}, got ${show(issue.input)}` });
}

function missing(what: string | undefined, path: Path, problems: Problems): void {
  const wanted = what === undefined ? {} : { expected: what };
  const message = `missing key "${path.at(-1)}"`;
  problems.error(path, { code: 'missing-key', message, ...wanted, onKey: true });
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
};

function unknownKey(name: string, keys: readonly string[], path: Path, problems: Problems): void {
  const meant = nearest(name, keys);
  // The content of the misspelt key is not read, so names that it may declare are not reported as unknown.
  if (meant !== undefined) problems.suspect([...path, meant]);
  problems.error([...path, name], {
    code: 'unknown-key',
    message: `unknown key ${show(name)}`,
    expected: `keys here: ${keys.join(', ')}`,
    hint: asQuestion(meant),
    onKey: true,
  });
}
