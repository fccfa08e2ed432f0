// SPDX-License-Identifier: MIT
/** Runs a command in the root namespaces of the engine's machine, through a privileged container. */

import { Duplex, PassThrough, Writable } from 'node:stream';
import type Dockerode from 'dockerode';
import { LIMITS } from '../common/limits.ts';
import { CutLines } from '../common/lines.ts';
import { neutral } from '../common/neutral.ts';
import { partFrames } from './frames.ts';

/** The command's stdin and stdout. Its stderr is shown. */
export async function hostChannel(
  docker: Dockerode,
  image: string,
  command: readonly string[],
): Promise<Duplex> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: ['nsenter', '-t', '1', '-a', '--'],
    Cmd: [...command],
    OpenStdin: true,
    StdinOnce: true,
    HostConfig: { Privileged: true, PidMode: 'host', NetworkMode: 'none', AutoRemove: true },
  });
  const raw = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
  const [output, errors] = [new PassThrough(), shown(process.stderr)];
  const ended = () => [output, errors].forEach((stream) => void stream.end());
  partFrames(raw as Duplex, output, errors);
  raw.on('end', ended).on('close', ended);
  await container.start();
  return joined(raw as Duplex, output);
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
