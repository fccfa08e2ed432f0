// SPDX-License-Identifier: MIT
/** An interactive shell in the host, on the user's terminal. */

import { channel, type Reach } from './channel.ts';

/** Resolves when the shell ends. */
export async function shell(host: Reach): Promise<void> {
  const { stdin, stdout } = process;
  const size = stdout.isTTY ? `stty rows ${stdout.rows} cols ${stdout.columns};` : '';
  const term = process.env.TERM ?? 'dumb';
  const command = `export TERM='${term.replaceAll("'", '')}'; ${size} exec bash --login`;
  const stream = await channel(host, ['script', '--quiet', '--command', command, '/dev/null']);
  const raw = stdin.isTTY && stdin.setRawMode(true);
  stdin.pipe(stream);
  stream.pipe(stdout, { end: false });
  await new Promise<void>((resolve) => stream.once('close', resolve).on('error', () => {}));
  stdin.unpipe(stream);
  stdin.pause();
  if (raw) stdin.setRawMode(false);
}
