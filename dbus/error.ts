// SPDX-License-Identifier: MIT
/** Errors of D-Bus: what a callee or the bus answers with instead of a reply. */

/** The prefix of the errors that the D-Bus Specification names. */
export const ERROR = 'org.freedesktop.DBus.Error.';

/** `call` rejects with one; a method that throws one answers its caller with it. */
export class DbusError extends Error {
  /** `org.freedesktop.DBus.Error.ServiceUnknown` */
  readonly errorName: string;

  constructor(errorName: string, message: string) {
    super(message);
    this.name = 'DbusError';
    this.errorName = errorName;
  }
}
