// SPDX-License-Identifier: MIT
/**
 * What changes with every build of this project: modules, agent, binding. They are not part of the saved machine but
 * are copied into a host when it starts, so that a change of one costs a second and not a new image.
 */

import { execFileSync, spawn } from 'node:child_process';
import { hash as digest } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { EnvironmentError } from '../common/errors.ts';
import { answer } from './answer.ts';
import { channel, type Reach, runInHost } from './channel.ts';
import { built, hash } from './inputs.ts';
import { cache, privateFolder } from './paths.ts';
import type { Host } from './types.ts';

const ADDON = 'afbus.node';

export interface Payload {
  readonly files: readonly string[];
  /** SHA-256 of each file, in hex. */
  readonly sums: readonly string[];
}

/**
 * AFBUS_MODULES names a folder of the project with other builds of the modules: `npm run mutants` plays topologies on
 * them.
 */
const modulesOf = (release: string): string => process.env.AFBUS_MODULES ?? join('build/kernel', release);

/** Nine tenths of a module are debug information, and it takes seconds to copy that into an emulated host. */
function withoutDebug(module: string): string {
  const folder = cache('modules', hash(readFileSync(module)));
  const file = join(folder, basename(module));
  if (existsSync(file)) return file;
  privateFolder(folder);
  const partial = `${file}.${process.pid}`;
  execFileSync('strip', ['--strip-debug', '-o', partial, module]);
  renameSync(partial, file);
  return file;
}

export function payload(release: string): Payload {
  const modules = modulesOf(release);
  const files = [
    withoutDebug(built(join(modules, 'af_bus.ko'), 'make -C kernel kernels')),
    withoutDebug(built(join(modules, 'nfdbus.ko'), 'make -C kernel kernels')),
    built('dist/agent.cjs', 'npm run build:agent'),
    built('build/native/afbus.node', 'npm run build:native'),
  ];
  return { files, sums: files.map((file) => digest('sha256', readFileSync(file))) };
}

const PLACE = '/opt/afbus-topo';

/** The read-only mount prevents accidents. Root in the host can undo it, so `isIntact` checks the files. */
const INSTALL = `/run/afbus/install "$1" && mount --bind ${PLACE} ${PLACE} && mount -o remount,bind,ro ${PLACE} && echo closed`;

/** Paths of the files in the host. */
const PLACES = ['af_bus.ko', 'nfdbus.ko', 'agent.cjs', `native/${ADDON}`].map((name) => join(PLACE, name));

/** Whether the host still has the files that were copied into it. They may be older than the project's files. */
export async function isIntact(host: Host): Promise<boolean> {
  const said = await runInHost(host, ['sha256sum', ...PLACES]).catch(() => null);
  const sums = said?.stdout
    .trim()
    .split('\n')
    .map((line) => line.slice(0, 64));
  return sums !== undefined && sums.join() === host.payloadSums?.join();
}

/** Fails for a kernel that has warned (taint 512) or oopsed (128): it is not used again. */
const EMPTY = `[ $(($(cat /proc/sys/kernel/tainted) & 640)) = 0 ] && umount ${PLACE} && rmmod nfdbus af_bus`;

/** Replaces the files of a host on which no node runs. Resolves with false if a fresh host is needed instead. */
export async function replace(host: Reach, own: Payload): Promise<boolean> {
  const said = await bring(host, own, `${EMPTY} && ${INSTALL}`).catch(() => []);
  return said.at(-1) === 'closed';
}

/** Copies the files into the host's /opt/afbus-topo and loads the modules. */
export async function install(host: Reach, own: Payload): Promise<void> {
  const said = await bring(host, own, INSTALL);
  if (said.at(-1) === 'closed') return;
  throw new EnvironmentError(
    "the project's files could not be installed in the host",
    'the lines show what it said; "afbus-topo host logs" has the rest',
    { lines: said.slice(-10) },
  );
}

/**
 * Runs a command that reads the archive from stdin and gets its length as the first argument; resolves with the lines
 * of its output.
 */
async function bring(host: Reach, { files }: Payload, script: string): Promise<string[]> {
  const archive = await pack(files);
  const stream = await channel(host, ['sh', '-c', `{ ${script}; } 2>&1`, 'sh', `${archive.length}`]);
  stream.write(archive);
  return (await answer(stream)).toString().trim().split('\n');
}

/** A gzipped tar; the binding is put where the agent looks for it. */
async function pack(files: readonly string[]): Promise<Buffer> {
  const argv = files.flatMap((file) => ['-C', dirname(file), file.slice(dirname(file).length + 1)]);
  const tar = spawn('tar', ['-cz', '--transform', `s,^${ADDON}$,native/${ADDON},`, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return buffer(tar.stdout);
}
