// SPDX-License-Identifier: MIT
import { neutralJson } from '../common/neutral.ts';
import { withRuns } from './find-run.ts';
import { table } from './table.ts';

/** `ps`: one line per node. */
export async function ps(flags: { format: 'text' | 'json' }): Promise<void> {
  await withRuns(async (found) => {
    if (flags.format === 'json') {
      const runs = found.map(({ backend, run }) => ({
        ...run,
        kernel: backend.where.kernel,
        backend: backend.where.backend,
      }));
      console.log(neutralJson({ schemaVersion: 1, runs }, 2));
      return;
    }
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
  });
}
