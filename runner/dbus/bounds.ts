// SPDX-License-Identifier: MIT
/**
 * Default limits of nfdbus: beyond them it refuses a rule or a name, and treats a message as no D-Bus (docs/dbus.md
 * section 3).
 */

/** Maximum number of match rules of a client. */
export const MAX_RULES = 512;
/** Maximum number of well-known names of a client. */
export const MAX_NAMES = 512;
/** Maximum number of bytes in the fields of a header. */
export const MAX_FIELDS = 65_536;
