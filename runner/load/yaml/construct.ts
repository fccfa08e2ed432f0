// SPDX-License-Identifier: MIT
/** Turns a YAML document into plain values, with aliases and merges expanded, and a tree of where each is written. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar } from 'yaml';
import type { DiagnosticText, Path } from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { steeringIn } from '../../common/neutral.ts';
import { steering, tooDeep } from './complaints.ts';
import { type Found, MAX_DEPTH, type Span } from './parse.ts';
import type { Source } from './source.ts';
import { coreScalar, mayHoldVariable, substitute, type Use, type Variables } from './variables.ts';

/** Where a value is written, and how it got its value. */
export interface SourceNode {
  readonly source: Source;
  readonly value: Span;
  readonly key?: Span | undefined;
  readonly isCollection: boolean;
  readonly children: Map<string | number, SourceNode>;
  /** The text after variables were replaced, and their uses. */
  readonly text?: string;
  readonly uses?: readonly Use[];
  /** The part of the file that a value was inherited from: `defaults.clients`. */
  readonly inherited?: string;
}

/** Limit for the values that all aliases repeat together: far more than a real file needs, and still harmless. */
const MAX_REPEATED = LIMITS.repeated.most;

export interface Constructed {
  readonly value: unknown;
  readonly spot: SourceNode;
  readonly errors: readonly Found[];
  readonly fatal: boolean;
  /** Number of values. */
  readonly count: number;
}

const NO_CHILDREN: SourceNode['children'] = new Map();

/** Values and places of a document. Errors are returned, never thrown. */
export function construct(document: Document.Parsed, source: Source, variables: Variables): Constructed {
  return new Constructor(document, source, variables).construct();
}

class Constructor {
  readonly #document: Document.Parsed;
  readonly #source: Source;
  readonly #variables: Variables;
  readonly #errors: Found[] = [];
  /** Anchors so far: an alias means the last anchor of its name, and is never inside that itself. */
  readonly #anchors = new Map<string, Node>();
  #count = 0;
  #repeated = 0;
  /** Number of aliases that are being expanded. */
  #inside = 0;
  #full = false;

  constructor(document: Document.Parsed, source: Source, variables: Variables) {
    this.#document = document;
    this.#source = source;
    this.#variables = variables;
  }

  construct(): Constructed {
    const root = this.#node(this.#document.contents, [], undefined);
    return { ...root, errors: this.#errors, fatal: this.#full, count: this.#count };
  }

  #node(
    node: Node | null | undefined,
    path: Path,
    key: Span | undefined,
  ): { value: unknown; spot: SourceNode } {
    const value = spanOf(node) ?? (key ? [key[1], key[1] + 1] : [0, 1]);
    const isCollection = isMap(node) || isSeq(node);
    const children = isCollection ? new Map() : NO_CHILDREN;
    const spot: SourceNode = { source: this.#source, value, key, isCollection, children };
    if (this.#exhausted(path, value)) return { value: null, spot };
    if (isAlias(node)) return this.#alias(node.source, path, key, value);
    if (isScalar(node) && typeof node.value === 'string' && mayHoldVariable(node.value))
      return this.#variable(node as Scalar<string>, path, spot);
    const content = this.#content(node, path, spot);
    if (node?.anchor !== undefined) this.#anchors.set(node.anchor, node);
    return { value: content, spot };
  }

  #content(node: Node | null | undefined, path: Path, spot: SourceNode): unknown {
    if (isMap(node)) return this.#map(node.items as Pair[], path, spot);
    if (isSeq(node)) return this.#list(node.items as Node[], path, spot);
    return isScalar(node) ? node.value : null;
  }

  /** Replaces the variables of a scalar; a mistake is marked at its piece of the text. */
  #variable(node: Scalar<string>, path: Path, spot: SourceNode): { value: unknown; spot: SourceNode } {
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const { text, uses, mistakes } = substitute(node.value, this.#variables);
    for (const { piece, words } of mistakes) {
      const [start, end] = spot.value;
      const at = this.#source.text.indexOf(piece, start);
      this.#error(at >= start && at < end ? [at, at + piece.length] : spot.value, path, words);
    }
    if (uses.length === 0) return { value: text, spot };
    return { value: coreScalar(text), spot: { ...spot, text, uses } };
  }

  #alias(name: string, path: Path, key: Span | undefined, span: Span): { value: unknown; spot: SourceNode } {
    const target = this.#anchors.get(name);
    if (target !== undefined) {
      this.#inside++;
      const grown = this.#node(target, path, key);
      this.#inside--;
      return grown;
    }
    this.#error(span, path, {
      code: 'syntax',
      message: `unknown alias *${name}`,
      hint: `An alias repeats what an anchor (&${name}) has named above it.`,
    });
    return {
      value: null,
      spot: { source: this.#source, value: span, key, isCollection: false, children: NO_CHILDREN },
    };
  }

  #list(items: readonly Node[], path: Path, spot: SourceNode): unknown[] {
    return items.map((item, index) => {
      const child = this.#node(item, [...path, index], undefined);
      spot.children.set(index, child.spot);
      return child.value;
    });
  }

  #map(items: readonly Pair[], path: Path, spot: SourceNode): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    const merged: { value: unknown; spot: SourceNode }[] = [];
    for (const pair of items) {
      const keyNode = pair.key as Node | null;
      const span = spanOf(keyNode) ?? spot.value;
      const name = this.#key(keyNode, path, span);
      if (name === undefined) continue;
      const at = [...path, name];
      if (name.includes('${')) this.#error(span, at, variableKey(name));
      const child = this.#node(pair.value as Node | null, at, span);
      if (name === '<<') {
        merged.push(child);
      } else if (spot.children.has(name)) {
        this.#error(span, at, duplicate(name));
      } else {
        spot.children.set(name, name.includes('->') ? withEnds(child.spot, span) : child.spot);
        out[name] = child.value;
      }
    }
    for (const each of merged) this.#merge(each, path, out, spot);
    return out;
  }

  #key(node: Node | null, path: Path, span: Span): string | undefined {
    const name = isScalar(node)
      ? typeof node.value === 'string'
        ? node.value
        : (node.source ?? '')
      : undefined;
    if (name !== undefined && steeringIn(name) !== undefined)
      return this.#error(span, path, steering('a key'));
    if (name !== undefined && name !== '' && name !== '__proto__') return name;
    const message =
      name === undefined ? 'a key must be a plain word' : `${JSON.stringify(name)} cannot be a key`;
    return this.#error(span, path, { code: 'syntax', message, hint: 'Write `key: value`.' });
  }

  /** Expands `<<: *a` or `<<: [*a, *b]`: the map's own keys win, then those of the earlier source. */
  #merge(
    from: { value: unknown; spot: SourceNode },
    path: Path,
    out: Record<string, unknown>,
    spot: SourceNode,
  ): void {
    const { value, spot: source } = from;
    if (Array.isArray(value)) {
      value.forEach((each, index) => {
        const child = source.children.get(index);
        if (child !== undefined) this.#merge({ value: each, spot: child }, path, out, spot);
      });
    } else if (value !== null && typeof value === 'object') {
      for (const [name, each] of Object.entries(value)) {
        const child = source.children.get(name);
        if (child === undefined || spot.children.has(name)) continue;
        spot.children.set(name, child);
        out[name] = each;
      }
    } else {
      const message = '`<<` merges maps only';
      this.#error(source.key ?? source.value, [...path, '<<'], {
        code: 'wrong-type',
        message,
        hint: 'Write `<<: *anchor`.',
      });
    }
  }

  #exhausted(path: Path, span: Span): boolean {
    if (this.#full) return true;
    this.#count++;
    const deep = path.length > MAX_DEPTH;
    if (this.#inside > 0) this.#repeated++;
    if (!deep && this.#repeated <= MAX_REPEATED) return false;
    this.#full = true;
    const many = {
      code: 'too-big',
      message: `the aliases of this file repeat more than ${MAX_REPEATED} values`,
      hint: 'Write fewer aliases of aliases.',
    } as const;
    this.#error(span, path, deep ? tooDeep(MAX_DEPTH) : many);
    return true;
  }

  #error(span: Span, path: Path, words: DiagnosticText): undefined {
    if (this.#errors.length < LIMITS.mistakes.most) this.#errors.push({ span, path, words });
  }
}

const spanOf = (node: Node | null | undefined): Span | undefined =>
  node?.range ? [node.range[0], node.range[1]] : undefined;

/** Gives the two names of `camera -> lidar: …` places of their own, as `from` and `to`. */
function withEnds(spot: SourceNode, [start, end]: Span): SourceNode {
  const source = spot.source.text;
  const [, left = '', from = '', middle = '', to = ''] =
    /^(["'\s]*)(.*?)(\s*->\s*)(.*?)["'\s]*$/.exec(source.slice(start, end)) ?? [];
  const leaf = (at: number, text: string): SourceNode => ({
    source: spot.source,
    value: [at, at + text.length],
    isCollection: false,
    children: NO_CHILDREN,
  });
  const second = start + left.length + from.length + middle.length;
  const ends: [string, SourceNode][] = [
    ['from', leaf(start + left.length, from)],
    ['to', leaf(second, to)],
  ];
  return { ...spot, children: new Map(ends) };
}

const variableKey = (name: string): DiagnosticText => ({
  code: 'bad-value',
  message: 'a variable cannot stand in a key',
  hint: name.includes('->')
    ? 'Write the send in its long form: send: { from: …, to: "${VAR}" }.'
    : 'Variables stand in values.',
});

const duplicate = (name: string): DiagnosticText => ({
  code: 'duplicate-key',
  message: `${JSON.stringify(name)} is there twice`,
  hint: `Remove or rename one; the first is the one that counts.`,
});
