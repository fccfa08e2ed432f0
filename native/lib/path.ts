// SPDX-License-Identifier: MIT
/** Bus paths as text: a pathname, or `@name` for an abstract one (write `./@name` for a file with such a name). */
import { loadedAddon } from './load.ts';

/**
 * The bytes of sbus_path. A leading NUL is treated like `@`, as in Node's own sockets. Throws TypeError or RangeError.
 */
export function encodePath(path: string, limit: number = loadedAddon().constants.BUS_PATH_MAX): Buffer {
  if (typeof path !== 'string' || path === '')
    throw new TypeError('the path of a bus is a string that is not empty');
  const bytes = Buffer.from(path, 'utf8');
  if (path.startsWith('@')) bytes[0] = 0;
  if (bytes.indexOf(0, 1) >= 0) throw new TypeError(`the path '${path}' has a NUL inside`);
  if (bytes.length > limit) {
    throw new RangeError(`the path '${path}' has ${bytes.length} bytes, more than ${limit}`);
  }
  return bytes;
}

/** Text of sbus_path, which ends at its first NUL, not counting the leading NUL of an abstract name. */
export function decodePath(bytes: Buffer): string {
  const abstract = bytes[0] === 0 && bytes.length > 1 && bytes[1] !== 0;
  const end = bytes.indexOf(0, abstract ? 1 : 0);
  const text = bytes.toString('utf8', abstract ? 1 : 0, end < 0 ? bytes.length : end);
  return abstract ? `@${text}` : text;
}
