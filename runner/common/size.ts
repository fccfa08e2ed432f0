// SPDX-License-Identifier: MIT
/** Sizes with their units, as files have them. */

export const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 * 1024 };

/** 212992 → `208KiB`, in the largest unit that has no fraction. */
export function sizeInWords(bytes: number): string {
  const fits = Object.entries(UNITS).filter(([, each]) => bytes >= each && bytes % each === 0);
  const [unit, each] = fits.at(-1) ?? ['B', 1];
  return `${bytes / each}${unit}`;
}
