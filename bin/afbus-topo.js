// SPDX-License-Identifier: MIT
// Plain JavaScript for any Node: says so where it is too old for the command.
import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
/** What the bundle is made of. */
const SOURCES = ['../runner', '../daemon', '../dbus', '../native/lib', '../images/scratch'];
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  console.error(`afbus-topo needs Node ${NEEDED} or newer; this is ${process.version}.`);
  console.error(
    `hint: put a newer one into PATH; a checkout brings its own: run "sh bin/setup", then bin/afbus-topo.`,
  );
  process.exitCode = 4;
} else {
  const { enableCompileCache } = await import('node:module');
  const cache = ownCache();
  if (cache !== undefined) enableCompileCache(cache);
  await import(program());
}

/**
 * The folder of compiled code. What lies in it is run, so nobody else may write it: Node's default, below the temporary
 * directory, belongs to the first user who makes it. undefined if there is no safe one; then nothing is kept.
 */
function ownCache() {
  try {
    const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
    const folder = join(base, 'afbus-topo', 'compile');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return isOwn(realpathSync(folder)) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** The folder is ours, and it and all above it can be changed by root and us alone, or are sticky like /tmp. */
function isOwn(folder) {
  const [me, { uid }] = [process.getuid(), lstatSync(folder)];
  const isSafe = (path) => {
    const found = lstatSync(path);
    const trusted = found.uid === me || found.uid === 0;
    // A group of the user's own name and number has no other member, by custom.
    const others = found.mode & (found.gid === me ? 0o002 : 0o022);
    const closed = others === 0 || (path !== folder && (found.mode & 0o1000) !== 0);
    return trusted && closed && (path === dirname(path) || isSafe(dirname(path)));
  };
  return uid === me && isSafe(folder);
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
  return built === 0 || SOURCES.some((folder) => isOld(at(folder))) ? source : bundle;
}
