// SPDX-License-Identifier: MIT
/** Prints the JSON Schema as a reference: a section for each kind of map, with a table of its keys. */

import {
  ADDRESS,
  BASE64,
  DURATION,
  HEX,
  NAME,
  RATE,
  SIZE,
  SIZE_RANGE,
  USER,
} from '../../../common/scalars.ts';
import { EXTENSIONS } from './descriptions.ts';
import { isJson, type Json } from './json.ts';

export function reference(schema: Json): string {
  const writer = new Writer(schema.$defs as Record<string, Json>);
  writer.section('The file', '', schema);
  return `${[HEAD, ...writer.sections].join('\n\n')}\n`;
}

const HEAD = `# Reference of the topology language

Every key of \`*.topo.yaml\`, made from the schema that validates it (\`afbus-topo schema --format
markdown\`). [topology.md](topology.md) says how the keys work together, [tutorial.md](tutorial.md)
how to begin. An asterisk marks a key that must be there. A variable may stand in place of any
value: \`\${n}\`, or \`\${n:-8}\` with a default.

| value | is written |
|---|---|
| name | lower-case letters, digits and dashes, at most 63, a letter first |
| size | \`64B\`, \`4KiB\`, \`1MiB\` |
| sizes | a size, or a range to draw from: \`64..4KiB\` |
| duration | \`50us\`, \`500ms\`, \`2s\`, \`1m\` |
| rate | \`2000/s\`, \`30/m\` |
| address | prefix and client part in hex: \`"0002/00000000f00d"\` |
| user | \`"1000:1000"\`, user id and group id |`;

const FORMS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    name: NAME,
    size: SIZE,
    sizes: SIZE_RANGE,
    duration: DURATION,
    rate: RATE,
    address: ADDRESS,
    user: USER,
    'hex digits': HEX,
    base64: BASE64,
  }).map(([words, form]) => [form.source, words]),
);

interface Key {
  readonly path: string;
  readonly name: string;
  readonly json: Json;
  readonly required: boolean;
}

class Writer {
  readonly sections: string[] = [];
  readonly #defs: Readonly<Record<string, Json>>;

  constructor(defs: Readonly<Record<string, Json>>) {
    this.#defs = defs;
  }

  section(title: string, path: string, json: Json): void {
    const keys = this.#keysOf(json, path);
    const rows = keys.map(
      (key) => `| ${this.#label(key)} | ${this.#value(key.json)} | ${wordsOf(key.json)} |`,
    );
    this.sections.push(
      [
        `## ${title}`,
        '',
        wrapped(wordsOf(json)),
        '',
        '| key | value | meaning |',
        '|---|---|---|',
        ...rows,
      ].join('\n'),
    );
    // The keys of a default have their sections elsewhere.
    if (path === 'defaults') return;
    for (const key of keys) this.#below(key);
  }

  /** Adds the sections of the maps inside a key. */
  #below({ path, json }: Key): void {
    const inner = this.#mapIn(json);
    if (inner === undefined) return;
    const at = inner.nesting === 'itself' ? path : `${path}${inner.nesting === 'entries' ? '.*' : '[]'}`;
    this.section(`\`${at}\``, at, inner.json);
  }

  /** The map that a value is, or that its entries or items are; of a choice, the first that has one. */
  #mapIn(json: Json): { json: Json; nesting: 'itself' | 'entries' | 'items' } | undefined {
    if (this.#keysOf(json, '').length > 0) return { json, nesting: 'itself' };
    const entries = isJson(json.additionalProperties) ? this.#mapIn(json.additionalProperties) : undefined;
    if (entries?.nesting === 'itself') return { json: entries.json, nesting: 'entries' };
    // The items of `parallel` are steps, which have their own section.
    const items =
      isJson(json.items) && !isChoice(json.items) ? this.#mapIn(this.#target(json.items)) : undefined;
    if (items?.nesting === 'itself') return { json: items.json, nesting: 'items' };
    const options = ((json.anyOf as Json[] | undefined) ?? []).map((each) => this.#mapIn(each));
    return options.find((each) => each !== undefined);
  }

  #target(json: Json): Json {
    const name = typeof json.$ref === 'string' ? json.$ref.replace('#/$defs/', '') : '';
    return this.#defs[name] ?? json;
  }

  /** The keys of a map and of all its alternatives, each once. */
  #keysOf(json: Json, path: string): Key[] {
    const required = (json.required as string[] | undefined) ?? [];
    const alternatives = ((json.anyOf as Json[] | undefined) ?? []).filter((each) => !each.$ref);
    const own = Object.entries((json.properties as Record<string, Json> | undefined) ?? {}).map(
      ([name, value]) => ({
        path: path === '' ? name : `${path}.${name}`,
        name,
        json: value,
        // The required key of an alternative tells it from the others, so leaving it out selects another one.
        required: required.includes(name) && json.title === undefined,
      }),
    );
    const patterns = Object.values((json.patternProperties as Record<string, Json> | undefined) ?? {}).map(
      (value) => ({ ...nameOfPattern(path), json: value, required: false }),
    );
    const named = path === '' ? [...own, ...patterns] : [...patterns, ...own];
    const all = [...named, ...alternatives.flatMap((each) => this.#keysOf(each, path))];
    const merged = [...Map.groupBy(all, ({ name }) => name).values()];
    return merged.map((same) => {
      const [first] = same as [Key];
      return same.length === 1 ? first : { ...first, json: together(same.map((key) => key.json)) };
    });
  }

  #label = ({ name, required }: Key): string => `\`${name}\`${required ? ' *' : ''}`;

  #value(json: Json): string {
    if (typeof json.$ref === 'string') return json.$ref === '#/$defs/variable' ? '' : 'step';
    if (Array.isArray(json.anyOf)) return this.#options(json).join(' or ');
    if (Array.isArray(json.enum)) return (json.enum as string[]).map((word) => `\`${word}\``).join(', ');
    if (json.const !== undefined) return `\`${json.const}\``;
    return this.#typed(json);
  }

  /** What a choice allows, each once, with the choices inside it. */
  #options(json: Json): string[] {
    const options = ((json.anyOf as Json[] | undefined) ?? []).flatMap((each) =>
      Array.isArray(each.anyOf) ? this.#options(each) : [this.#value(each)],
    );
    return [...new Set(options)].filter((each) => each !== '' && each !== 'nothing');
  }

  #typed(json: Json): string {
    switch (json.type) {
      case 'array':
        return isJson(json.items) ? `list of ${grouped(this.#value(json.items))}` : 'list';
      case 'object':
        return isJson(json.additionalProperties) && !json.properties
          ? `name → ${this.#value(json.additionalProperties)}`
          : 'map';
      case 'integer':
        return json.minimum === undefined ? 'number' : `${json.minimum} … ${json.maximum}`;
      case 'boolean':
        return '`true`, `false`';
      case 'string':
        return formOf(json.pattern) ?? 'text';
      case 'null':
        return 'nothing';
      default:
        if (Object.keys(json).every((key) => DESCRIPTIONS.includes(key))) return 'any value';
        return Array.isArray(json.type) ? (json.type as string[]).map(plain).join(' or ') : 'text or number';
    }
  }
}

const DESCRIPTIONS: readonly string[] = ['description', 'markdownDescription'];

const nameOfPattern = (path: string): Pick<Key, 'path' | 'name'> =>
  path === ''
    ? { path: EXTENSIONS, name: EXTENSIONS }
    : { path: `${path}.->`, name: 'sender -> destination' };

const isChoice = (json: Json): boolean => Array.isArray(json.anyOf) && json.properties === undefined;

/** Combines a key that means something else in each alternative: one description, and all keys of the alternatives. */
const together = (schemas: readonly Json[]): Json => ({
  ...(schemas[0] as Json),
  ...(new Set(schemas.map((each) => JSON.stringify(each))).size > 1 && {
    properties: undefined,
    anyOf: schemas,
  }),
});

function formOf(pattern: unknown): string | undefined {
  if (typeof pattern !== 'string') return undefined;
  for (const [form, words] of FORMS) if (pattern === form || pattern.startsWith(`${form}|`)) return words;
  return undefined;
}

/** A choice inside a list, so that it does not read as a choice between the list and something else. */
const grouped = (value: string): string => (value.includes(' or ') ? `(${value})` : value);

const plain = (type: string): string => (type === 'string' ? 'text' : type);

const wordsOf = (json: Json): string =>
  String(json.markdownDescription ?? json.description ?? '').replace(/\|/g, '\\|');

/** Wraps a paragraph at 100 characters; a longer word stands alone on its line. */
const wrapped = (text: string): string => text.replace(/(?=\S)(.{1,100}|\S+)(?: +|$)/g, '$1\n').trimEnd();
