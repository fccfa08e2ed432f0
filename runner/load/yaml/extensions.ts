// SPDX-License-Identifier: MIT
/** Removes keys that only hold anchors for other parts of the file (`x-…`). */
import { EXTENSION } from '../../common/scalars.ts';
import type { Part } from './compose.ts';
import { isMap } from './merge.ts';

/** The file without these keys: aliases have been expanded by now. */
export function withoutExtensions({ value, spot }: Part): Part {
  if (!isMap(value)) return { value, spot };
  const isMeant = ([key]: readonly [unknown, ...unknown[]]) => !EXTENSION.test(String(key));
  return {
    value: Object.fromEntries(Object.entries(value).filter(isMeant)),
    spot: { ...spot, children: new Map([...spot.children].filter(isMeant)) },
  };
}
