// SPDX-License-Identifier: MIT
/** `afbus-topo dbus-daemon` */
import { runDaemon } from '../../daemon/daemon.ts';
import { InvalidInput } from '../common/errors.ts';

export interface DaemonFlags {
  readonly address: string;
  readonly listen: readonly string[];
  /** `true` if no descriptor is given. */
  readonly printAddress?: string | true;
  readonly config?: string;
}

const STDOUT = 1;

export async function dbusDaemon({ printAddress, ...flags }: DaemonFlags): Promise<void> {
  await runDaemon({
    ...flags,
    ...(printAddress !== undefined && { printAddress: descriptor(printAddress) }),
  });
}

function descriptor(text: string | true): number {
  if (text === true) return STDOUT;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidInput(`${JSON.stringify(text)} is no descriptor`, 'Write --print-address=1.');
}
