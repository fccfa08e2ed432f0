// SPDX-License-Identifier: MIT
/** What a host said, as lines that are safe to show: root in the guest can write anything to its console. */

import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { neutral } from '../common/neutral.ts';
import { isAlive, type Known } from './process.ts';

const SHOWN = 15;
/** Longest part of a line that is shown, in characters. */
const LONGEST = 500;
const TROUBLE = /Kernel panic|BUG:|Oops|general protection|afbus-host: .*(failed|ended|cannot)/;

/** The full file that was written before this one, if there is one: see console-keeper.ts. */
const before = (file: string): string => file.replace(/\.log$/, '.1.log');

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/** All lines that were kept, oldest first. */
export function consoleLines(file: string): string[] {
  const text = `${read(before(file))}${read(file)}`.replaceAll('\r', '').trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => neutral(line.slice(0, LONGEST)));
}

/** 15 lines: from the first sign of trouble near the end, or simply the last. */
export function lastLines(file: string): string[] {
  const lines = consoleLines(file).slice(-120);
  const trouble = lines.findIndex((line) => TROUBLE.test(line));
  return trouble < 0 ? lines.slice(-SHOWN) : lines.slice(trouble, trouble + SHOWN);
}

export const said = (file: string, words: string): boolean =>
  consoleLines(file).some((line) => line.includes(words));

/** "Kernel panic: sysrq triggered crash", if the console ends with such a line. */
export function causeOfDeath(file: string): string | null {
  const lines = lastLines(file);
  const panic = lines.find((line) => line.includes('Kernel panic'));
  if (panic) return panic.replace(/^\[[^\]]*\] /, '').replace(' - not syncing', '');
  return lines.find((line) => TROUBLE.test(line))?.replace(/^\[[^\]]*\] /, '') ?? null;
}

/** How long the keeper may take to write the last lines of a machine that has ended. */
const WRITING = 2000;

/** Waits until the last lines of a machine that has ended are written. */
export async function settled(host: Known & { readonly keeper?: Known }): Promise<void> {
  const deadline = performance.now() + WRITING;
  const isWriting = () => host.keeper !== undefined && isAlive(host.keeper);
  while (!isAlive(host) && isWriting() && performance.now() < deadline) await wait(10);
}
