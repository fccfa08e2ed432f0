// SPDX-License-Identifier: MIT
/** Bodies of messages: a signature and plain values. */
import { type Arg, typesOf, type Value } from '../runner/dbus/index.ts';

/** The arguments of a message. Throws TypeError for an invalid signature, or if it has another number of types. */
export function argsOf(signature: string, values: readonly Value[]): Arg[] {
  const types = typesOf(signature);
  if (types === undefined) throw new TypeError(`${JSON.stringify(signature)} is not a signature`);
  if (types.length !== values.length)
    throw new TypeError(`"${signature}" has ${types.length} types, but there are ${values.length} values`);
  return types.map(({ signature: type }, n) => ({ type, value: values[n] as Value }));
}

export const signatureOf = (args: readonly Arg[]): string => args.map(({ type }) => type).join('');

export const valuesOf = (args: readonly Arg[]): Value[] => args.map(({ value }) => value);
