// SPDX-License-Identifier: MIT
/** Builds a mutant: in one tree for all, so that each compiles what its patch touches and no more. */

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from '../../runner/host/paths.ts';
import type { Mutant } from './mutant.ts';

const SOURCES = ['Kbuild', 'af_bus', 'nfdbus', 'compat', 'include', 'uapi'];
const MODULES = ['af_bus.ko', 'nfdbus.ko'];

export class Tree {
  readonly #release: string;
  readonly #tree: string;

  constructor(release: string) {
    this.#release = release;
    this.#tree = inProject('build/mutants', release, 'tree');
    mkdirSync(this.#tree, { recursive: true });
    for (const name of SOURCES) bring(inProject('kernel', name), join(this.#tree, name));
  }

  /** Builds the modules with one fault; returns their folder, below the project's. */
  make(mutant: Mutant): string {
    this.#patch(mutant);
    try {
      this.#compile(mutant.name);
      const folder = join('build/mutants', this.#release, mutant.name);
      mkdirSync(inProject(folder), { recursive: true });
      for (const name of MODULES) copyFileSync(join(this.#tree, name), inProject(folder, name));
      return folder;
    } finally {
      this.#patch(mutant, '--reverse');
    }
  }

  /** A patch that does not apply to the sources as they are is an error, by its name. */
  #patch({ file }: Mutant, ...options: string[]): void {
    const argv = [
      '--strip=1',
      '--fuzz=0',
      '--no-backup-if-mismatch',
      '--reject-file=-',
      '--quiet',
      ...options,
    ];
    const { status, stdout } = spawnSync('patch', [...argv, '--dry-run', `--input=${file}`], {
      cwd: this.#tree,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${file} does not apply to kernel/ any more: write it anew\n${stdout}`);
    execFileSync('patch', [...argv, `--input=${file}`], { cwd: this.#tree });
  }

  #compile(name: string): void {
    const kdir = `/usr/src/linux-headers-${this.#release}`;
    const argv = ['-s', '-C', kdir, `M=${this.#tree}`, `-j2`, 'modules'];
    const { status, stdout, stderr } = spawnSync('make', argv, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${name} does not compile:\n${stdout}${stderr}`);
  }
}

/** A file that did not change keeps its time, so that make leaves its object alone. */
function bring(from: string, to: string): void {
  if (statSync(from).isDirectory()) {
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from)) bring(join(from, name), join(to, name));
  } else if (!existsSync(to) || !readFileSync(from).equals(readFileSync(to))) {
    copyFileSync(from, to);
  }
}
