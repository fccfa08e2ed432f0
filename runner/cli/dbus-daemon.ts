// SPDX-License-Identifier: MIT
/** `afbus-topo dbus-daemon` */
import { runDaemon } from '../../daemon/daemon.ts';
import { AddonLoadError } from '../../native/lib/index.ts';
import { EnvironmentError, InvalidInput } from '../common/errors.ts';

export interface DaemonFlags {
  readonly address: string;
  readonly listen?: readonly string[];
  /** `true` if no descriptor is given. */
  readonly printAddress?: string | true;
  readonly config?: string;
}

const STDOUT = 1;

export async function dbusDaemon({ printAddress, listen = [], ...flags }: DaemonFlags): Promise<void> {
  const options = {
    ...flags,
    listen,
    ...(printAddress !== undefined && { printAddress: descriptor(printAddress) }),
  };
  try {
    await runDaemon(options);
  } catch (error) {
    // Not a bug of this tool: something has not been built yet.
    throw error instanceof AddonLoadError
      ? new EnvironmentError('this bus cannot open a socket of AF_BUS', error.message)
      : error;
  }
}

function descriptor(text: string | true): number {
  if (text === true) return STDOUT;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidInput(
    `--print-address takes the number of a descriptor, not ${JSON.stringify(text)}`,
    'Write --print-address=1.',
  );
}
