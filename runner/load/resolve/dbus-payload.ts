// SPDX-License-Identifier: MIT
/** `payload: { dbus: … }` → the message, with what its type must have (D-Bus Specification, "Message Types"). */

import type { Path } from '../../common/diagnostic.ts';
import { type Arg, type DbusMessage, type MessageType, REQUIRED } from '../../dbus/index.ts';
import type { Scope, WrittenDbus } from './scope.ts';

/** As people write them. */
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
  const { type = 'signal', endian = 'little', args = [], destination } = written;
  checkBus(scope, bus, at);
  checkFields(scope, written, type, at);
  args.forEach((arg, n) => {
    if (typeof arg === 'string') checkText(scope, arg, [...at, 'args', n]);
  });
  const fields = Object.entries(KEYS).flatMap(([field, key]) =>
    written[key] === undefined ? [] : [[field, written[key]]],
  );
  const rest = {
    ...Object.fromEntries(fields),
    ...(destination !== undefined && { destination }),
    ...(fds > 0 && { unixFds: fds }),
  };
  return { dbus: { type, endian, ...rest, args: args.map(argOf) } };
}

function argOf(arg: NonNullable<WrittenDbus['args']>[number]): Arg {
  if (typeof arg === 'string') return { type: 's', value: arg };
  return typeof arg === 'number' ? { type: 'i', value: arg } : { type: 'o', value: arg.path };
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
    const hint = 'It belongs to answers: type: error, or method_return.';
    problems.error([...at, key], {
      code: 'impossible',
      message: `${name} has no \`${key}\``,
      hint,
      onKey: true,
    });
  }
}

/** D-Bus texts are UTF-8 and end with a NUL. */
function checkText({ problems }: Scope, text: string, at: Path): void {
  if (text.includes('\0')) problems.error(at, { code: 'bad-value', message: 'a text of D-Bus holds no NUL' });
  else if (!text.isWellFormed())
    problems.error(at, { code: 'bad-value', message: 'half of a character is no text of D-Bus' });
}
