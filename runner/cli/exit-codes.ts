// SPDX-License-Identifier: MIT
/** What `--help` of each verb says of the exit codes that it can end with. */

import type { Command } from 'commander';
import { EXIT } from '../common/errors.ts';

type Meanings = Readonly<Record<number, string>>;

/** Every verb can be called wrongly, find no room for its output, and be interrupted. */
const OF_EACH: Meanings = {
  [EXIT.pass]: 'done',
  [EXIT.invalid]: 'invalid input',
  [EXIT.environment]: 'environment error',
  [EXIT.hangup]: 'interrupted by SIGHUP',
  [EXIT.interrupted]: 'interrupted',
};

const PLAYED: Meanings = {
  [EXIT.pass]: 'pass',
  [EXIT.fail]: 'fail; or skip, if the run proved nothing',
  [EXIT.timeout]: 'timeout',
  [EXIT.hostDied]: 'host died',
};

/** By verb, the verb of a verb with its own name. */
const OF_ONE: Readonly<Record<string, Meanings>> = {
  '': PLAYED,
  up: PLAYED,
  run: PLAYED,
  fuzz: {
    [EXIT.pass]: 'nothing went wrong',
    [EXIT.fail]: 'something went wrong',
    [EXIT.hostDied]: 'host died',
  },
  'host build': { [EXIT.hostDied]: 'host died' },
  'host start': { [EXIT.hostDied]: 'host died' },
  validate: { [EXIT.pass]: 'valid', [EXIT.invalid]: 'invalid file or arguments' },
  doctor: { [EXIT.environment]: 'something is missing' },
  exec: { [EXIT.pass]: 'done; any other code of the command is passed on' },
};

/** `0 pass   1 fail`, in the order of the codes. */
function exitCodes(verb: string): string {
  const meanings = Object.entries({ ...OF_EACH, ...OF_ONE[verb] });
  return meanings.map(([code, meaning]) => `  ${code.padStart(3)} ${meaning}`).join('\n');
}

/** Adds them to the help of a command and of all its verbs. */
export function sayExitCodes(command: Command, verb = ''): void {
  command.addHelpText('after', `\nExit codes:\n${exitCodes(verb)}`);
  for (const each of command.commands) sayExitCodes(each, `${verb} ${each.name()}`.trim());
}
