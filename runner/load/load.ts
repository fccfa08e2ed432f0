// SPDX-License-Identifier: MIT
/** Turns a `*.topo.yaml` file into a Topology, or reports everything that is wrong with it at once. */
import type { Diagnostic } from '../common/diagnostic.ts';
import { didYouMean } from '../common/nearest.ts';
import { steeringIn } from '../common/neutral.ts';
import type { Contradictions } from '../predict/index.ts';
import type { Topology } from '../topology/topology.ts';
import { check, checkParallel } from './check/index.ts';
import { byPlace, diagnostic, Problems, wholeFile } from './diagnostic/index.ts';
import { resolve, Tally } from './resolve/index.ts';
import { validate } from './schema/index.ts';
import {
  type Combination,
  compose,
  folderOf,
  Library,
  nameOfCombination,
  type Opened,
  type Read,
  readBelow,
  readMatrix,
  steering,
  syntaxErrors,
  type Tree,
  type Variables,
} from './yaml/index.ts';

export interface LoadOptions {
  /** The file's text, if it must not be read from disk. */
  readonly source?: string;
  /**
   * Values of variables. A file sees only these and its own; a matrix variable that is set here has only this value.
   */
  readonly set?: Readonly<Record<string, string>>;
  /** Turns warnings into errors. */
  readonly strict?: boolean;
  /** Reads included files, and the file itself if `source` is absent. */
  readonly read?: Read;
}

export interface Loaded {
  /** One per combination of the matrix; none if there is an error. */
  readonly topologies: readonly Topology[];
  /** The first topology. */
  readonly topology?: Topology;
  /** The expectations of each topology that contradict the model. */
  readonly contradictions: ReadonlyMap<Topology, Contradictions>;
  /** Errors and warnings in order of place; if there is a topology, there are only warnings. */
  readonly diagnostics: readonly Diagnostic[];
  /** File → text, for `renderDiagnostics`. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Reads and resolves a topology file. Never throws because of the file's content. */
export function load(file: string, options: LoadOptions = {}): Loaded {
  const { trees: _, ...loaded } = loadTrees(file, options);
  if (!options.strict || loaded.diagnostics.length === 0) return loaded;
  const diagnostics = loaded.diagnostics.map((each) => ({ ...each, severity: 'error' as const }));
  return { topologies: [], contradictions: new Map(), diagnostics, sources: loaded.sources };
}

/** Also returns, for each topology, the tree of values that it was made of. */
export function loadTrees(
  file: string,
  options: LoadOptions = {},
): Loaded & { readonly trees: readonly Tree[] } {
  const { source, set = {} } = options;
  const library = new Library(options.read ?? readBelow(folderOf(file)));
  const failed = (diagnostics: readonly Diagnostic[]) => ({
    topologies: [],
    contradictions: new Map(),
    trees: [],
    diagnostics,
    sources: library.sources,
  });
  if (steeringIn(file) !== undefined)
    return failed([diagnostic('error', wholeFile(file), [], steering("the file's name"))]);
  const main = library.open(file, undefined, source);
  if ('words' in main) return failed([diagnostic('error', wholeFile(file), [], main.words)]);
  if ('errors' in main.parsed) return failed(syntaxErrors(main).map((each) => each.diagnostic));
  const outer = lookup(set);
  const matrix = readMatrix(main, outer, set);
  if ('diagnostics' in matrix) return failed(matrix.diagnostics);
  const used = new Set<string>(Object.keys(matrix.combinations[0]));
  const tally = new Tally(matrix.combinations.length);
  const runs: One[] = [];
  for (const each of matrix.combinations) {
    runs.push(loadOne(library, main, each, outer, used, tally));
    if (tally.full) break;
  }
  const loaded = together(file, runs, library);
  const failing = loaded.topology === undefined;
  const diagnostics = byPlace([...loaded.diagnostics, ...idle(file, set, used)], file, failing);
  return { ...loaded, diagnostics, trees: runs.map(({ tree }) => tree) };
}

function lookup(set: Readonly<Record<string, string>>): Variables {
  const look = (name: string) =>
    Object.hasOwn(set, name) ? ({ value: set[name] ?? '', origin: '--set' } as const) : undefined;
  return Object.assign(look, { known: Object.keys(set) });
}

/** Reports variables that `--set` gives and nothing uses: such a slip would go unnoticed. */
function idle(file: string, set: Readonly<Record<string, string>>, used: ReadonlySet<string>): Diagnostic[] {
  const names = Object.keys(set).filter((name) => !used.has(name));
  return names.map((name) => {
    const message = `nothing uses the variable ${name} that --set gives`;
    return diagnostic('warning', wholeFile(file), [], {
      code: 'unused',
      message,
      ...(used.size > 0 && { expected: `variables of this file: ${[...used].join(', ')}` }),
      hint: didYouMean(name, used),
    });
  });
}

interface One {
  readonly combination: Combination;
  readonly tree: Tree;
  readonly topology?: Topology;
  readonly contradictions?: Contradictions;
  readonly diagnostics: readonly Diagnostic[];
}

/** Adds the variables that the file names to `usedByAny`. */
function loadOne(
  library: Library,
  main: Opened,
  combination: Combination,
  outer: Variables,
  usedByAny: Set<string>,
  tally: Tally,
): One {
  const used = new Set<string>();
  const inner = (name: string) => {
    used.add(name);
    usedByAny.add(name);
    const found = outer(name);
    if (!Object.hasOwn(combination, name) || found?.origin === '--set') return found;
    return { value: combination[name] ?? '', origin: 'the matrix' } as const;
  };
  const known = [...Object.keys(combination), ...(outer.known ?? [])];
  const variables: Variables = Object.assign(inner, { known });
  const { tree, found, fatal, count } = compose(library, main, variables);
  const problems = new Problems(tree);
  for (const { diagnostic: each, path } of found) if (!problems.enough) problems.adopt(each, path);
  if (fatal) return { combination, tree, diagnostics: problems.sorted() };
  if (!tally.fitsAll(count, ['matrix'], problems))
    return { combination, tree, diagnostics: problems.sorted() };
  if (tree.value === null) return { combination, tree, diagnostics: [empty(tree.file)] };
  for (const name of Object.keys(combination).filter((each) => !used.has(each))) {
    const message = `nothing uses the variable ${name}: all its combinations are the same`;
    const hint = `Write "\${${name}}" where its value belongs.`;
    problems.warning(['matrix', name], { code: 'unused', message, hint, onKey: true });
  }
  const written = validate(tree, problems);
  // With that many errors there may be more broken parts than those that are known.
  if (problems.enough) return { combination, tree, diagnostics: problems.sorted() };
  const resolved = resolve({ written, tree, problems, tally }, combination, checkParallel);
  const contradictions = check(resolved);
  const diagnostics = problems.sorted();
  return problems.failed
    ? { combination, tree, diagnostics }
    : { combination, tree, diagnostics, topology: freeze(resolved.topology), contradictions };
}

/**
 * Shows a diagnostic once if all combinations have it; if only some have it, names the first of them. What one combination
 * uses is not unused.
 */
function together(file: string, runs: readonly One[], library: Library): Loaded {
  const { sources } = library;
  const topologies = runs.flatMap(({ topology }) => topology ?? []);
  const contradictions = new Map(
    runs.flatMap(({ topology, contradictions }) =>
      topology && contradictions ? [[topology, contradictions] as const] : [],
    ),
  );
  const [only] = runs;
  if (runs.length === 1 && only !== undefined) {
    const { diagnostics, topology } = only;
    return { topologies, contradictions, diagnostics, sources, ...(topology && { topology }) };
  }
  const failed = topologies.length < runs.length;
  const said = new Map<string, { first: Diagnostic; combination: Combination; count: number }>();
  for (const { diagnostics, combination } of runs) {
    for (const each of diagnostics) {
      const key = `${each.file}:${each.line}:${each.column}:${each.message}`;
      const known = said.get(key);
      if (known === undefined) said.set(key, { first: each, combination, count: 1 });
      else known.count++;
    }
  }
  const list = [...said.values()].flatMap(({ first, combination, count }) => {
    if (count === runs.length) return first;
    if (first.code === 'unused') return [];
    const note = `in the combination ${nameOfCombination(combination)}`;
    return { ...first, notes: [...(first.notes ?? []), note] };
  });
  const [topology] = topologies;
  const diagnostics = byPlace(list, file, failed);
  return failed || topology === undefined
    ? { topologies: [], contradictions, diagnostics, sources }
    : { topologies, topology, contradictions, diagnostics, sources };
}

const empty = (file: string): Diagnostic =>
  diagnostic('error', wholeFile(file), [], {
    code: 'empty',
    message: 'the file is empty',
    hint: 'The smallest topology is buses: { cabin: {} }.',
  });

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value))
    return value;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
  return value;
}
