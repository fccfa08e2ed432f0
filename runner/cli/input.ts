// SPDX-License-Identifier: MIT
/** Reads the file that a verb was given: `-` is stdin, which messages call `<stdin>`. */
import { type Loaded, type LoadOptions, load, readStdin } from '../load/index.ts';

interface Input {
  readonly file: string;
  readonly options: LoadOptions;
}

/** Flags of the verbs that read a file. */
export interface InputFlags {
  readonly set?: Readonly<Record<string, string>>;
  readonly strict?: boolean;
}

export function inputOf(file: string, { set = {}, strict = false }: InputFlags): Input {
  const options = { set, strict };
  return file === '-' ? { file: '<stdin>', options: { ...options, read: readStdin } } : { file, options };
}

export function loadInput(named: string, flags: InputFlags): Loaded & { file: string } {
  const { file, options } = inputOf(named, flags);
  return { file, ...load(file, options) };
}
