// SPDX-License-Identifier: MIT
/** The schema of D-Bus messages and match rules. */
import * as z from 'zod';
import { HEX } from '../../common/scalars.ts';
import {
  BUS_NAME,
  INTERFACE,
  MEMBER,
  MESSAGE_TYPES,
  MOST_OF_NAME,
  PATH,
  WELL_KNOWN,
} from '../../dbus/index.ts';
import { expected, list, map, oneOf, text, whole } from './blocks.ts';

/** What it says is looked at later, with better words. */
export const rule = z.string({
  error: expected('a match rule', "Write it in quotes: \"type='signal',interface='org.example.Player'\"."),
});

const name = (pattern: RegExp, what: string, hint: string) =>
  text(pattern, what, hint).max(MOST_OF_NAME, {
    error: expected(what, `It has at most ${MOST_OF_NAME} bytes.`),
  });

export const wellKnown = name(WELL_KNOWN, 'a well-known name', 'Write org.example.Player.');

const path = text(
  PATH,
  'an object path',
  'Write /org/example/Player: letters, digits and _ between slashes.',
);

/** A signature has at most 255 bytes, two of which are the envelope's. Each value is looked at with its type, later. */
const MOST_ARGS = 253;
const args = list(z.unknown()).max(MOST_ARGS, { error: expected(`at most ${MOST_ARGS} arguments`) });

const DBUS_HINT = 'Write { path: /org/example/Player, interface: org.example.Player, member: Changed }.';

export const dbus = map(
  {
    type: oneOf(MESSAGE_TYPES).optional(),
    path: path.optional(),
    interface: name(INTERFACE, 'an interface', 'Write org.example.Player.').optional(),
    member: name(MEMBER, 'the name of a member', 'Write Changed.').optional(),
    destination: name(
      BUS_NAME,
      'a bus name',
      'Write org.example.Player, or a unique name: ":0.1f".',
    ).optional(),
    'error-name': name(INTERFACE, 'the name of an error', 'Write org.example.Error.Failed.').optional(),
    'reply-serial': whole('a serial', 1, 0xffff_ffff).optional(),
    signature: z.string({ error: expected('a signature', 'Write sa{sv}as.') }).optional(),
    args: args.optional(),
    raw: text(HEX, 'the bytes of a message in hex', 'Write pairs of hex digits.').optional(),
    endian: oneOf(['little', 'big']).optional(),
  },
  'a D-Bus message',
  DBUS_HINT,
);

export type WrittenDbus = z.infer<typeof dbus>;
