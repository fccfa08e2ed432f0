// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import { InvalidInput } from '../common/errors.ts';
import { didYouMean } from '../common/nearest.ts';

/** `help` for the command, for a verb, or for a verb of a verb. An unknown name is an error. */
export function help(program: Command, words: readonly string[]): void {
  let command = program;
  for (const word of words) {
    const names = command.commands.map((each) => each.name());
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) throw unknown(command, word, names);
    command = next;
  }
  command.outputHelp();
}

function unknown(command: Command, word: string, names: readonly string[]): InvalidInput {
  if (names.length === 0) return new InvalidInput(`"${command.name()}" has no verbs of its own`, '');
  const known = `verbs are ${names.join(', ')}`;
  return new InvalidInput(`no verb "${word}"`, didYouMean(word, names) ?? known);
}
