// SPDX-License-Identifier: MIT
/** Makes folders, and replaces files in folders that others may write to. */

import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';

/**
 * Makes a folder and its parents; throws the errors of mkdir. Node's own `recursive` loops for ever in /proc, where
 * mkdir returns ENOENT although the parent exists.
 */
export function makeFolder(path: string, mode?: number): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, mode);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // Another process may have been faster.
    if (!isFolder(path)) throw error;
  }
}

/**
 * Makes a folder for this user only. An existing one is closed to others; one that another user has made is refused,
 * since that user can put anything into it. Throws the errors of mkdir, or why the folder is refused.
 */
export function ownFolder(path: string): void {
  makeFolder(path, 0o700);
  const { uid, mode } = statSync(path);
  if (uid !== process.getuid?.()) throw new Error(`it belongs to the user ${uid}`);
  if ((mode & 0o077) !== 0) chmodSync(path, 0o700);
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/**
 * The link in `path` that a stranger may have made: its last part, or a part in the current folder, which may be a
 * stranger's checkout. Undefined if there is none.
 */
export function strangeLink(path: string): string | undefined {
  const whole = resolve(path);
  const here = realpathSync('.');
  const parts = whole.split(sep).map((_, i, all) => all.slice(0, i + 1).join(sep) || sep);
  return parts.find((part) => isLink(part) && (part === whole || isBelow(realpathSync(dirname(part)), here)));
}

/** False as well if there is nothing, or it cannot be seen: making it reports the reason. */
function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Whether `path` is `folder` or lies below it; both must be real paths. */
export const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** Lets `write` make a new file, which then replaces whatever is at `path`; a link is not followed. */
export function replaceFile(path: string, write: (fresh: string) => void): void {
  const fresh = join(dirname(path), `.${randomBytes(6).toString('hex')}.new`);
  try {
    write(fresh);
    renameSync(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** A file was not written because it would have been bigger than allowed. */
export class TooBig extends Error {}

export const replaceText = (path: string, text: string): void =>
  replaceFile(path, (fresh) => writeFileSync(fresh, text, { flag: 'wx' }));
