// SPDX-License-Identifier: MIT
/** Errors of D-Bus: answers of a callee or of the bus instead of a reply. */

/** The prefix of the errors that the D-Bus Specification names. */
export const ERROR = 'org.freedesktop.DBus.Error.';

/** `call` rejects with it; if a method throws it, it is the answer to the caller. */
export class DbusError extends Error {
  /** `org.freedesktop.DBus.Error.ServiceUnknown` */
  readonly errorName: string;

  constructor(errorName: string, message: string) {
    super(message);
    this.name = 'DbusError';
    this.errorName = errorName;
  }
}
