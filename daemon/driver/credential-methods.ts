// SPDX-License-Identifier: MIT
/** org.freedesktop.DBus: the credentials of clients. */
import { type Arg, DRIVER, type Value, type Variant } from '../../runner/dbus/index.ts';
import type { Call } from './call.ts';
import { DriverError } from './error.ts';
import { uint32 } from './message.ts';
import type { Credentials } from './peer.ts';

/** Credentials of the process that owns the name in the call. */
function credentialsOf(call: Call, what: string): Credentials {
  const name = call.string(0);
  const found = name === DRIVER ? call.driver.self : call.driver.ownerOf(name)?.credentials;
  if (found === undefined)
    throw new DriverError('NameHasNoOwner', `Could not get ${what} of name '${name}': no such name`);
  return found;
}

export const unixUser = (call: Call): readonly Arg[] => [uint32(credentialsOf(call, 'UID').uid)];

export const unixProcessId = (call: Call): readonly Arg[] => [uint32(credentialsOf(call, 'PID').pid)];

export function all(call: Call): readonly Arg[] {
  const { pid, uid, groups, security } = credentialsOf(call, 'credentials');
  const value = new Map<Value, Variant>([
    ['ProcessID', uint32(pid)],
    ['UnixUserID', uint32(uid)],
  ]);
  if (groups !== undefined) value.set('UnixGroupIDs', { type: 'au', value: groups });
  // The terminating NUL is a part of it.
  if (security !== undefined)
    value.set('LinuxSecurityLabel', { type: 'ay', value: Buffer.from(`${security}\0`) });
  return [{ type: 'a{sv}', value }];
}

export function selinuxContext(call: Call): never {
  credentialsOf(call, 'security context');
  throw new DriverError(
    'SELinuxSecurityContextUnknown',
    `Could not determine security context for '${call.string(0)}'`,
  );
}

export function auditSessionData(call: Call): never {
  credentialsOf(call, 'audit session data');
  throw new DriverError(
    'AdtAuditDataUnknown',
    `Could not determine audit session data for '${call.string(0)}'`,
  );
}
