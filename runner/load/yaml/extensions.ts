// SPDX-License-Identifier: MIT
/** Keys of a file that hold what its anchors name, and mean nothing by themselves. */
import { EXTENSION } from '../../common/scalars.ts';
import type { Part } from './compose.ts';
import { isMap } from './merge.ts';

/** A file without them: its aliases have taken what they need. */
export function withoutExtensions({ value, spot }: Part): Part {
  if (!isMap(value)) return { value, spot };
  const isMeant = ([key]: readonly [unknown, ...unknown[]]) => !EXTENSION.test(String(key));
  return {
    value: Object.fromEntries(Object.entries(value).filter(isMeant)),
    spot: { ...spot, children: new Map([...spot.children].filter(isMeant)) },
  };
}
