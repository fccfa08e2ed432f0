// SPDX-License-Identifier: MIT
/** Turns `matrix:` into the combinations in which the file is played. */
import { isMap as isYamlMap } from 'yaml';
import type { Diagnostic, DiagnosticText, Path } from '../../common/diagnostic.ts';
import { LIMITS } from '../../common/limits.ts';
import { steeringIn } from '../../common/neutral.ts';
import { show } from '../../common/text.ts';
import { diagnostic } from '../diagnostic/index.ts';
import { steering } from './complaints.ts';
import { construct, type SourceNode } from './construct.ts';
import type { Opened } from './library.ts';
import { isMap } from './merge.ts';
import type { Variables } from './variables.ts';

/** Variable → value. */
export type Combination = Readonly<Record<string, string>>;

/** More combinations are a mistake, or better split into several files. */
const MAX_COMBINATIONS = LIMITS.combinations.most;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export type Matrix =
  | { readonly combinations: readonly [Combination, ...Combination[]] }
  | { readonly diagnostics: readonly Diagnostic[] };

/** Returns one empty combination if the file has no matrix. A variable in `set` has only that value. */
export function readMatrix(
  { source, parsed }: Opened,
  variables: Variables,
  set: Readonly<Record<string, string>>,
): Matrix {
  const contents = 'document' in parsed ? parsed.document.contents : null;
  if (!('document' in parsed) || !isYamlMap(contents) || !contents.has('matrix'))
    return { combinations: [{}] };
  const { value, spot } = construct(parsed.document, source, variables);
  const diagnostics: Diagnostic[] = [];
  const complain = (path: Path, at: SourceNode, words: DiagnosticText) => {
    const range = at.source.range(words.onKey && at.key !== undefined ? at.key : at.value);
    diagnostics.push(diagnostic('error', range, path, words));
  };
  const matrix = (value as { matrix?: unknown }).matrix;
  const at = spot.children.get('matrix') ?? spot;
  const axes = axesOf(matrix, at, set, complain);
  const count = axes.reduce((product, [, values]) => product * values.length, 1);
  if (count > MAX_COMBINATIONS) {
    const product = axes.map(([, values]) => values.length).join(' × ');
    const message = `${product} = ${count} combinations; a file is played in ${MAX_COMBINATIONS} at most`;
    const hint = 'Drop values, or pin a variable with --set.';
    complain(['matrix'], at, { code: 'too-big', message, hint, onKey: true });
  }
  if (diagnostics.length > 0) return { diagnostics };
  return { combinations: product(axes) };
}

type Axis = readonly [name: string, values: readonly string[]];
type Complain = (path: Path, at: SourceNode, words: DiagnosticText) => void;

function axesOf(
  matrix: unknown,
  at: SourceNode,
  set: Readonly<Record<string, string>>,
  complain: Complain,
): Axis[] {
  if (!isMap(matrix) || Object.keys(matrix).length === 0) {
    const message = isMap(matrix) ? 'the matrix has no variable' : `expected a map, got ${show(matrix)}`;
    complain(['matrix'], at, {
      code: 'wrong-type',
      message,
      hint: 'Write matrix: { n: [2, 8, 32] }.',
      onKey: true,
    });
    return [];
  }
  return Object.entries(matrix).map(([name, values]) =>
    axisOf(name, values, at.children.get(name) ?? at, set, complain),
  );
}

function axisOf(
  name: string,
  values: unknown,
  spot: SourceNode,
  set: Readonly<Record<string, string>>,
  complain: Complain,
): Axis {
  const path = ['matrix', name];
  if (!NAME.test(name)) {
    const message = `${show(name)} is not the name of a variable`;
    const hint = 'Use letters, digits and underscores, and do not begin with a digit.';
    complain(path, spot, { code: 'bad-name', message, hint, onKey: true });
  }
  if (!Array.isArray(values) || values.length === 0) {
    const message = Array.isArray(values)
      ? 'there is no value'
      : `expected a list of values, got ${show(values)}`;
    complain(path, spot, { code: 'wrong-type', message, hint: `Write ${name}: [2, 8, 32].` });
    return [name, []];
  }
  const texts = values.map((value: unknown, n) =>
    textOf(value, [...path, n], spot.children.get(n) ?? spot, complain),
  );
  const seen = new Set<string>();
  const again = texts.findIndex((text) => seen.size === seen.add(text).size);
  if (again >= 0) {
    const message = `${show(values[again])} is there twice`;
    complain([...path, again], spot.children.get(again) ?? spot, { code: 'duplicate-name', message });
  }
  const given = set[name];
  if (Object.hasOwn(set, name) && given !== undefined) {
    if (steeringIn(given) !== undefined) complain(path, spot, steering('the value that --set gives'));
    return [name, [given]];
  }
  for (const n of texts.keys()) {
    if (steeringIn(texts[n] ?? '') !== undefined)
      complain([...path, n], spot.children.get(n) ?? spot, steering('this value'));
  }
  return [name, texts];
}

/** The text as written: 0x10 and 1.10 stay as they are. */
function textOf(value: unknown, path: Path, at: SourceNode, complain: Complain): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean')
    return at.text ?? at.source.text.slice(at.value[0], at.value[1]);
  complain(path, at, { code: 'wrong-type', message: `expected a text or a number, got ${show(value)}` });
  return '';
}

function product(axes: readonly Axis[]): [Combination, ...Combination[]] {
  const all = axes.reduce<Combination[]>(
    (combinations, [name, values]) =>
      combinations.flatMap((each) => values.map((value) => ({ ...each, [name]: value }))),
    [{}],
  );
  return all as [Combination, ...Combination[]];
}

/** `n=8 m=2`, for people. */
export const nameOfCombination = (combination: Combination, between = ' '): string =>
  Object.entries(combination)
    .map(([name, value]) => `${name}=${value}`)
    .join(between);
