// SPDX-License-Identifier: MIT
/** What nfdbus takes, by default: beyond these it refuses a rule or a name, and knows no message (docs/dbus.md section 3). */

/** Match rules of one client. */
export const MAX_RULES = 512;
/** Well-known names of one client. */
export const MAX_NAMES = 512;
/** Bytes of the fields of a header. */
export const MAX_FIELDS = 65_536;
