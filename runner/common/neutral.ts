// SPDX-License-Identifier: MIT
/**
 * Text of strangers on its way out. It comes from files, from nodes and from names of files, and ends up on terminals,
 * in logs that a CI service reads for commands, and in the names of folders. There it may neither steer nor forge.
 */

import { hash } from 'node:crypto';

/** Control, direction and unassigned characters, and separators of lines; a tab is a blank. */
const STEERING = /[^\P{C}\t]|[\u2028\u2029]/gu;
const LINE_BREAK = /\r\n|[\n\r]/g;

/**
 * One line of plain text. A line break shows as ⏎ and what steers as �. Services take `::` at the start of a line, and
 * `##[` anywhere in it, for a command, so a blank parts them.
 */
export function neutral(text: string): string {
  return text
    .replace(LINE_BREAK, '⏎')
    .replace(STEERING, '�')
    .replace(/^\s*::/, (all) => `${all.slice(0, -1)} :`)
    .replaceAll('##[', '## [');
}

/** The same with a blank for what breaks a line or steers: for drawings, where a mark would only disturb. */
export const neutralBlank = (text: string): string => neutral(text.replace(/[\p{C}\s]+/gu, ' '));

/** The same for text that has lines of its own, such as a stack. */
export const neutralLines = (text: string): string => text.split(LINE_BREAK).map(neutral).join('\n');

/** A copy of data in which every text is neutral, keys included. */
export function neutralData<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value === 'string') return neutral(value);
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [neutral(key), copy(each)]));
}

/** JSON that means exactly `value`: what steers is written as an escape, so that nothing is lost. */
export const neutralJson = (value: unknown, indent?: number): string =>
  neutralJsonText(JSON.stringify(value, null, indent));

/** The same for JSON that is text already, of one value or one a line. */
export const neutralJsonText = (json: string): string =>
  json
    .replace(STEERING_IN_QUOTES, (c) => c.replace(/[\s\S]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`))
    .replaceAll('##[', '#\\u0023[');

/** The same for YAML in which every text that is not neutral stands in "quotes". */
export const neutralYaml = (yaml: string): string =>
  yaml.replace(STEERING_IN_QUOTES, (c) => `\\U${hex(c.codePointAt(0) ?? 0, 8)}`).replaceAll('##[', '#\\x23[');

const STEERING_IN_QUOTES = /[^\P{C}\n]|[\u2028\u2029]/gu;
const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');

/** Every line of the text is printed as it is. */
export const isNeutral = (text: string): boolean => neutralLines(text) === text;

/** The longest name of a folder, in UTF-16 units: each is up to three bytes, and a name has at most 255. */
const LONGEST = 80;

/** The name of one folder: never a path, hidden, a dot entry or an option. */
export function folderName(text: string): string {
  const safe = text.replace(/[^\p{L}\p{N}._=+,@-]/gu, '_').replace(/^[.-]/, '_');
  return safe === text && text.length <= LONGEST
    ? text
    : `${safe.slice(0, LONGEST)}~${hash('sha256', text).slice(0, 8)}`;
}

/** What no name may hold, wherever it comes from; undefined where there is nothing. */
export const steeringIn = (text: string): string | undefined => /[^\P{C}]|[\u2028\u2029]/u.exec(text)?.[0];
