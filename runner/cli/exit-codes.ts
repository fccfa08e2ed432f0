// SPDX-License-Identifier: MIT
/** The exit codes in the `--help` of each verb. */

import type { Command } from 'commander';
import { EXIT } from '../common/errors.ts';

type Meanings = Readonly<Record<number, string>>;

/** Every verb may be called wrongly, fail to write its output, and be interrupted. */
const OF_EACH: Meanings = {
  [EXIT.pass]: 'done',
  [EXIT.invalid]: 'invalid input',
  [EXIT.environment]: 'environment error',
  [EXIT.hangup]: 'interrupted by SIGHUP',
  [EXIT.interrupted]: 'interrupted by SIGINT or SIGTERM',
};

const PLAYED: Meanings = {
  [EXIT.pass]: 'pass',
  [EXIT.fail]: 'fail; or skip, if the run proved nothing',
  [EXIT.timeout]: 'timeout',
  [EXIT.hostDied]: 'host died',
};

/** Meanings by verb; a verb of a verb has both words (`host start`). */
const OF_ONE: Readonly<Record<string, Meanings>> = {
  '': PLAYED,
  up: PLAYED,
  run: PLAYED,
  fuzz: {
    [EXIT.pass]: 'every topology did what the model predicts',
    [EXIT.fail]: 'a topology failed, or sim and kernel differ',
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
