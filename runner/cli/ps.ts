// SPDX-License-Identifier: MIT
import { neutral, neutralJson } from '../common/neutral.ts';
import { isOrphan } from '../provision/labels.ts';
import { type Found, withRuns } from './find-run.ts';
import { table } from './table.ts';

/** `ps`: one line per node, and one for each run whose runner was killed. */
export async function ps(flags: { format: 'text' | 'json' }): Promise<void> {
  await withRuns(async (found) => {
    if (flags.format === 'json') console.log(neutralJson({ schemaVersion: 1, runs: found.map(inJson) }, 2));
    else tell(found);
  });
}

type Listed = Pick<Found, 'run'> & { readonly backend: Pick<Found['backend'], 'where'> };

export const inJson = ({ backend, run }: Listed) => ({
  ...run,
  leftover: isOrphan(run),
  kernel: backend.where.kernel,
  backend: backend.where.backend,
});

function tell(found: readonly Listed[]): void {
  const rows = found.flatMap(({ backend, run }) =>
    run.nodes.map((n) => [
      run.topology,
      run.run,
      n.name,
      n.state,
      run.launcher,
      backend.where.kernel,
      run.started.slice(0, 19),
    ]),
  );
  if (rows.length === 0) console.error('nothing is up; start with "afbus-topo up FILE"');
  else console.log(table(['TOPOLOGY', 'RUN', 'NODE', 'STATE', 'LAUNCHER', 'KERNEL', 'SINCE (UTC)'], rows));
  for (const line of leftOvers(found)) console.error(neutral(line));
}

/** Nobody plays these runs any more, although their nodes may run. */
export const leftOvers = (found: readonly Pick<Found, 'run'>[]): readonly string[] =>
  found
    .filter(({ run }) => isOrphan(run))
    .map(
      ({ run: { topology, run } }) =>
        `the runner of ${topology} (run ${run}) was killed: the next run removes what it left, or do so with "afbus-topo down ${run}"`,
    );
