#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Plain JavaScript for any Node: finds one that is new enough, then starts the command.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
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

/** The npm package `node` brings one along; signals of the terminal reach the child by themselves. */
function startNewerNode() {
  const newer = [at('../node_modules/node/bin/node'), at('../../node/bin/node')].find(existsSync);
  if (!newer) {
    console.error(`afbus-topo needs Node ${NEEDED} or newer; this is ${process.version}.`);
    console.error('hint: run "npm install" in the project, which brings one along.');
    process.exit(4);
  }
  process.on('SIGINT', () => {});
  const { status, signal } = spawnSync(newer, process.argv.slice(1), { stdio: 'inherit' });
  process.exit(signal ? 128 + constants.signals[signal] : (status ?? 4));
}
