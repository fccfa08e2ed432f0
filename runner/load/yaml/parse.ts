// SPDX-License-Identifier: MIT
/** Turns text into a YAML document, or into its syntax errors. */
import { type Document, isCollection, Lexer, parseDocument, visit, type YAMLError } from 'yaml';
import type { DiagnosticText, Path } from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { CLOSER, tooDeep, unquoted, wordsOf } from './complaints.ts';
import type { Source } from './source.ts';

/** Offsets in the text. */
export type Span = readonly [start: number, end: number];

export interface Found {
  readonly span: Span;
  readonly path: Path;
  readonly words: DiagnosticText;
}

/** No useful file nests deeper, and recursion over the values needs little of the stack. */
export const MAX_DEPTH = LIMITS.depth.most;
/** A text that is no YAML at all has an error on every line. */
const MAX_ERRORS = 20;

export type Parsed = { readonly document: Document.Parsed } | { readonly errors: readonly Found[] };

/** Parses at most `most` tokens; also returns how many there are. */
export function parse(source: Source, most: number): Parsed & { readonly tokens: number } {
  const { tokens, excess } = lookAhead(source.text, most);
  if (excess === undefined) return { tokens, ...parsed(source) };
  return { tokens, errors: [{ span: [0, 1], path: [], words: excess }] };
}

function parsed({ text: source, lines: lineCounter }: Source): Parsed {
  const { stackTraceLimit } = Error;
  try {
    // The parser creates an error object for each mistake, and nobody needs their stacks.
    Error.stackTraceLimit = 0;
    // construct.ts checks the keys, in linear time.
    const document = parseDocument(source, { lineCounter, prettyErrors: false, uniqueKeys: false });
    const bad = [...document.errors, ...document.warnings];
    if (bad.length === 0) return { document };
    const { found, rest } = source.includes('${') ? unquotedIn(source) : { found: [], rest: source };
    const errors = found.length > 0 ? [...found, ...errorsIn(rest)] : errorsOf(document, bad, source);
    return { errors: errors.toSorted((a, b) => a.span[0] - b.span[0]) };
  } catch (error) {
    // Stack overflow is the only error that the parser throws.
    if (!(error instanceof RangeError)) throw error;
    return { errors: [{ span: [0, 1], path: [], words: tooDeep(MAX_DEPTH) }] };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/**
 * Counts tokens before they are parsed: parsing takes ten times as long, and much longer still for a text that is no
 * YAML.
 */
function lookAhead(
  source: string,
  most: number,
): { readonly tokens: number; readonly excess?: DiagnosticText } {
  let [tokens, depth, dashes] = [0, 0, 0];
  for (const token of new Lexer().lex(source)) {
    if (++tokens > most) return { tokens: most, excess: TOO_MUCH };
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth = Math.max(0, depth - 1);
    else if (token === '-') dashes++;
    else if (token.includes('\n')) dashes = 0;
    if (depth > MAX_OPEN || dashes > MAX_OPEN) return { tokens, excess: tooDeep(MAX_DEPTH) };
  }
  return { tokens };
}

/** Unclosed brackets are reported one by one, so a few too many are not reported as deep nesting. */
const MAX_OPEN = 10 * LIMITS.depth.most;

const TOO_MUCH: DiagnosticText = {
  code: 'too-big',
  message: `the topology has more than ${LIMITS.tokens.most} words and marks of YAML`,
  hint: 'Use replicas and count instead of writing everything out.',
};

const VARIABLE = /\$\{[^{}\n]*\}/g;

/** Variables without quotes in flow collections, and the text with harmless characters in their place. */
function unquotedIn(source: string): { found: Found[]; rest: string } {
  const rest = source.replace(VARIABLE, (all) => '_'.repeat(all.length));
  const spans: Span[] = [];
  visit(parseDocument(rest, { uniqueKeys: false }), {
    Scalar: (_, node, path) => {
      const inFlow = path.some((each) => isCollection(each) && each.flow);
      const [start, end] = node.range ?? [0, 0];
      if (inFlow && node.type === 'PLAIN' && rest.slice(start, end) !== source.slice(start, end))
        spans.push([start, end]);
    },
  });
  const found = spans.map((span) => ({ span, path: [], words: unquoted(source.slice(...span)) }));
  return { found, rest };
}

function errorsIn(text: string): Found[] {
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false });
  return errorsOf(document, [...document.errors, ...document.warnings], text);
}

/** Returns one error per line, since others on the same line are usually consequences of the first. */
function errorsOf(document: Document.Parsed, bad: readonly YAMLError[], source: string): Found[] {
  const lines = new Set<number>();
  return bad.slice(0, MAX_ERRORS).flatMap(({ code, message, pos }) => {
    const { words, opener } = wordsOf(code, message);
    const span = (opener && openerBefore(document, opener, pos[0], source)) || pos;
    const line = source.lastIndexOf('\n', span[0] - 1);
    return lines.has(line) || !lines.add(line) ? [] : [{ span, path: [], words }];
  });
}

/** The innermost node that begins with `opener` and is still open at `offset`. */
function openerBefore(
  document: Document.Parsed,
  opener: string,
  offset: number,
  source: string,
): Span | undefined {
  let found: Span | undefined;
  visit(document, {
    Node: (_, node) => {
      const [start = 0, end = 0] = node.range ?? [];
      const closed = end > start + 1 && source[end - 1] === (CLOSER[opener] ?? opener);
      const open = source[start] === opener && !closed && start < offset && end >= offset - 1;
      if (open) found = [start, start + 1];
    },
  });
  return found;
}
