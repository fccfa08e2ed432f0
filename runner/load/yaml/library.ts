// SPDX-License-Identifier: MIT
/** The files of a topology: each is read and parsed once, however many combinations need it. */
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import type { DiagnosticText } from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { type Parsed, parse } from './parse.ts';
import type { Read } from './read.ts';
import { type Includer, Source } from './source.ts';

export interface Opened {
  readonly source: Source;
  readonly parsed: Parsed;
}

export class Library {
  readonly #read: Read;
  readonly #open = new Map<string, Opened>();
  /** Bytes and tokens that the files still to come may have. */
  #left: { readonly bytes: number; readonly tokens: number } = {
    bytes: LIMITS.fileBytes.most,
    tokens: LIMITS.tokens.most,
  };

  constructor(read: Read) {
    this.#read = read;
  }

  /** File → text, of all that were opened. */
  get sources(): ReadonlyMap<string, string> {
    return new Map(Array.from(this.#open.values(), ({ source }) => [source.file, source.text]));
  }

  /** The file and its document, or why there is none; `text` is its text if that is already known. */
  open(file: string, by?: Includer, text?: string): Opened | { readonly words: DiagnosticText } {
    const known = this.#open.get(resolve(file));
    if (known !== undefined) return known;
    const got = text === undefined ? this.#read(file) : { text };
    if ('words' in got) return got;
    const bytes = this.#left.bytes - Buffer.byteLength(got.text);
    if (bytes < 0) return { words: TOO_BIG };
    const source = new Source(file, got.text, by);
    const { tokens, ...parsed } = parse(source, this.#left.tokens);
    this.#left = { bytes, tokens: this.#left.tokens - tokens };
    const opened = { source, parsed };
    this.#open.set(resolve(file), opened);
    return opened;
  }
}

const TOO_BIG: DiagnosticText = {
  code: 'too-big',
  message: 'with all that it includes, a topology has at most 2 MiB',
  hint: 'Use replicas and count instead of writing everything out.',
};

/** Turns an item of `include` into the name of the file in messages: relative to the file that includes it. */
export const included = (item: string, from: string): string =>
  isAbsolute(item) ? normalize(item) : join(dirname(from), item);
