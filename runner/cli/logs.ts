// SPDX-License-Identifier: MIT
import { InvalidInput } from '../common/errors.ts';
import { neutral } from '../common/neutral.ts';
import { fromEngine } from '../provision/engine-answer.ts';
import { pick, pickNode, withRuns } from './find-run.ts';

/** `logs`: stderr of the nodes; their stdout is the agents' protocol, which is of no use to people. */
export async function logs(name: string, node: string | undefined): Promise<void> {
  await withRuns(async (found) => {
    const it = pick(found, name);
    if (it.run.launcher === 'process') {
      throw new InvalidInput(
        'process nodes keep no log',
        'their errors are shown while they run; use --launcher container',
      );
    }
    let count = 0;
    for (const n of node === undefined ? it.run.nodes : [pickNode(it, node)]) {
      if (n.id === '') {
        process.stderr.write(`${neutral(n.name)} is missing: its log went with its container\n`);
        continue;
      }
      const container = it.backend.docker.getContainer(n.id);
      const raw = await fromEngine(() => container.logs({ stdout: false, stderr: true }));
      const lines = unframe(raw).split('\n').filter(Boolean);
      for (const line of lines) console.log(neutral(`${n.name} | ${line}`));
      count += lines.length;
    }
    if (count === 0) process.stderr.write('nothing was written to stderr\n');
  });
}

/** Removes Docker's frames, which a log without a terminal has: 8 bytes of header (stream, length), then the text. */
function unframe(raw: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length; ) {
    const length = raw.readUInt32BE(at + 4);
    parts.push(raw.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts).toString();
}
