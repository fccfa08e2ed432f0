// SPDX-License-Identifier: MIT
/** Prints diagnostics for a terminal or for an editor's problem matcher. */
import type { Diagnostic } from '../../common/diagnostic.ts';
import { neutral } from '../../common/neutral.ts';
import { linesOf, partAround } from '../../common/text.ts';

export interface RenderOptions {
  readonly color?: boolean;
}

/**
 * `file:line:col: error: …`, then the line, a caret and the hint; one block per diagnostic, each ending in a newline.
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  { color = false }: RenderOptions = {},
): string {
  const paint = color
    ? (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`
    : (_: number, t: string) => t;
  const lines = new Map([...sources].map(([file, text]) => [file, linesOf(text)]));
  return diagnostics.map((each) => renderOne(each, lines.get(each.file)?.[each.line - 1], paint)).join('');
}

type Paint = (code: number, text: string) => string;

function renderOne(each: Diagnostic, line: string | undefined, paint: Paint): string {
  const tint = each.severity === 'error' ? 31 : 33;
  const place = each.line > 0 ? `${each.file}:${each.line}:${each.column}` : each.file;
  const out = [
    `${paint(1, `${neutral(place)}:`)} ${paint(tint, `${each.severity}:`)} ${neutral(each.message)}`,
  ];
  if (line !== undefined) out.push(...excerpt(each, line, (text) => paint(tint, text)));
  const note = noteOf(each);
  const { notes } = each;
  for (const each of [note, ...(notes ?? [])])
    if (each !== '') out.push(`      ${paint(36, '=')} ${neutral(each)}`);
  return `${out.join('\n')}\n`;
}

/** The line and its caret. */
function excerpt(each: Diagnostic, line: string, tint: (text: string) => string): string[] {
  const { part, column } = partAround(line, each.column);
  const shown = neutral(part);
  const before = column - 1;
  const width = Math.max(1, Math.min(each.endColumn - each.column, shown.length - before));
  const indent = shown.slice(0, before).replace(/[^\t]/g, ' ').padEnd(before);
  return [`${String(each.line).padStart(5)} | ${shown}`, `      | ${indent}${tint('^'.repeat(width))}`];
}

function noteOf({ path, expected, hint }: Diagnostic): string {
  const start = [path, expected].filter((part) => part !== undefined && part !== '').join('; ');
  return start !== '' && hint !== undefined ? `${start}. ${hint}` : start + (hint ?? '');
}
