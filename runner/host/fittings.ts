// SPDX-License-Identifier: MIT
/**
 * What changes with every build of this project: modules, agent, binding. They are not part of the saved machine but
 * brought into a host when it starts, so that a change of one costs a second and not a new image.
 */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { EnvironmentError } from '../common/errors.ts';
import { channel, type Reach } from './channel.ts';
import { built, hash } from './inputs.ts';

export interface Fittings {
  readonly key: string;
  readonly files: readonly string[];
}

export function fittings(release: string): Fittings {
  const modules = join('build/kernel', release);
  const files = [
    built(join(modules, 'af_bus.ko'), 'make -C kernel kernels'),
    built(join(modules, 'nfdbus.ko'), 'make -C kernel kernels'),
    built('dist/agent.js', 'npm run build:agent'),
    built('build/native/afbus.node', 'npm run build:native'),
  ];
  return { key: hash(...files.map((file) => readFileSync(file))), files };
}

/** Copies the files into the host's /opt/afbus-topo and loads the modules. */
export async function fitOut(host: Reach, { files }: Fittings): Promise<void> {
  const archive = await pack(files);
  const stream = await channel(host, ['/run/afbus/fit', `${archive.length}`]);
  stream.write(archive);
  const said = (await text(stream)).trim().split('\n');
  if (said.at(-1) === 'fitted') return;
  throw new EnvironmentError(
    "the host's kernel does not take the project's files",
    'the lines show what it said; "afbus-topo host logs" has the rest',
    { lines: said.slice(-10) },
  );
}

/** A gzipped tar; the binding goes where the agent looks for it. */
async function pack(files: readonly string[]): Promise<Buffer> {
  const argv = files.flatMap((file) => ['-C', dirname(file), file.slice(dirname(file).length + 1)]);
  const tar = spawn('tar', ['-cz', '--transform', 's,^afbus.node$,native/afbus.node,', ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return buffer(tar.stdout);
}
