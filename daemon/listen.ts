// SPDX-License-Identifier: MIT
/** Listens for legacy clients at `unix:` addresses (D-Bus Specification, "Unix Domain Sockets"). */
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BusError, UnixListener, UnixStream } from '../native/lib/index.ts';
import { InvalidInput } from '../runner/common/errors.ts';
import { type Address, formatAddress, socketPath } from '../runner/dbus/index.ts';

export interface Listening {
  readonly listener: UnixListener;
  /** As clients write it. */
  readonly address: Address;
  /** The socket's file, to be removed at the end; absent for an abstract name. */
  readonly inode: string | undefined;
}

/** Every process that can reach the path may connect; the policy decides then. */
const ANYONE = 0o777;

export function listen(address: Address, env: NodeJS.ProcessEnv): Listening {
  const resolved = resolve(address, env);
  const path = socketPath(resolved);
  const inode = path.startsWith('@') ? undefined : path;
  if (inode !== undefined) removeStale(inode);
  const listener = UnixListener.listen(path);
  if (inode !== undefined) chmodSync(inode, ANYONE);
  return { listener, address: resolved, inode };
}

/** `dir`, `tmpdir` and `runtime` name a folder, in which this generates a name. */
function resolve(address: Address, env: NodeJS.ProcessEnv): Address {
  const { transport, options } = address;
  const folder = options.get('dir') ?? options.get('tmpdir');
  if (folder !== undefined) return at(transport, join(folder, `dbus-${randomBytes(5).toString('hex')}`));
  if (!options.has('runtime')) return address;
  if (env.XDG_RUNTIME_DIR === undefined)
    throw new InvalidInput(
      `${formatAddress(address)} needs XDG_RUNTIME_DIR`,
      'Set it, or write unix:path=/run/my-bus.',
    );
  mkdirSync(env.XDG_RUNTIME_DIR, { recursive: true, mode: 0o700 });
  return at(transport, join(env.XDG_RUNTIME_DIR, 'bus'));
}

const at = (transport: string, path: string): Address => ({ transport, options: new Map([['path', path]]) });

/** Removes a socket at which nobody listens any more. If somebody does, bind fails. */
function removeStale(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  try {
    UnixStream.connect(path).close();
  } catch (error) {
    if (error instanceof BusError && error.code === 'ECONNREFUSED') rmSync(path);
  }
}
