#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Plain JavaScript for any Node: finds one that is new enough, then starts the command.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  await import(program());
} else {
  startNewerNode();
}

/** The bundle, which starts in half the time; in a checkout only while no source is newer. */
function program() {
  const [source, bundle] = [at('../runner/cli/main.ts'), at('../dist/runner/bundle/main.js')];
  if (!existsSync(source)) return bundle;
  const built = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const isOld = (folder) =>
    readdirSync(folder, { withFileTypes: true, recursive: true }).some(
      (entry) =>
        entry.isFile() &&
        (statSync(`${entry.parentPath}/${entry.name}`, { throwIfNoEntry: false })?.mtimeMs ?? 0) > built,
    );
  return built === 0 || ['../runner', '../native/lib'].some((folder) => isOld(at(folder))) ? source : bundle;
}

/** The npm package `node` brings one along. Whatever would end this process is the child's to answer. */
function startNewerNode() {
  const newer = newerNode();
  if (!newer) {
    console.error(`afbus-topo needs Node ${NEEDED} or newer; this is ${process.version}.`);
    console.error(
      'hint: "npm install" brings one along, unless install scripts or optional packages are switched off.',
    );
    process.exit(4);
  }
  const child = spawn(newer, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A second one means "at once", so the terminal's must not come twice.
      if (signal !== 'SIGINT' || !isInForeground()) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`${newer} cannot be started: ${error.message}`);
    process.exit(4);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

/** The npm package `node`, in whichever folder npm has put it. */
function newerNode() {
  try {
    const path = createRequire(import.meta.url)
      .resolve('node/package.json')
      .replace('package.json', 'bin/node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** A terminal's Ctrl-C goes to all processes in its foreground (proc(5): pgrp and tpgid). */
function isInForeground() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const [, , pgrp, , , tpgid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return pgrp === tpgid;
}
