// SPDX-License-Identifier: MIT
/**
 * Merges included files and the file that includes them: named entries are put side by side, steps one after another
 * (included files first), and of any other key the last one wins, so the including file's.
 */

import type { DiagnosticText, Path } from '../../common/diagnostic.ts';
import type { Part } from './compose.ts';
import type { SourceNode } from './construct.ts';

type Complain = (path: Path, at: SourceNode, words: DiagnosticText) => void;

/** Sections whose entries have names. */
const NAMED: readonly string[] = ['nodes', 'buses', 'groups', 'clients'];
/** Keys that apply only to the file that contains them. */
const OWN: readonly string[] = ['name', 'description', 'include', 'matrix'];

/** Merges in this order; calls `complain` for names that occur twice. */
export function merge(parts: readonly Part[], complain: Complain): Part {
  const last = parts.at(-1) as Part;
  if (parts.some(({ value }) => !isMap(value))) return last;
  return parts.reduce((all, part) => {
    const skipped = part === last ? [] : OWN;
    return mergeMaps(all, part, (key, before, after) => {
      if (skipped.includes(key)) return before;
      return before === undefined ? after : both(key, before, after, complain);
    });
  }, empty(last));
}

function both(key: string, before: Part, after: Part, complain: Complain): Part {
  if (key === 'traffic') return concatenate(before, after);
  const maps = isMap(before.value) && isMap(after.value);
  if (NAMED.includes(key) && maps) {
    return mergeMaps(before, after, (name, first, second) => {
      if (first !== undefined) twice([key, name], first.spot, second.spot, complain);
      return first ?? second;
    });
  }
  if (key === 'expect' && maps) {
    return mergeMaps(before, after, (name, first, second) => {
      if (name === 'deliveries' && first !== undefined) return concatenate(first, second);
      return first && isMap(first.value) && isMap(second.value)
        ? limits(key, name, first, second, complain)
        : second;
    });
  }
  if (key === 'defaults' && maps) return deepMerge(before, after);
  // A value of the wrong type is kept, so that it is reported.
  return isMap(after.value) && !isMap(before.value) ? before : after;
}

/** Adds budgets together. The same limit may not occur twice, or one file could undo a check of another. */
function limits(key: string, name: string, before: Part, after: Part, complain: Complain): Part {
  return mergeMaps(before, after, (limit, first, second) => {
    if (first !== undefined) twice([key, name, limit], first.spot, second.spot, complain);
    return first ?? second;
  });
}

/** Keys of both. If both have a key, two maps are merged in the same way; else the second value wins. */
export function deepMerge(before: Part, after: Part): Part {
  if (!isMap(before.value) || !isMap(after.value)) return after;
  return mergeMaps(before, after, (_, first, second) =>
    first === undefined ? second : deepMerge(first, second),
  );
}

type Pick = (key: string, before: Part | undefined, after: Part) => Part | undefined;

function mergeMaps(before: Part, after: Part, pick: Pick): Part {
  const value: Record<string, unknown> = { ...(before.value as Record<string, unknown>) };
  const children = new Map(before.spot.children);
  for (const key of Object.keys(after.value as object)) {
    const second = entry(after, key);
    const picked = second && pick(key, entry(before, key), second);
    if (picked === undefined) continue;
    value[key] = picked.value;
    children.set(key, picked.spot);
  }
  return { value, spot: { ...after.spot, children } };
}

function entry({ value, spot }: Part, key: string): Part | undefined {
  const child = spot.children.get(key);
  return child && { value: (value as Record<string, unknown>)[key], spot: child };
}

function concatenate(before: Part, after: Part): Part {
  if (!Array.isArray(after.value)) return after;
  if (!Array.isArray(before.value)) return before;
  const offset = before.value.length;
  const children = new Map(before.spot.children);
  for (const [index, child] of after.spot.children) children.set(offset + Number(index), child);
  return { value: [...before.value, ...after.value], spot: { ...after.spot, children } };
}

function twice(path: Path, first: SourceNode, second: SourceNode, complain: Complain): void {
  const { file, line, column } = first.source.range(first.key ?? first.value);
  const message = `"${path.at(-1)}" is there already, at ${file}:${line}:${column}`;
  const hint = 'Included files add to each other: rename or remove one of the two.';
  complain(path, second, { code: 'duplicate-name', message, hint, onKey: true });
}

const empty = ({ spot }: Part): Part => ({ value: {}, spot: { ...spot, children: new Map() } });

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
