// SPDX-License-Identifier: MIT
/**
 * A network of a program's own. QEMU listens at the ports of its guest with a queue of one, which another user of the
 * machine can keep full. On the 127.0.0.1 of another network no other user can connect.
 */

import { spawnSync } from 'node:child_process';
import type { Exposure } from './types.ts';

/** A program and its arguments → the same in a network of its own, under the same process id. */
export type Enclosure = (argv: readonly string[]) => readonly string[];

const UP = 'busybox ip link set lo up && exec "$@"';
/** The maker of a user namespace has all capabilities in it, and QEMU needs none. */
const WITHOUT_CAPABILITIES = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];

/** What the relay beside QEMU needs: see access.ts. */
export const ENDS_WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL'];

const ENCLOSURES: readonly Enclosure[] = [
  (argv) => ['unshare', '--net', 'sh', '-c', UP, 'sh', ...argv], // takes root
  (argv) => [
    ...['unshare', '--user', '--map-root-user', '--net', 'sh', '-c', UP, 'sh'],
    ...WITHOUT_CAPABILITIES,
    ...argv,
  ],
];

const HINT =
  'before you start it, allow user namespaces (sysctl user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns), or become root with CAP_SYS_ADMIN';

/** What works on this machine, or why there is none. */
export function ownNetwork(): Enclosure | Exposure {
  let why = '';
  for (const enclosure of ENCLOSURES) {
    const [program = '', ...args] = enclosure([...ENDS_WITH_PARENT, 'true']);
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
    if (status === 0) return enclosure;
    why = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  }
  return { why: `it can have no network of its own here (${why})`, hint: HINT };
}
