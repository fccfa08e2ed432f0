// SPDX-License-Identifier: MIT
/** Adds the texts of prose.ts to their keys in the JSON Schema, as descriptions. */

import { PROSE } from '../prose.ts';
import { isJson, type Json } from './json.ts';

/** Keys of the file itself with a fixed prefix. In a step, keys that match a pattern are short forms of a send. */
export const EXTENSIONS = 'x-*';

export class Descriptions {
  /** Keys without a description. */
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

  /** Visits a key, or an item or entry that is a map: everything in a file that a reader may ask about. */
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

/** A default has the meaning of the key that it is the default of. */
const meaningOf = (path: string): string =>
  path
    .replace(/^defaults\.(nodes|buses|groups|clients)\./, '$1.*.')
    .replace(/^defaults\.sends\./, 'traffic[].send.');

/** Markdown goes to a key of its own, which editors that can show it look for; the others show plain text. */
const wordsFor = (markdown: string): Json =>
  /[`<]/.test(markdown)
    ? { description: markdown.replaceAll('`', ''), markdownDescription: markdown }
    : { description: markdown };
