// SPDX-License-Identifier: MIT
/** What all parts of resolving share: the file as written, what is known of it so far, and where to report. */

import type { Path } from '../../common/diagnostic.ts';
import type { DbusClientSpec, MessageBusSpec } from '../../topology/message-bus.ts';
import type { ProgramSpec } from '../../topology/program.ts';
import type { Budget, BusSpec, ClientSpec, GroupSpec } from '../../topology/topology.ts';
import type { Problems } from '../diagnostic/index.ts';
import type { Written } from '../schema/index.ts';
import type { Tree } from '../yaml/index.ts';
import type { Runs } from './message-bus/programs.ts';
import type { Kind, Names } from './names.ts';
import type { Tally } from './tally.ts';

export {
  commandHint,
  DBUS_STEPS,
  DBUS_VERBS,
  type DbusVerb,
  type Written,
  type WrittenAnswers,
  type WrittenBudgets,
  type WrittenClient,
  type WrittenDbus,
  type WrittenDbusExpect,
  type WrittenDbusStep,
  type WrittenFault,
  type WrittenFilter,
  type WrittenHears,
  type WrittenOutcome,
  type WrittenRun,
  type WrittenSend,
  type WrittenSendExpect,
  type WrittenStep,
} from '../schema/index.ts';

/** What exists before anything is resolved. */
export interface Given {
  readonly written: Written;
  readonly tree: Tree;
  readonly problems: Problems;
  readonly tally: Tally;
}

export interface Scope extends Given {
  readonly names: Names;
  readonly buses: Map<string, BusSpec>;
  readonly groups: Map<string, GroupSpec>;
  readonly clients: Map<string, ClientSpec>;
  readonly messageBuses: Map<string, MessageBusSpec>;
  readonly dbusClients: Map<string, DbusClientSpec>;
  readonly programs: Map<string, ProgramSpec>;
  readonly runs: Runs;
  /** Clients of message buses that a step has killed or paused, or that their bus has cut off, and that step. */
  readonly away: Map<string, { readonly how: 'killed' | 'paused' | 'cut off'; readonly path: Path }>;
  /** Clients of message buses that have been paused and resumed. */
  readonly rested: Set<string>;
  readonly budgets: Budget[];
  /** The keys of `defaults.sends` that sends take, and that mean something for one of them. */
  readonly taken: Set<string>;
  /** The client that a name stands for at this step: the original, or the one that a restart started. */
  incarnation(name: string): string;
  /** Starts a client again under a new name, which its old name stands for from now on. */
  startAgain(name: string): string;
  /** Path of each step, by its id. */
  readonly paths: Map<string, Path>;
  /** Why a party gets a copy of a send, or none: by the send's id, then by name. */
  readonly reasons: Map<string, ReadonlyMap<string, string>>;
}

/**
 * The valid entries of a section. The content of the others is skipped; the first look at them gives `kindOf`, which says
 * what their names were meant to be.
 */
export function* validEntries<T>(
  { problems, names }: Scope,
  section: 'nodes' | 'buses' | 'groups' | 'clients',
  entries: Readonly<Record<string, T>> | undefined,
  kindOf?: (path: Path) => Kind,
): Generator<[name: string, value: T, path: Path]> {
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) return;
  for (const [name, value] of Object.entries(entries)) {
    const path = [section, name];
    if (!problems.isBroken(path)) yield [name, value, path];
    else if (kindOf) names.declareBroken(kindOf(path), name);
  }
}

/** The value that the file gives here, of whatever type. */
export const writtenAt = ({ tree }: Given, path: Path): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string, unknown> | null | undefined)?.[key], tree.value);

/** Whether the file gives this value, even a wrong one, or one under a misspelt key. */
export const isWritten = (given: Given, path: Path): boolean =>
  writtenAt(given, path) !== undefined || given.problems.isBroken(path);

/** The bus that is named, or the only one. */
export function busOf(
  { names, problems }: Scope,
  bus: string | undefined,
  path: Path,
  kinds: readonly Kind[] = ['bus'],
): string | undefined {
  if (bus !== undefined) return names.find(bus, kinds, [...path, 'bus']) && bus;
  const all = kinds.flatMap((kind) => names.of(kind));
  if (all.length === 1) return all[0];
  if (all.length > 1) {
    const message = 'this file has several buses: say on which one';
    problems.error(path, {
      code: 'missing-key',
      message,
      expected: `buses of this file: ${all.join(', ')}`,
      hint: `Write bus: ${all[0]}.`,
      onKey: true,
    });
  }
  return undefined;
}
