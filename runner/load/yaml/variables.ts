// SPDX-License-Identifier: MIT
/**
 * `${VAR}`, `${VAR:-default}` and `$$` in a scalar. The result is read again as an unquoted YAML 1.2 core scalar,
 * whether the original had quotes or not: a flow map needs them (`{ replicas: "${n}" }`), and still means a number.
 */

import type { DiagnosticText } from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { didYouMean } from '../../common/nearest.ts';

/** What gives a variable its value. */
export type Origin = '--set' | 'the matrix';

export interface Variable {
  readonly value: string;
  readonly origin: Origin;
}

export interface Variables {
  (name: string): Variable | undefined;
  /** Names that the file or command line gives a value to, for suggestions. */
  readonly known?: readonly string[];
}

/** A variable in a scalar, for diagnostics and `config --explain`. */
export interface Use {
  readonly name: string;
  readonly value: string;
  readonly origin: Origin | 'its default';
}

export interface Substituted {
  readonly text: string;
  readonly uses: readonly Use[];
  /** A mistake, and the piece of the text that it is in. */
  readonly mistakes: readonly { readonly piece: string; readonly words: DiagnosticText }[];
}

const PIECE = /\$\$|\$\{([^{}]*)\}?/g;
const REFERENCE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

export const mayHoldVariable = (text: string): boolean => text.includes('$$') || text.includes('${');

/** Replaces the variables by their values. */
export function substitute(text: string, variables: Variables): Substituted {
  const uses: Use[] = [];
  const mistakes: { piece: string; words: DiagnosticText }[] = [];
  const out = text.replace(PIECE, (piece: string, inside: string | undefined) => {
    if (inside === undefined) return '$';
    if (mistakes.length >= LIMITS.diagnostics.most) return piece;
    const [, name, otherwise] = (piece.endsWith('}') && REFERENCE.exec(inside)) || [];
    if (name === undefined) {
      mistakes.push({ piece, words: malformed(piece, inside) });
      return piece;
    }
    const found = variables(name);
    const value = found?.value ?? otherwise;
    if (value === undefined) {
      mistakes.push({ piece, words: unset(name, variables.known ?? []) });
      return piece;
    }
    uses.push({ name, value, origin: found?.origin ?? 'its default' });
    return value;
  });
  return { text: out, uses, mistakes };
}

function malformed(piece: string, inside: string): DiagnosticText {
  const message = piece.endsWith('}')
    ? `${JSON.stringify(piece)} is not a variable`
    : 'this ${ is never closed';
  const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(inside)?.[0] ?? 'VAR';
  const hint = `Write \${${name}} or \${${name}:-default}; a plain $ before a { is $$.`;
  return { code: 'bad-value', message, hint };
}

function unset(name: string, known: readonly string[]): DiagnosticText {
  const message = `the variable ${name} is not set`;
  const near = didYouMean(name, known);
  const hint = `${near === undefined ? '' : `${near} `}Give it with --set ${name}=value, or with --set ${name} from the environment, or write a default: \${${name}:-value}.`;
  return { code: 'unset-variable', message, hint };
}

/** The value of a plain scalar in YAML 1.2's core schema. */
export function coreScalar(text: string): string | number | boolean | null {
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  if (/^[-+]?\d+$|^0o[0-7]+$|^0x[0-9a-fA-F]+$/.test(text)) return Number(text);
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) return Number(text);
  return text;
}
