// SPDX-License-Identifier: MIT
/** Errors that the bus answers with (D-Bus Specification, "Message Bus Messages"). */

const PREFIX = 'org.freedesktop.DBus.Error.';

export class DriverError extends Error {
  /** `org.freedesktop.DBus.Error.ServiceUnknown` */
  readonly errorName: string;

  constructor(name: string, message: string) {
    super(message);
    this.errorName = PREFIX + name;
  }
}
