// SPDX-License-Identifier: MIT
/** Whether a rule matches a message (docs/dbus.md section 3). */
import type { ReceivedMessage } from './message.ts';
import { isUnique } from './names.ts';
import type { Condition, Rule } from './rule.ts';

/** The parts of a message that a rule can refer to. */
export type Subject = Pick<
  ReceivedMessage,
  'type' | 'path' | 'interface' | 'member' | 'destination' | 'args'
>;

/** The sender according to the kernel. */
export interface From {
  /** `:0.1f` */
  readonly unique: string;
  /** Whether it owns this well-known name. */
  readonly owns: (name: string) => boolean;
  /** Whether the recipient has this name, unique or well-known; if this is not known, the header's text is compared. */
  readonly isFor?: (name: string) => boolean;
}

export const matches = ({ conditions }: Rule, message: Subject, from: From): boolean =>
  conditions.every((condition) => holds(condition, message, from));

function holds({ kind, arg, value }: Condition, message: Subject, from: From): boolean {
  switch (kind) {
    case 'type':
    case 'interface':
    case 'member':
    case 'path':
      return message[kind] === value;
    case 'destination':
      return from.isFor?.(value) ?? message.destination === value;
    case 'sender':
      return isUnique(value) ? from.unique === value : from.unique === value || from.owns(value);
    case 'path_namespace':
      // Every path is below the root.
      return message.path !== undefined && (value === '/' || isBelow(message.path, value, '/'));
    case 'arg':
      return textOf(message, arg, 's') === value;
    case 'argpath':
      return arePaths(textOf(message, arg, 'so'), value);
    case 'arg0namespace': {
      const text = textOf(message, 0, 's');
      return text !== undefined && isBelow(text, value, '.');
    }
    case 'eavesdrop':
      return true;
  }
}

/** Whether the text is the namespace or lies below it, with the separator `between`. */
const isBelow = (text: string, namespace: string, between: string): boolean =>
  text === namespace || text.startsWith(namespace + between);

/** The argument, if it is present and has one of these types. */
function textOf({ args }: Subject, n: number, types: 's' | 'so'): string | undefined {
  const { type = '', value } = args[n] ?? {};
  return type.length === 1 && types.includes(type) ? (value as string) : undefined;
}

/** Whether they are equal, or one of them ends in `/` and the other begins with it. */
function arePaths(text: string | undefined, value: string): boolean {
  if (text === undefined) return false;
  if (text === value) return true;
  const [short, long] = text.length < value.length ? [text, value] : [value, text];
  return short.endsWith('/') && long.startsWith(short);
}
