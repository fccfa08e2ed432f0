// SPDX-License-Identifier: MIT
/**
 * Makes text from strangers safe to print. It comes from files, nodes and file names, and goes to terminals, to logs
 * that a CI service searches for commands, and into names of folders. There it must neither control nor forge anything.
 */

import { hash } from 'node:crypto';

/** Control, direction and unassigned characters, and line separators; a tab counts as a blank. */
const STEERING = /[^\P{C}\t]|[\u2028\u2029]/gu;
const LINE_BREAK = /\r\n|[\n\r]/g;

/**
 * One line of plain text. A line break becomes
 , and a control character �. CI services treat `::` at the start of a line,
 * and `##[` anywhere in it, as commands, so a blank is inserted.
 */
export function neutral(text: string): string {
  return text
    .replace(LINE_BREAK, '⏎')
    .replace(STEERING, '�')
    .replace(/^\s*::/, (all) => `${all.slice(0, -1)} :`)
    .replaceAll('##[', '## [');
}

/** The same with blanks for line breaks and control characters, for drawings, in which marks would only disturb. */
export const neutralBlank = (text: string): string => neutral(text.replace(/[\p{C}\s]+/gu, ' '));

/** The same for text with several lines, such as a stack. */
export const neutralLines = (text: string): string => text.split(LINE_BREAK).map(neutral).join('\n');

/** A copy of data in which all texts are neutral, including keys. */
export function neutralData<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value === 'string') return neutral(value);
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [neutral(key), copy(each)]));
}

/** JSON for exactly this value: control characters become escapes, so that nothing is lost. */
export const neutralJson = (value: unknown, indent?: number): string =>
  neutralJsonText(JSON.stringify(value, null, indent));

/** The same for JSON text, with one value or one per line. */
export const neutralJsonText = (json: string): string =>
  json
    .replace(STEERING_IN_QUOTES, (c) => c.replace(/[\s\S]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`))
    .replaceAll('##[', '#\\u0023[');

/** The same for YAML in which every text that is not neutral is in double quotes. */
export const neutralYaml = (yaml: string): string =>
  yaml.replace(STEERING_IN_QUOTES, (c) => `\\U${hex(c.codePointAt(0) ?? 0, 8)}`).replaceAll('##[', '#\\x23[');

const STEERING_IN_QUOTES = /[^\P{C}\n]|[\u2028\u2029]/gu;
const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');

/** Whether every line of the text is printed unchanged. */
export const isNeutral = (text: string): boolean => neutralLines(text) === text;

/** Maximum length of a folder's name in UTF-16 units: each takes up to three bytes, and a name has at most 255. */
const LONGEST = 80;

/** A name for one folder: never a path, hidden, a dot entry or an option. */
export function folderName(text: string): string {
  const safe = text.replace(/[^\p{L}\p{N}._=+,@-]/gu, '_').replace(/^[.-]/, '_');
  return safe === text && text.length <= LONGEST
    ? text
    : `${safe.slice(0, LONGEST)}~${hash('sha256', text).slice(0, 8)}`;
}

/** The first character that no name may contain; undefined if there is none. */
export const steeringIn = (text: string): string | undefined => /[^\P{C}]|[\u2028\u2029]/u.exec(text)?.[0];
