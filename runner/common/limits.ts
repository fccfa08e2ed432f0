// SPDX-License-Identifier: MIT
/**
 * The limits on what is taken from files and nodes. docs/limits.md has this table, and a spec compares the two: a limit
 * that is not documented is a trap, and one that is not checked has no effect.
 */

export interface Limit {
  readonly most: number;
  /** What is limited: a row of the page. */
  readonly what: string;
  /** What happens beyond the limit. */
  readonly over: string;
}

const MIB = 1024 * 1024;
const BROKEN = 'an environment error that names the node';
const INVALID = 'an error of the file';

export const LIMITS = {
  fileBytes: {
    most: 2 * MIB,
    what: 'bytes of a topology file, together with all that it includes',
    over: INVALID,
  },
  files: {
    most: 100,
    what: 'files that a topology is made of, however deep they include each other',
    over: INVALID,
  },
  tokens: {
    most: 250_000,
    what: 'tokens of YAML in these files together: words, marks, blanks and line ends',
    over: INVALID,
  },
  depth: { most: 60, what: 'levels of nested values', over: INVALID },
  repeated: { most: 100_000, what: 'values that aliases repeat, all together', over: INVALID },
  combinations: { most: 256, what: 'combinations of a matrix', over: INVALID },
  values: {
    most: 500_000,
    what: 'values of a topology, those that aliases repeat too, times the combinations of its matrix',
    over: INVALID,
  },
  clients: {
    most: 20_000,
    what: 'clients of a file, replicas and all combinations of its matrix counted',
    over: INVALID,
  },
  clientParts: {
    most: 200_000,
    what: 'groups, addresses, names and rules of these clients, and patterns that may admit each',
    over: INVALID,
  },
  messages: {
    most: 1_000_000,
    what: 'messages that a file sends, in all combinations of its matrix',
    over: INVALID,
  },
  copies: {
    most: 5_000_000,
    what: 'copies of these messages: each times the clients that may get it',
    over: INVALID,
  },
  dbusBytes: {
    most: 256 * MIB,
    what: 'bytes of paths, arguments and rules in messages of message buses, each times the clients that may get it',
    over: INVALID,
  },
  filterSteps: {
    most: 50_000_000,
    what: 'instructions of socket filters, and rules: those of each client times the copies that it may get',
    over: INVALID,
  },
  pipes: {
    most: 4000,
    what: 'descriptors that a step passes: those of each message, times the messages',
    over: INVALID,
  },
  branchClients: {
    most: 1_000_000,
    what: 'branches that play at once, each times the clients of the file',
    over: INVALID,
  },
  stepClients: {
    most: 50_000_000,
    what: 'steps in all combinations of a matrix, each times the clients: after a step each client is asked',
    over: INVALID,
  },
  diagnostics: { most: 500, what: 'mistakes of a file that are reported', over: 'the others are counted' },
  mistakes: {
    most: 2000,
    what: 'mistakes of a file that are looked for',
    over: 'the rest of the file is not looked at',
  },
  suggestions: { most: 100, what: 'mistakes with a "did you mean"', over: 'the others have none' },
  wordsLength: {
    most: 2000,
    what: 'characters of the path, the message or the hint of a diagnostic',
    over: 'the end is left out',
  },
  bufferBytes: { most: 256 * MIB, what: "bytes of a client's `buffer`", over: INVALID },
  reportBytes: { most: 16 * MIB, what: 'bytes of one report of a node', over: BROKEN },
  runBytes: { most: 1024 * MIB, what: 'bytes of all that a node reports in a run', over: BROKEN },
  deliveries: {
    most: 20_000_000,
    what: 'deliveries that the nodes of a run report, fences among them',
    over: BROKEN,
  },
  traceBytes: {
    most: 2048 * MIB,
    what: "bytes of a run's trace in its folder of artifacts",
    over: 'a warning, and no trace is kept',
  },
  artifactBytes: {
    most: 64 * MIB,
    what: 'bytes of every other file in that folder: report, verdict, sequence',
    over: 'a warning, and the file is not kept',
  },
  logBytes: {
    most: 256 * MIB,
    what: 'bytes of the logs in that folder, all together: what processes of the run wrote to stderr',
    over: 'the newest are kept',
  },
  foldersBytes: {
    most: 16_384 * MIB,
    what: 'bytes of the folders of all combinations and repeats of a file, all together',
    over: 'a warning, and the file is not kept',
  },
  runsBytes: {
    most: 8192 * MIB,
    what: 'bytes of the runs that are kept without `--artifacts`, which are 20 at most',
    over: 'the newest are kept, the last in any case',
  },
  consoleBytes: {
    most: 2 * MIB,
    what: "bytes of a host's console that are kept on disk",
    over: 'the newest are kept',
  },
  outputBytes: {
    most: MIB,
    what: 'bytes that a program of a message bus writes to its standard output',
    over: 'the program is killed, and the run fails',
  },
  documentBytes: {
    most: 64 * MIB,
    what: 'bytes of one JSON, JUnit, KTAP, GitHub or SARIF document about several files or combinations, before characters are escaped',
    over: 'each further one has its result, and the number of its mistakes and failures',
  },
  answerBytes: {
    most: 16 * MIB,
    what: 'bytes that a Docker Engine, or a command of the runner in a host, answers at once',
    over: 'an environment error',
  },
  stderrBytes: {
    most: 64 * 1024,
    what: "bytes of a node's stderr that are kept",
    over: 'the newest are kept',
  },
} as const satisfies Readonly<Record<string, Limit>>;
