// SPDX-License-Identifier: MIT
/** Turns the arguments of a D-Bus message in a file into values with their types. */

import type { Path } from '../../common/diagnostic.ts';
import { count as counted, show } from '../../common/text.ts';
import {
  type Arg,
  BadValue,
  MAX_SIGNATURE,
  marshalBody,
  type Type,
  typeOf,
  typesOf,
  type Value,
  Writer,
} from '../../dbus/index.ts';
import type { Problems } from '../diagnostic/index.ts';

/** The envelope, `ay`, takes two bytes of the signature. */
const MAX_TYPES = MAX_SIGNATURE - 2;

export interface WrittenArgs {
  readonly signature?: string | undefined;
  readonly args?: readonly unknown[] | undefined;
}

/** `at` is the path of the message; `fds` is the number of its descriptors. Mistakes are reported and left out. */
export function argsOf(
  problems: Problems,
  { signature, args = [] }: WrittenArgs,
  fds: number,
  at: Path,
  key = 'args',
): readonly Arg[] {
  const reader = new ArgReader(problems, fds);
  const types = signature === undefined ? undefined : typesIn(problems, signature, args.length, at);
  if (signature !== undefined && types === undefined) return [];
  const read = args.flatMap((arg, n) => {
    const path = [...at, key, n];
    const type = types === undefined ? reader.typeFor(arg, path) : types[n];
    const isPath = types === undefined && isMap(arg);
    const value = type && reader.value(type, isPath ? arg.path : arg, isPath ? [...path, 'path'] : path);
    return type === undefined || value === undefined ? [] : [{ type: type.signature, value }];
  });
  if (read.length === args.length) checkAll(problems, read, [...at, key]);
  return read;
}

function typesIn(
  problems: Problems,
  signature: string,
  count: number,
  at: Path,
): readonly Type[] | undefined {
  const types = signature.length > MAX_TYPES ? undefined : typesOf(signature);
  if (types === undefined) {
    const message = `${show(signature)} is no list of types of D-Bus with at most ${MAX_TYPES} bytes`;
    const hint = 'Its types are y b n q i u x t d s o g h v, aT, (T…) and a{KT}: sa{sv}as.';
    problems.error([...at, 'signature'], { code: 'bad-value', message, hint });
  } else if (types.length !== count) {
    const message = `the signature has ${counted(types.length, 'type')} for ${counted(count, 'argument')}`;
    problems.error([...at, 'signature'], { code: 'impossible', message });
    return undefined;
  }
  return types;
}

/** Checks all arguments together: valid ones may still be too deep, or too long. */
function checkAll(problems: Problems, args: readonly Arg[], at: Path): void {
  try {
    marshalBody(args, 'little');
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    problems.error(at, { code: 'bad-value', message: error.problem });
  }
}

class ArgReader {
  readonly #problems: Problems;
  readonly #fds: number;

  constructor(problems: Problems, fds: number) {
    this.#problems = problems;
    this.#fds = fds;
  }

  /** The type of an argument for which the file gives none. */
  typeFor(arg: unknown, at: Path): Type | undefined {
    if (typeof arg === 'string') return typeOf('s');
    if (typeof arg === 'boolean') return typeOf('b');
    if (typeof arg === 'number') return typeOf('i');
    if (isMap(arg) && Object.keys(arg).join() === 'path') return typeOf('o');
    this.#wrong(`the type of ${show(arg)} is not clear`, at, 'Say it: signature: a{sv}.');
    return undefined;
  }

  value(type: Type, written: unknown, at: Path): Value | undefined {
    const [inside] = type.inside;
    if (type.code === 'v') return this.#variant(written, at);
    if (type.code === '(') return this.#structure(type, written, at);
    if (type.code !== 'a') return this.#basic(type, written, at);
    if (inside?.code === '{') return this.#dict(inside, written, at);
    return this.#array(inside as Type, written, at);
  }

  #variant(written: unknown, at: Path): Value | undefined {
    const [key = '', ...more] = isMap(written) ? Object.keys(written) : [];
    const type = more.length === 0 ? typeOf(key) : undefined;
    if (type === undefined) {
      const hint = 'Write its type and its value: { u: 7 }.';
      return this.#wrong(`expected a variant, got ${show(written)}`, at, hint);
    }
    const value = this.value(type, (written as Record<string, unknown>)[key], [...at, key]);
    return value === undefined ? undefined : { type: key, value };
  }

  #structure({ inside, signature }: Type, written: unknown, at: Path): Value | undefined {
    if (!Array.isArray(written) || written.length !== inside.length)
      return this.#wrong(`expected a list of the ${inside.length} members of ${signature}`, at);
    return all(inside.map((type, n) => this.value(type, written[n], [...at, n])));
  }

  #array(item: Type, written: unknown, at: Path): Value | undefined {
    if (item.code === 'y' && isMap(written) && /^([0-9a-f]{2})*$/i.test(String(written.hex)))
      return Buffer.from(String(written.hex), 'hex');
    if (!Array.isArray(written))
      return this.#wrong(`expected a list of ${item.signature}, got ${show(written)}`, at);
    return all(written.map((each, n) => this.value(item, each, [...at, n])));
  }

  #dict({ inside }: Type, written: unknown, at: Path): Value | undefined {
    const [key, type] = inside as [Type, Type];
    if (!isMap(written))
      return this.#wrong(
        `expected a map from ${key.signature} to ${type.signature}, got ${show(written)}`,
        at,
      );
    const entries = Object.entries(written).map(([name, each]) =>
      all([this.value(key, keyOf(key, name), [...at, name]), this.value(type, each, [...at, name])]),
    );
    return entries.includes(undefined) ? undefined : new Map(entries as unknown as [Value, Value][]);
  }

  #basic(type: Type, written: unknown, at: Path): Value | undefined {
    const value = wideOf(type, written) as Value;
    if (value === null || value === undefined)
      return this.#wrong(`expected a value of type ${type.signature}, got nothing`, at);
    if (type.code === 'h' && typeof value === 'number' && value >= this.#fds)
      return this.#wrong(
        `there is no descriptor ${value}`,
        at,
        `This message has ${this.#fds}: see \`fds\`.`,
      );
    try {
      new Writer('little').value(type, value);
      return value;
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      return this.#wrong(error.problem, at);
    }
  }

  #wrong(message: string, path: Path, hint?: string): undefined {
    this.#problems.error(path, { code: 'bad-value', message, ...(hint !== undefined && { hint }) });
  }
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const all = (values: readonly (Value | undefined)[]): Value[] | undefined =>
  values.includes(undefined) ? undefined : (values as Value[]);

/** YAML numbers are exact to 53 bits; a longer one is written in quotes. */
const wideOf = ({ code }: Type, written: unknown): unknown =>
  (code === 'x' || code === 't') && typeof written === 'string' && /^-?\d+$/.test(written)
    ? BigInt(written)
    : written;

/** Keys of a map are always texts in a file, so they are converted to the key's type. */
function keyOf({ code }: Type, name: string): unknown {
  if ('sog'.includes(code)) return name;
  if (code === 'b') return name === 'true' ? true : name === 'false' ? false : name;
  if (code === 'x' || code === 't') return name;
  return name.trim() === '' || Number.isNaN(Number(name)) ? name : Number(name);
}
