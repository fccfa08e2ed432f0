// SPDX-License-Identifier: MIT
/** Containers that run one command for the runner, one of them in the root namespaces of the engine's machine. */

import { Duplex, PassThrough, Writable } from 'node:stream';
import type Dockerode from 'dockerode';
import { LIMITS } from '../common/limits.ts';
import { CutLines } from '../common/lines.ts';
import { neutral } from '../common/neutral.ts';
import { partFrames } from './frames.ts';

/** The command's stdin and stdout, in the root namespaces of the engine's machine. */
export const hostChannel = (docker: Dockerode, image: string, command: readonly string[]): Promise<Duplex> =>
  commandContainer(docker, {
    Image: image,
    Entrypoint: ['nsenter', '-t', '1', '-a', '--'],
    Cmd: [...command],
    OpenStdin: true,
    StdinOnce: true,
    HostConfig: { Privileged: true, PidMode: 'host', NetworkMode: 'none' },
  });

/**
 * The stdin and stdout of a container's command. Its stderr is shown. The engine removes the container when the command
 * has ended, even if this runner was killed before.
 */
export async function commandContainer(
  docker: Dockerode,
  options: Dockerode.ContainerCreateOptions,
): Promise<Duplex> {
  const HostConfig = { ...options.HostConfig, AutoRemove: true };
  const container = await docker.createContainer({ ...options, HostConfig });
  try {
    const outputs = { stdout: true, stderr: true };
    const stdin = options.OpenStdin === true;
    const raw = await container.attach({ stream: true, stdin, ...outputs, hijack: true });
    const [output, errors] = [new PassThrough(), shown(process.stderr)];
    const ended = () => [output, errors].forEach((stream) => void stream.end());
    partFrames(raw as Duplex, output, errors);
    raw.on('end', ended).on('close', ended);
    await container.start();
    return joined(raw as Duplex, output);
  } catch (error) {
    // One that has never run, the engine does not remove.
    await container.remove({ force: true }).catch(() => {});
    throw error;
  }
}

/** Passes lines on as far as they may steer a terminal in no way: a program of a file may have written them. */
export function shown(to: Pick<Writable, 'write'>): Writable {
  const lines = new CutLines(
    (line) => void to.write(`${neutral(line.toString())}\n`),
    LIMITS.stderrBytes.most,
  );
  return new Writable({
    write: (text: Buffer, _, done) => {
      lines.push(text);
      done();
    },
    final: (done) => {
      lines.end();
      done();
    },
  });
}

/** Writes go to the raw stream; reads come from its demultiplexed output. */
function joined(raw: Duplex, output: PassThrough): Duplex {
  const both = new Duplex({
    read: () => void output.resume(),
    write: (chunk, encoding, done) => void raw.write(chunk, encoding, done),
    final: (done) => void raw.end(done),
    destroy: (error, done) => {
      raw.destroy();
      done(error);
    },
  });
  raw.on('error', (error) => both.destroy(error));
  output.on('data', (data) => both.push(data) || output.pause());
  output.on('end', () => both.push(null));
  return both;
}
