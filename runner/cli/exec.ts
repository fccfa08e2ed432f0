// SPDX-License-Identifier: MIT

import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RunNode } from '../provision/runs.ts';
import { copyOutput } from './exec-output.ts';
import { type Found, pick, pickRunning, withRuns } from './find-run.ts';

/** `exec`: passes on the command's output and exit status. */
export async function exec(name: string, node: string, command: readonly string[]): Promise<void> {
  await withRuns(async (found) => {
    const it = pick(found, name);
    const target = pickRunning(it, node);
    process.exitCode = await (it.run.launcher === 'container'
      ? inContainer(it, target, command)
      : inProcessNode(it, target, command));
  });
}

async function inContainer({ backend }: Found, node: RunNode, command: readonly string[]): Promise<number> {
  const container = backend.docker.getContainer(node.id);
  const one = await container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
  const stream = await one.start({ hijack: true, stdin: false });
  const [out, err] = [new PassThrough(), new PassThrough()];
  container.modem.demuxStream(stream, out, err);
  stream.on('end', () => [out, err].forEach((s) => void s.end()));
  await Promise.all([
    pipeline(out, process.stdout, { end: false }),
    pipeline(err, process.stderr, { end: false }),
  ]);
  return (await one.inspect()).ExitCode ?? 0;
}

/** Enters the namespaces of the node's first process, which is a child of the recorded process. */
async function inProcessNode({ backend }: Found, node: RunNode, command: readonly string[]): Promise<number> {
  const script =
    'read -r child _ < "/proc/$1/task/$1/children"; shift; nsenter -t "$child" -m -p -n -- "$@"; printf "\\n\\001%s" $?';
  const stream = await backend.channel(['sh', '-c', script, 'sh', node.id, ...command]);
  return copyOutput(stream, process.stdout);
}
