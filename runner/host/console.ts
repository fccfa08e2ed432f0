// SPDX-License-Identifier: MIT
/** The guest's console file: what its kernel said before it died. */

import { readFileSync } from 'node:fs';

const SHOWN = 15;
const TROUBLE = /Kernel panic|BUG:|Oops|general protection|afbus-host: .*(failed|ended|cannot)/;

const read = (file: string): string[] => {
  try {
    return readFileSync(file, 'utf8').replaceAll('\r', '').trimEnd().split('\n');
  } catch {
    return [];
  }
};

/** 15 lines: from the first sign of trouble near the end, or simply the last. */
export function lastLines(file: string): string[] {
  const lines = read(file).slice(-120);
  const trouble = lines.findIndex((line) => TROUBLE.test(line));
  return trouble < 0 ? lines.slice(-SHOWN) : lines.slice(trouble, trouble + SHOWN);
}

export const said = (file: string, words: string): boolean => read(file).some((line) => line.includes(words));

/** "Kernel panic: sysrq triggered crash", when that is what the console ends with. */
export function causeOfDeath(file: string): string | null {
  const lines = lastLines(file);
  const panic = lines.find((line) => line.includes('Kernel panic'));
  if (panic) return panic.replace(/^\[[^\]]*\] /, '').replace(' - not syncing', '');
  return lines.find((line) => TROUBLE.test(line))?.replace(/^\[[^\]]*\] /, '') ?? null;
}
