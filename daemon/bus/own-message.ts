// SPDX-License-Identifier: MIT
/** The bytes of a message of the bus itself. */
import { BadValue, DRIVER, marshal } from '../../runner/dbus/index.ts';
import type { Outgoing } from '../driver/effect.ts';
import { DriverError } from '../driver/error.ts';
import { string } from '../driver/message.ts';

/** A reply that is longer than D-Bus allows, or than the bus takes, becomes an error. `most`: bytes that the bus takes. */
export function ownMessage(message: Outgoing, serial: number, most: number): Buffer {
  try {
    return marshalWithin(message, serial, most);
  } catch (error) {
    if (message.type !== 'method_return' || !(error instanceof BadValue)) throw error;
    const { errorName, message: text } = new DriverError(
      'LimitsExceeded',
      `The reply is too long: ${error.message}`,
    );
    return marshalWithin({ ...message, type: 'error', errorName, args: [string(text)] }, serial, most);
  }
}

function marshalWithin(message: Outgoing, serial: number, most: number): Buffer {
  const bytes = marshal({ ...message, endian: 'little', sender: DRIVER }, serial);
  if (bytes.length > most) throw new BadValue(`the bus takes ${most} bytes, not ${bytes.length}`);
  return bytes;
}
