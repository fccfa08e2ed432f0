// SPDX-License-Identifier: MIT
/** Unmodified programs as clients of message buses, and the steps about them, from their written form. */
import type { Path } from '../../../common/diagnostic.ts';
import { duration } from '../../../common/scalars.ts';
import {
  needsEnd,
  type ProgramExpect,
  type ProgramSpec,
  type ProgramStep,
} from '../../../topology/program.ts';
import {
  commandHint,
  type Scope,
  type WrittenClient,
  type WrittenFault,
  type WrittenOutcome,
  type WrittenRun,
} from '../scope.ts';
import type { StepContext } from '../step-context.ts';
import { refuse } from './parties.ts';
import { faultOf, mayStand } from './steps.ts';

const PROGRAM = 'program';
/** Why a branch has no step about one. */
const UNKNOWN =
  'the model does not know what a program does meanwhile, so nothing could be expected of the other branches';
/** An upper limit that a program which works never needs, even if the machine is emulated. */
const DEFAULT_WITHIN = 60_000;

interface Expectation {
  readonly exit?: number | undefined;
  readonly output?: string | readonly string[] | undefined;
  readonly within?: string | undefined;
}

/** Program → what is known of its latest run at this step. */
export type Runs = Map<string, Run>;

interface Run {
  /** `unknown`: nothing says yet whether it has ended. */
  readonly state: 'unknown' | 'ended' | 'killed';
  /** The step that starts it. */
  readonly path: Path;
  /** Whether anything is expected of it. */
  readonly judged: boolean;
}

export function programClient(
  scope: Scope,
  name: string,
  client: NonNullable<WrittenClient>,
  { bus, node }: { readonly bus: string; readonly node: string },
  path: Path,
): void {
  refuse(
    scope,
    client,
    ['connect', 'match', 'names', 'answers'],
    path,
    'a client with a `program` does not have this key: the program itself connects and subscribes',
  );
  scope.names.declare(PROGRAM, name, path);
  const argv = (client.program ?? []) as unknown as ProgramSpec['argv'];
  warnOfLine(scope, argv[0], [...path, 'program', 0]);
  scope.programs.set(name, { name, bus, node, argv, place: scope.tree.place([...path, 'program']) });
}

/** Warns of a whole command line in the place of the program: no program has such a name. */
function warnOfLine({ problems }: Scope, program: string, path: Path): void {
  if (!/\s/.test(program)) return;
  const message = 'this item is a whole command line: the first item must be the program alone';
  problems.warning(path, { code: 'bad-value', message, hint: commandHint(program) });
}

/** `run: caller` */
export function runStep(where: StepContext, { run: client, expect }: WrittenRun): ProgramStep | undefined {
  const { scope, path } = where;
  const at = [...path, 'run'];
  if (scope.names.find(client, [PROGRAM], at) === undefined) return undefined;
  if (!mayStand(where, { do: 'run' }, 'run', UNKNOWN)) return undefined;
  const before = scope.runs.get(client);
  if (before?.state === 'unknown') {
    const message = `"${client}" may still run: it was started at line ${scope.tree.place(before.path).line}`;
    scope.problems.error(at, {
      ...{ code: 'impossible', message },
      hint: 'Expect its exit before this step, or kill it: fault: { kill: … }.',
    });
  }
  if (before?.judged === false) unjudged(scope, before);
  scope.runs.set(client, { state: 'unknown', path, judged: false });
  return stepOf(where, 'run', client, expect);
}

/** `expect: { client, exit, output }` */
export function outcomeStep(
  where: StepContext,
  { client, ...expect }: WrittenOutcome,
): ProgramStep | undefined {
  const at = [...where.path, 'expect'];
  const run = startedRun(where, client, [...at, 'client']);
  if (run === undefined || !mayStand(where, { do: 'expect' }, 'expect', UNKNOWN)) return undefined;
  if (run.state === 'killed' && 'exit' in expect) {
    const message = `"${client}" was killed, so it has no exit status`;
    where.scope.problems.error([...at, 'exit'], { code: 'impossible', message, hint: 'Remove `exit`.' });
  }
  return stepOf(where, 'expect', client, expect);
}

/** `fault: { kill: listener }` */
export function killProgram(where: StepContext, fault: WrittenFault): ProgramStep | undefined {
  const [, client] = faultOf(where, fault, ['kill']) ?? [];
  if (client === undefined) return undefined;
  const at = [...where.path, 'fault', 'kill'];
  const run = startedRun(where, client, at);
  if (run === undefined || !mayStand(where, { do: 'fault' }, 'fault', UNKNOWN)) return undefined;
  if (run.state !== 'unknown') {
    const message = `"${client}" has ended already`;
    where.scope.problems.error(at, { code: 'impossible', message, hint: 'Remove this step.' });
  }
  where.scope.runs.set(client, { ...run, state: 'killed' });
  return stepOf(where, 'kill', client, undefined);
}

/** Whether the fault is about a program. */
export const isProgram = ({ names }: Scope, fault: WrittenFault): boolean =>
  Object.values(fault).some((value) => names.kindOf(String(value)) === PROGRAM);

/** After the last step: reports programs that are not started, or of which nothing is expected. */
export function checkRuns(scope: Scope): void {
  for (const run of scope.runs.values()) if (!run.judged) unjudged(scope, run);
  // A step that is broken might have run it.
  if (scope.problems.failed) return;
  for (const { name } of scope.programs.values())
    if (!scope.runs.has(name))
      scope.problems.warning(['clients', name], {
        ...{ code: 'unused', message: `no step runs "${name}"`, onKey: true },
        hint: `Write - run: ${name}.`,
      });
}

function unjudged({ problems }: Scope, { path }: Run): void {
  const message = 'nothing is expected of this program, so it proves nothing';
  problems.error([...path, 'run'], {
    ...{ code: 'unsaid', message, onKey: true },
    hint: 'Write what must come of it below: expect: { exit: 0, output: "text" }.',
  });
}

function startedRun({ scope }: StepContext, client: string, at: Path): Run | undefined {
  if (scope.names.find(client, [PROGRAM], at) === undefined) return undefined;
  const run = scope.runs.get(client);
  if (run !== undefined) return run;
  const message = `"${client}" has not been started`;
  scope.problems.error(at, { code: 'impossible', message, hint: `Write - run: ${client} before this step.` });
  return undefined;
}

function stepOf(
  { scope, id, path }: StepContext,
  verb: ProgramStep['do'],
  client: string,
  written: Expectation | undefined,
): ProgramStep {
  const expect = expectOf(written);
  const run = scope.runs.get(client);
  if (run && expect)
    scope.runs.set(client, {
      ...{ ...run, judged: true },
      ...(run.state === 'unknown' && needsEnd(expect) && { state: 'ended' }),
    });
  return { kind: 'program', id, do: verb, client, ...(expect && { expect }), place: scope.tree.place(path) };
}

function expectOf(written: Expectation | undefined): ProgramExpect | undefined {
  if (written === undefined) return undefined;
  const { exit, output, within }: Expectation = written;
  return {
    ...(exit !== undefined && { exit }),
    ...(output !== undefined && { output }),
    within: within === undefined ? DEFAULT_WITHIN : duration(within),
  };
}
