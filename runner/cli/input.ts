// SPDX-License-Identifier: MIT
/** A file as a verb is given it: `-` is stdin, which messages call `<stdin>`. */
import { type Loaded, type LoadOptions, load, readStdin } from '../load/index.ts';

interface Input {
  readonly file: string;
  readonly options: LoadOptions;
}

export function inputOf(file: string, set: Readonly<Record<string, string>> = {}): Input {
  return file === '-' ? { file: '<stdin>', options: { set, read: readStdin } } : { file, options: { set } };
}

export function loadInput(named: string, set?: Readonly<Record<string, string>>): Loaded & { file: string } {
  const { file, options } = inputOf(named, set);
  return { file, ...load(file, options) };
}
