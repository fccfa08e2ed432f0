// SPDX-License-Identifier: MIT
/** The files that specs play are the project's own: no spec pays for a fresh host because CI=true is set. */
process.env.AFBUS_TRUSTED ??= '1';
