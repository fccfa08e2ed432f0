// SPDX-License-Identifier: MIT
/** The command line as data, taken from commander's own tree, so that nothing is listed twice. */
import type { Argument, Command, Option } from 'commander';

/** Possible values: given words, a topology file, a directory, the name of a topology that is up, or anything. */
export type Values = readonly string[] | 'topology' | 'directory' | 'up' | 'unknown';

export interface Flag {
  readonly long: string;
  readonly short?: string;
  readonly description: string;
  /** Absent for a flag that takes no value. */
  readonly values?: Values;
}

export interface Node {
  /** `host start`; empty for the command itself. */
  readonly path: string;
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** For each argument; the last argument may be repeated. */
  readonly values: readonly Values[];
  readonly children: readonly Node[];
}

export function treeOf(command: Command, path = ''): Node {
  const help = command.createHelp();
  return {
    path,
    name: command.name(),
    description: command.description(),
    flags: help.visibleOptions(command).map(flagOf),
    values: command.registeredArguments.map(valuesOf),
    children: command.commands.map((child) => treeOf(child, `${path} ${child.name()}`.trim())),
  };
}

/** The node and all nodes below it. */
export const nodesOf = (node: Node): Node[] => [node, ...node.children.flatMap(nodesOf)];

function flagOf(option: Option): Flag {
  const takesValue = option.required || option.optional;
  return {
    long: option.long ?? option.flags,
    ...(option.short ? { short: option.short } : {}),
    description: option.description,
    ...(takesValue ? { values: option.argChoices ?? byName(option.flags) } : {}),
  };
}

const valuesOf = (argument: Argument): Values => argument.argChoices ?? byName(argument.name());

function byName(name: string): Values {
  if (/\bfiles?\b/.test(name)) return 'topology';
  if (name === 'names') return 'up';
  return /\bdirectory\b/.test(name) ? 'directory' : 'unknown';
}
