// SPDX-License-Identifier: MIT
/** Bodies of messages: a signature and plain values. */
import { type Arg, typesOf, type Value } from '../runner/dbus/index.ts';

/** The arguments of a message. Throws TypeError if the signature is none, or has not as many types as there are values. */
export function argsOf(signature: string, values: readonly Value[]): Arg[] {
  const types = typesOf(signature);
  if (types === undefined) throw new TypeError(`${JSON.stringify(signature)} is no signature`);
  if (types.length !== values.length)
    throw new TypeError(`"${signature}" has ${types.length} types, and there are ${values.length} values`);
  return types.map(({ signature: type }, n) => ({ type, value: values[n] as Value }));
}

export const signatureOf = (args: readonly Arg[]): string => args.map(({ type }) => type).join('');

export const valuesOf = (args: readonly Arg[]): Value[] => args.map(({ value }) => value);
