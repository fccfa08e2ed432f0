// SPDX-License-Identifier: MIT
/**
 * What changes with every build of this project: modules, agent, binding. They are not part of the saved machine but
 * brought into a host when it starts, so that a change of one costs a second and not a new image.
 */

import { execFileSync, spawn } from 'node:child_process';
import { hash as digest } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { EnvironmentError } from '../common/errors.ts';
import { channel, type Reach, runInHost } from './channel.ts';
import { built, hash } from './inputs.ts';
import { cache, privateFolder } from './paths.ts';
import type { Host } from './types.ts';

const ADDON = 'afbus.node';

export interface Payload {
  readonly files: readonly string[];
  /** SHA-256 of each, in hex. */
  readonly sums: readonly string[];
}

/** AFBUS_MODULES: a folder below the project's with other builds of the modules, for those who test the checks. */
const modulesOf = (release: string): string => process.env.AFBUS_MODULES ?? join('build/kernel', release);

/** Nine tenths of a module are for debuggers, and it takes seconds to bring them into an emulated host. */
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
    built('dist/agent.js', 'npm run build:agent'),
    built('build/native/afbus.node', 'npm run build:native'),
  ];
  return { files, sums: files.map((file) => digest('sha256', readFileSync(file))) };
}

const PLACE = '/opt/afbus-topo';

/** From then on nobody writes there by mistake; who is root in the host can, and `isIntact` tells. */
const INSTALL = `/run/afbus/fit "$1" && mount --bind ${PLACE} ${PLACE} && mount -o remount,bind,ro ${PLACE} && echo closed`;

/** Where the files are in the host. */
const PLACES = ['af_bus.ko', 'nfdbus.ko', 'agent.js', `native/${ADDON}`].map((name) => join(PLACE, name));

/** The host has the files that were brought into it, as they were. What the project has by now is another question. */
export async function isIntact(host: Host): Promise<boolean> {
  const said = await runInHost(host, ['sha256sum', ...PLACES]).catch(() => null);
  const sums = said?.stdout
    .trim()
    .split('\n')
    .map((line) => line.slice(0, 64));
  return sums !== undefined && sums.join() === host.payloadSums?.join();
}

/** A kernel that has warned (512) or died a little (128) is not used again. */
const EMPTY = `[ $(($(cat /proc/sys/kernel/tainted) & 640)) = 0 ] && umount ${PLACE} && rmmod nfdbus af_bus`;

/** Puts other files in the place of those that a host without any nodes has. Return: false if it must be a fresh host. */
export async function replace(host: Reach, own: Payload): Promise<boolean> {
  const said = await bring(host, own, `${EMPTY} && ${INSTALL}`).catch(() => []);
  return said.at(-1) === 'closed';
}

/** Copies the files into the host's /opt/afbus-topo and loads the modules. */
export async function install(host: Reach, own: Payload): Promise<void> {
  const said = await bring(host, own, INSTALL);
  if (said.at(-1) === 'closed') return;
  throw new EnvironmentError(
    "the host's kernel does not take the project's files",
    'the lines show what it said; "afbus-topo host logs" has the rest',
    { lines: said.slice(-10) },
  );
}

/** Runs a command that reads the archive, whose length is its first argument; resolves with the lines that it says. */
async function bring(host: Reach, { files }: Payload, script: string): Promise<string[]> {
  const archive = await pack(files);
  const stream = await channel(host, ['sh', '-c', `{ ${script}; } 2>&1`, 'sh', `${archive.length}`]);
  stream.write(archive);
  return (await text(stream)).trim().split('\n');
}

/** A gzipped tar; the binding goes where the agent looks for it. */
async function pack(files: readonly string[]): Promise<Buffer> {
  const argv = files.flatMap((file) => ['-C', dirname(file), file.slice(dirname(file).length + 1)]);
  const tar = spawn('tar', ['-cz', '--transform', `s,^${ADDON}$,native/${ADDON},`, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return buffer(tar.stdout);
}
