// SPDX-License-Identifier: MIT
/** Names of environment variables that a file may set in its nodes. */

export const VARIABLE_NAME = /^[A-Za-z_]\w*$/;

/**
 * Variables that Node, its libraries, the loader or the shells before it obey: with one of them a file could run code
 * in the host, outside of what it describes.
 */
const OBEYED =
  /^(?:(?:NODE|LD|DYLD|GLIBC|MALLOC|OPENSSL|SSL|UV|V8|ICU|BASH|NPM)_\w*|PATH|CDPATH|HOME|ENV|IFS|PS\d|SHELLOPTS|GCONV_PATH|LOCPATH|NLSPATH|RESOLV_\w*|RES_OPTIONS|LOCALDOMAIN|HOSTALIASES|TMPDIR|TZDIR)$/i;

export const isObeyed = (name: string): boolean => OBEYED.test(name);
