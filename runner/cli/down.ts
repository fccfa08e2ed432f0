// SPDX-License-Identifier: MIT
import { neutral, neutralJson } from '../common/neutral.ts';
import { removeRun } from '../provision/runs.ts';
import { withRuns } from './find-run.ts';

interface DownFlags {
  readonly all?: boolean;
  readonly format: 'text' | 'json';
}

/** `down`: succeeds as well if nothing with that name is up. */
export async function down(names: readonly string[], flags: DownFlags): Promise<void> {
  await withRuns(async (found) => {
    const kept = new Set(found.filter(({ run }) => run.kept).map(({ run }) => run.topology));
    // Without a name: takes down what is up if that is one topology; never a run that is in progress.
    const wanted = names.length ? new Set(names) : kept.size === 1 ? kept : new Set<string>();
    const doomed = found.filter(({ run }) => flags.all || wanted.has(run.topology) || wanted.has(run.run));
    await Promise.all(doomed.map(({ backend, run }) => removeRun(backend, run)));
    if (flags.format === 'json') {
      const down = doomed.map(({ run: { topology, run } }) => ({ topology, run }));
      console.log(neutralJson({ schemaVersion: 1, down }, 2));
    }
    for (const { run } of doomed) console.error(neutral(`down: ${run.topology} (run ${run.run})`));
    if (doomed.length === 0) console.error(neutral(nothing(kept, names)));
  });
}

function nothing(kept: ReadonlySet<string>, names: readonly string[]): string {
  if (names.length === 0 && kept.size > 1)
    return `several are up, name one or say --all: ${[...kept].join(', ')}`;
  return names.length ? `nothing called ${names.join(', ')} is up` : 'nothing is up';
}
