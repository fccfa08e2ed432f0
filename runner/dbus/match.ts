// SPDX-License-Identifier: MIT
/** Whether a rule wants a message (docs/dbus.md section 3). */
import type { ReceivedMessage } from './message.ts';
import { isUnique } from './names.ts';
import type { Condition, Rule } from './rule.ts';

/** What a rule can look at. */
export type Subject = Pick<
  ReceivedMessage,
  'type' | 'path' | 'interface' | 'member' | 'destination' | 'args'
>;

/** The sender, as the kernel knows it. */
export interface From {
  /** `:0.1f` */
  readonly unique: string;
  /** Whether it owns this well-known name. */
  readonly owns: (name: string) => boolean;
  /** Whether the recipient has this name, unique or well-known; if nobody knows, the header's text counts. */
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
      // Everything is below the root.
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

/** The same, or further on after the sign between two elements. */
const isBelow = (text: string, namespace: string, between: string): boolean =>
  text === namespace || text.startsWith(namespace + between);

/** The argument where it is there, and of one of these types. */
function textOf({ args }: Subject, n: number, types: 's' | 'so'): string | undefined {
  const { type = '', value } = args[n] ?? {};
  return type.length === 1 && types.includes(type) ? (value as string) : undefined;
}

/** The same, or one of them ends in `/` and the other begins with it. */
function arePaths(text: string | undefined, value: string): boolean {
  if (text === undefined) return false;
  if (text === value) return true;
  const [short, long] = text.length < value.length ? [text, value] : [value, text];
  return short.endsWith('/') && long.startsWith(short);
}
