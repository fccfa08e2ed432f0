// SPDX-License-Identifier: MIT
/**
 * Turns `payload: { dbus: … }` into a message with the fields that its type requires (D-Bus Specification, "Message
 * Types").
 */

import type { Path } from '../../common/diagnostic.ts';
import {
  type DbusMessage,
  fieldsLength,
  MAX_FIELDS,
  type MessageType,
  REQUIRED,
  templateOf,
} from '../../dbus/index.ts';
import { argsOf } from './dbus-args.ts';
import { captured } from './dbus-captured.ts';
import type { Scope, WrittenDbus } from './scope.ts';

/** The keys as files write them. */
const KEYS = {
  path: 'path',
  interface: 'interface',
  member: 'member',
  errorName: 'error-name',
  replySerial: 'reply-serial',
} as const;

export function dbusOf(
  scope: Scope,
  written: WrittenDbus,
  { bus, fds }: { readonly bus: string; readonly fds: number },
  at: Path,
): { readonly dbus: DbusMessage } {
  checkBus(scope, bus, at);
  const dbus =
    written.raw === undefined ? composed(scope, written, fds, at) : captured(scope, written, fds, at);
  checkHeader(scope, dbus, at);
  return { dbus };
}

/** Reports a message that nfdbus would not recognise as D-Bus: its multicasts would reach nobody. */
function checkHeader({ problems }: Scope, dbus: DbusMessage, at: Path): void {
  const length = fieldsLength(templateOf(dbus));
  if (length <= MAX_FIELDS) return;
  const message = `the header fields have ${length} bytes, and the kernel reads at most ${MAX_FIELDS}`;
  problems.error(at, { code: 'impossible', message, hint: 'Shorten the path.', onKey: true });
}

function composed(scope: Scope, written: WrittenDbus, fds: number, at: Path): DbusMessage {
  const { type = 'signal', endian = 'little', destination } = written;
  checkFields(scope, written, type, at);
  const fields = Object.entries(KEYS).flatMap(([field, key]) =>
    written[key] === undefined ? [] : [[field, written[key]]],
  );
  const rest = {
    ...Object.fromEntries(fields),
    ...(destination !== undefined && { destination }),
    ...(fds > 0 && { unixFds: fds }),
  };
  return { type, endian, ...rest, args: argsOf(scope.problems, written, fds, at) };
}

function checkBus({ buses, problems }: Scope, bus: string, at: Path): void {
  if (buses.get(bus)?.protocol !== 'none') return;
  const message = `bus "${bus}" carries bytes, not D-Bus messages`;
  problems.error(at, { code: 'impossible', message, hint: `Give it protocol: dbus.`, onKey: true });
}

function checkFields({ problems }: Scope, written: WrittenDbus, type: MessageType, at: Path): void {
  const needed = REQUIRED[type].map((field) => KEYS[field]);
  const missing = needed.filter((key) => written[key] === undefined);
  const name = `a message of type ${type}`;
  if (missing.length > 0) {
    const words = missing.map((key) => `\`${key}\``).join(' and ');
    problems.error(at, { code: 'missing-key', message: `${name} needs ${words}`, onKey: true });
  }
  for (const key of ['error-name', 'reply-serial'] as const) {
    if (written[key] === undefined || (needed as readonly string[]).includes(key)) continue;
    const hint = 'Only answers have it: type: method_return, or error.';
    problems.error([...at, key], {
      code: 'impossible',
      message: `${name} has no \`${key}\``,
      hint,
      onKey: true,
    });
  }
}
