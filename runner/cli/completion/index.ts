// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import { bash } from './bash.ts';
import { fish } from './fish.ts';
import { treeOf } from './tree.ts';
import { zsh } from './zsh.ts';

const SHELLS = { bash, zsh, fish } as const;

/** `completion`: a script for a shell, made from the command line that this is. */
export function completion(program: Command, shell: keyof typeof SHELLS): void {
  process.stdout.write(SHELLS[shell](treeOf(program)));
}
