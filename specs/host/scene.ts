// SPDX-License-Identifier: MIT
/** A host of the specs' own: its state is in a folder of theirs, its image in the user's cache. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'mocha';
import { addressOf } from '../../runner/host/address.ts';
import { type KernelVersion, stop } from '../../runner/host/host.ts';

export const kernel = (process.env.AFBUS_KERNEL ?? '6.12') as KernelVersion;

/** Points the host's state elsewhere while a suite runs, and stops that host at its end. Hooks: suites are all read first. */
export function ownState(): void {
  const outer = process.env.XDG_STATE_HOME;
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'afbus-host-'));
    process.env.XDG_STATE_HOME = folder;
  });
  after(async () => {
    await stop({ kernel });
    if (outer === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = outer;
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Of a socket; a host that is reached by ports has none. */
export function pathOf(url: string): string {
  const address = addressOf(url);
  if (!('path' in address)) throw new Error(`${url} is no socket: see "afbus-topo doctor", "access"`);
  return address.path;
}
