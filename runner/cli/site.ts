// SPDX-License-Identifier: MIT
/** Chooses the site that `--backend` names; never uses another one silently. */

import type { Site } from '../provision/site.ts';
import { isUntrusted, type PlayFlags } from './options.ts';

interface Request {
  readonly seed: number;
  /** Has priority over the flags. */
  readonly launcher?: 'container' | 'process';
  /** The run stays up. */
  readonly keep?: boolean;
  readonly detail: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Loads the code for engines only if it is needed. */
export async function chooseSite(flags: PlayFlags, request: Request): Promise<Site> {
  const { backend } = flags;
  const launcher = request.launcher ?? flags.launcher ?? 'container';
  if (backend === 'sim') {
    const { parseBug, simSite } = await import('../sim/index.ts');
    const bug = flags.simBug === undefined ? undefined : parseBug(flags.simBug);
    return simSite({ seed: request.seed, bug });
  }
  const { chooseBackend } = await import('../provision/choose.ts');
  const { engineSite } = await import('../provision/site.ts');
  return engineSite(
    await chooseBackend({ ...flags, backend, ...request, untrusted: isUntrusted(flags) }),
    launcher,
  );
}
