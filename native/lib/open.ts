// SPDX-License-Identifier: MIT
/** Opens sockets of the family that this machine's kernel has. */
import type { RawSocket } from './addon.ts';
import { busError } from './errors.ts';
import { busFamily } from './family.ts';
import { loadedAddon } from './load.ts';
import { OwnedFd } from './owned-fd.ts';

/** BUS_PROTO_NONE, or BUS_PROTO_DBUS with message filtering by the kernel. */
export type Protocol = 'none' | 'dbus';

/** A non-blocking, close-on-exec SOCK_SEQPACKET. Throws BusError. */
export function openSocket(protocol: Protocol = 'none'): RawSocket {
  const { BUS_PROTO_NONE, BUS_PROTO_DBUS } = loadedAddon().constants;
  const numbers = { none: BUS_PROTO_NONE, dbus: BUS_PROTO_DBUS };
  if (!Object.hasOwn(numbers, protocol))
    throw new TypeError(`protocol '${protocol}' is neither 'none' nor 'dbus'`);
  return okSocket(loadedAddon().open(busFamily(), numbers[protocol]), 'socket');
}

/** Takes over an open descriptor; if it is no bus socket (EAFNOSUPPORT), the caller keeps it. */
export function adoptSocket(fd: number | OwnedFd): RawSocket {
  const number = typeof fd === 'number' ? fd : fd.fd;
  const raw = okSocket(loadedAddon().adopt(number, busFamily()), 'getsockopt SO_DOMAIN');
  if (fd instanceof OwnedFd) fd.take();
  return raw;
}

/** The socket; throws the error if an errno was returned instead. */
export function okSocket(made: RawSocket | number, syscall: string, path?: string): RawSocket {
  if (typeof made === 'number') throw busError(made, { syscall, ...(path !== undefined && { path }) });
  return made;
}
