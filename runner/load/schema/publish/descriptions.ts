// SPDX-License-Identifier: MIT
/** Puts the words of prose.ts at their keys, as descriptions. */

import { PROSE } from '../prose.ts';
import { isJson, type Json } from './json.ts';

/** Keys of the file itself of which only the beginning is fixed; those of a step are short forms of a send. */
export const EXTENSIONS = 'x-*';

export class Words {
  /** Keys without words. */
  readonly missing: string[] = [];
  readonly #used = new Set<string>();
  readonly #visited = new Set<unknown>();
  readonly #defs: Readonly<Record<string, Json>>;

  constructor(defs: Readonly<Record<string, Json>>) {
    this.#defs = defs;
  }

  unused(): string[] {
    return Object.keys(PROSE).filter((path) => !this.#used.has(path));
  }

  /** A key, or an item or entry that is a map: whatever one can point at in a file and ask about. */
  visit(json: Json, path: string): void {
    this.#describe(json, path);
    this.#inside(json, path);
  }

  #describe(json: Json, path: string): void {
    const meaning = meaningOf(path);
    const words = PROSE[meaning];
    this.#used.add(meaning);
    if (words === undefined) this.missing.push(path);
    else Object.assign(json, wordsFor(words));
  }

  #inside(json: Json, path: string): void {
    const def = typeof json.$ref === 'string' ? this.#defs[json.$ref.replace('#/$defs/', '')] : undefined;
    if (def !== undefined && !this.#visited.has(def)) {
      this.#visited.add(def);
      this.visit(def, path);
    }
    for (const option of (json.anyOf as Json[] | undefined) ?? []) this.#inside(option, path);
    for (const [key, value] of Object.entries((json.properties as Json | undefined) ?? {}))
      this.visit(value as Json, path === '' ? key : `${path}.${key}`);
    for (const value of Object.values((json.patternProperties as Json | undefined) ?? {}))
      this.visit(value as Json, path === '' ? EXTENSIONS : `${path}.->`);
    if (isJson(json.additionalProperties)) this.#entry(json.additionalProperties, `${path}.*`);
    if (isJson(json.items)) this.#entry(json.items, `${path}[]`);
  }

  #entry(json: Json, path: string): void {
    const isMap = [json, ...((json.anyOf as Json[] | undefined) ?? [])].some((each) => each.properties);
    if (isMap) this.#describe(json, path);
    this.#inside(json, path);
  }
}

/** A default means what the key means that it is a default for. */
const meaningOf = (path: string): string =>
  path
    .replace(/^defaults\.(nodes|buses|groups|clients)\./, '$1.*.')
    .replace(/^defaults\.sends\./, 'traffic[].send.');

/** Not every editor reads Markdown: it goes under a key of its own, which those that do look for. */
const wordsFor = (markdown: string): Json =>
  /[`<]/.test(markdown)
    ? { description: markdown.replaceAll('`', ''), markdownDescription: markdown }
    : { description: markdown };
