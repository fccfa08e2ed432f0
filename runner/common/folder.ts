// SPDX-License-Identifier: MIT
/** Folders that may have to be made, and files in folders that others have written to. */

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
 * Makes a folder and those above it; throws what mkdir says. Node's own `recursive` asks /proc for ever: there mkdir
 * says ENOENT of a folder whose parent exists.
 */
export function makeFolder(path: string, mode?: number): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, mode);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // Somebody else may have been quicker.
    if (!isFolder(path)) throw error;
  }
}

/**
 * Makes a folder for this user alone. One that is there already is closed to others; what another user has made is not
 * used, since its owner can put anything in it. Throws what mkdir says, or why the folder is not used.
 */
export function ownFolder(path: string): void {
  makeFolder(path, 0o700);
  const { uid, mode } = statSync(path);
  if (uid !== process.getuid?.()) throw new Error(`it belongs to the user ${uid}`);
  if ((mode & 0o077) !== 0) chmodSync(path, 0o700);
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/**
 * The link that `path` leads through though a stranger may have put it there: its last part, or one that lies in the
 * current folder, which may be anybody's checkout. undefined where there is none.
 */
export function strangeLink(path: string): string | undefined {
  const whole = resolve(path);
  const here = realpathSync('.');
  const parts = whole.split(sep).map((_, i, all) => all.slice(0, i + 1).join(sep) || sep);
  return parts.find((part) => isLink(part) && (part === whole || isBelow(realpathSync(dirname(part)), here)));
}

/** No link: what is not there, below a file that is no folder, or out of sight; making it says why it cannot be made. */
function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** `path` is `folder` or lies in it; both are real paths. */
export const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** Lets `write` make a new file and puts it in the place of `path`, whatever lies there: a link is not followed. */
export function replaceFile(path: string, write: (fresh: string) => void): void {
  const fresh = join(dirname(path), `.${randomBytes(6).toString('hex')}.new`);
  try {
    write(fresh);
    renameSync(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** A file is not made, since it would have more bytes than it may. */
export class TooBig extends Error {}

export const replaceText = (path: string, text: string): void =>
  replaceFile(path, (fresh) => writeFileSync(fresh, text, { flag: 'wx' }));
