// SPDX-License-Identifier: MIT
/**
 * Beside the socket of legacy clients, a symbolic link whose text is the address of the bus: with
 * libafbus-dbus-preload.so they go there by themselves.
 */
import { lstatSync, rmSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Address, formatAddress } from '../runner/dbus/index.ts';
import { toStderr } from './bus/log.ts';

/** The link, if it could be put there: the socket works without it. */
export function putSignpost(socket: string, { transport, options }: Address): readonly string[] {
  const link = `${socket}.afbus`;
  const path = options.get('path');
  const bus = { transport, options: path === undefined ? options : new Map([['path', resolve(path)]]) };
  try {
    // That of an earlier daemon at this path: there is none now, or the socket could not have been made.
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(link);
    symlinkSync(formatAddress(bus), link);
    return [link];
  } catch (error) {
    toStderr(`cannot make the link by which programs find this bus: ${(error as Error).message}`);
    return [];
  }
}
