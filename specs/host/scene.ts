// SPDX-License-Identifier: MIT
/** A host of the specs' own: its state is in a folder of theirs, its image in the user's cache. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KernelVersion, stop } from '../../runner/host/host.ts';

export const kernel = (process.env.AFBUS_KERNEL ?? '6.12') as KernelVersion;

/** Points the host's state elsewhere until it is torn down, which stops the host. */
export function ownState(): { tearDown: () => Promise<void> } {
  const before = process.env.XDG_STATE_HOME;
  const folder = mkdtempSync(join(tmpdir(), 'afbus-host-'));
  process.env.XDG_STATE_HOME = folder;
  return {
    async tearDown() {
      await stop({ kernel });
      if (before === undefined) delete process.env.XDG_STATE_HOME;
      else process.env.XDG_STATE_HOME = before;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
