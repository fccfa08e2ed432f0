// SPDX-License-Identifier: MIT
// Plain JavaScript for any Node: says so where it is too old for the command.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  console.error(`afbus-topo needs Node ${NEEDED} or newer; this is ${process.version}.`);
  console.error(
    'hint: start bin/afbus-topo: it takes the one that "npm install" brings along, unless install scripts or optional packages are switched off.',
  );
  process.exit(4);
}

const { enableCompileCache } = await import('node:module');
enableCompileCache();
await import(program());

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
  return built === 0 || ['../runner', '../daemon', '../native/lib'].some((folder) => isOld(at(folder)))
    ? source
    : bundle;
}
