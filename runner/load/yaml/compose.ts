// SPDX-License-Identifier: MIT
/** Combines a file and all that it includes into one tree of values, each with its place. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Document } from 'yaml';
import { type Diagnostic, type DiagnosticText, formatPath, type Path } from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { steeringIn } from '../../common/neutral.ts';
import { show } from '../../common/text.ts';
import { diagnostic } from '../diagnostic/index.ts';
import { steering } from './complaints.ts';
import { construct, type SourceNode } from './construct.ts';
import { applyDefaults } from './defaults.ts';
import { withoutExtensions } from './extensions.ts';
import { included, type Library, type Opened } from './library.ts';
import { merge } from './merge.ts';
import type { Found } from './parse.ts';
import type { Source } from './source.ts';
import { inclusion, Tree } from './tree.ts';
import type { Variables } from './variables.ts';

/** Values, and where they are written. */
export interface Part {
  readonly value: unknown;
  readonly spot: SourceNode;
}

export interface Composed {
  readonly tree: Tree;
  /** What was wrong before any value was checked, and the paths of the values concerned. */
  readonly found: readonly { readonly diagnostic: Diagnostic; readonly path: Path }[];
  /** Something is missing, so that the rest cannot be checked in a useful way. */
  readonly fatal: boolean;
  /** Number of values in all files. */
  readonly count: number;
}

/** Never throws: errors are in `found`. */
export function compose(library: Library, main: Opened, variables: Variables): Composed {
  const composer = new Composer(library, variables);
  const part = composer.add(main, []);
  const whole = applyDefaults(part);
  const { found, fatal, count } = composer;
  return { tree: new Tree(main.source, whole), found, fatal, count };
}

/** The errors in the YAML syntax of one file. */
export function syntaxErrors({ source, parsed }: Opened): Composed['found'] {
  return 'errors' in parsed ? parsed.errors.map((each) => located(source, each)) : [];
}

const located = (source: Source, { span, path, words }: Found) => ({
  diagnostic: diagnostic('error', source.trimmed(span), path, words, inclusion(source)),
  path,
});

/** The real path of a file, since two names may lead to one file. A text that is no file keeps its name. */
function placeOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
}

class Composer {
  readonly found: { diagnostic: Diagnostic; path: Path }[] = [];
  fatal = false;
  count = 0;
  readonly #library: Library;
  readonly #variables: Variables;
  /** Files that were added: a file that two others include is added once. */
  readonly #added = new Set<string>();

  constructor(library: Library, variables: Variables) {
    this.#library = library;
    this.#variables = variables;
  }

  /** Adds the file and its includes; `chain` lists the files that led here. */
  add({ source, parsed }: Opened, chain: readonly string[]): Part {
    this.#added.add(placeOf(source.file));
    if ('errors' in parsed) {
      this.fatal = true;
      this.#adopt(source, parsed.errors);
      return { value: {}, spot: emptySpot(source) };
    }
    const own = this.#construct(parsed.document, source);
    if (chain.length > 0) this.#checkIncluded(own, source);
    const parts = this.#includes(own, source, [...chain, source.file]);
    return parts.length === 0
      ? own
      : merge([...parts, own], (path, at, words) => this.#error(path, at, words));
  }

  #construct(document: Document.Parsed, source: Source): Part {
    const { value, spot, errors, fatal, count } = construct(document, source, this.#variables);
    this.#adopt(source, errors);
    this.fatal ||= fatal;
    this.count += count;
    return withoutExtensions({ value, spot });
  }

  /** Adds them one by one, as a call takes a limited number of arguments. */
  #adopt(source: Source, errors: readonly Found[]): void {
    for (const each of errors) this.found.push(located(source, each));
  }

  /** Reports an included file that is no map, or that has a matrix. */
  #checkIncluded({ value, spot }: Part, source: Source): void {
    const matrix = spot.children.get('matrix');
    if (matrix !== undefined) {
      const message = 'an included file has no matrix of its own';
      const hint = 'Move it to the file that is played.';
      this.#error(['matrix'], matrix, { code: 'include', message, hint, onKey: true });
    }
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return;
    const message = `expected a map with buses, clients or traffic, got ${show(value)}`;
    this.#error([], emptySpot(source), { code: 'include', message });
  }

  #includes({ value, spot }: Part, source: Source, chain: readonly string[]): Part[] {
    const items = (value as { include?: unknown } | null)?.include;
    const list = spot.children.get('include');
    if (!Array.isArray(items) || list === undefined) return [];
    return items.flatMap((item: unknown, index): Part[] => {
      const at = list.children.get(index);
      if (typeof item !== 'string' || at === undefined) return [];
      if (this.#isBroken(['include', index])) return [];
      return this.#include(included(item, source.file), ['include', index], at, chain);
    });
  }

  #include(file: string, path: Path, at: SourceNode, chain: readonly string[]): Part[] {
    if (steeringIn(file) !== undefined) {
      this.#error(path, at, steering("the file's name"));
      return [];
    }
    const round = chain.findIndex((each) => placeOf(each) === placeOf(file));
    if (round >= 0) {
      const circle = [...chain.slice(round), file].join(' → ');
      this.#error(path, at, { code: 'include', message: `these files include each other: ${circle}` });
      return [];
    }
    if (this.#added.has(placeOf(file))) return [];
    if (this.#added.size >= LIMITS.files.most) {
      const message = `a topology is made of ${LIMITS.files.most} files at most`;
      this.#error(path, at, { code: 'too-big', message });
      this.fatal = true;
      return [];
    }
    const opened = this.#library.open(file, { source: at.source, span: at.value });
    if (!('words' in opened)) return [this.add(opened, chain)];
    const { code, message, hint: own } = opened.words;
    const relative = 'Names of included files are relative to the file that includes them.';
    const hint = code === 'include' ? own : relative;
    this.#error(path, at, { code, message: `cannot include ${show(file)}: ${message}`, hint });
    this.fatal = true;
    return [];
  }

  /**
   * Whether `path` has an error. The files to include are not known then, so the rest cannot be checked in a useful
   * way.
   */
  #isBroken(path: Path): boolean {
    const broken = this.found.some((each) => formatPath(each.path) === formatPath(path));
    this.fatal ||= broken;
    return broken;
  }

  #error(path: Path, { source, key, value }: SourceNode, words: DiagnosticText): void {
    const range = source.range(words.onKey && key !== undefined ? key : value);
    this.found.push({ diagnostic: diagnostic('error', range, path, words, inclusion(source)), path });
  }
}

const emptySpot = (source: Source): SourceNode => ({
  source,
  value: [0, 1],
  isCollection: true,
  children: new Map(),
});
