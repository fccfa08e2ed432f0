// SPDX-License-Identifier: MIT
/** Which messages for others a client wants. */
import { type Arg, argsOf, type Header, matches, type Rule } from '../../runner/dbus/index.ts';
import type { Driver } from '../driver/driver.ts';

/**
 * Whether one of the rules matches; no rules are all. The message is a checked one. Its body may be long, and is read
 * only for a rule that asks for an argument. `unique`: the sender.
 */
export function hears(
  driver: Driver,
  rules: readonly Rule[],
  header: Header,
  bytes: Uint8Array,
  unique: string,
): boolean {
  let args: readonly Arg[] | undefined;
  const message = {
    ...header,
    get args() {
      args ??= argsOf(bytes, header);
      return args;
    },
  };
  const { destination } = header;
  const recipient = destination === undefined ? undefined : driver.ownerOf(destination);
  const parties = {
    unique,
    owns: (name: string) => driver.names.ownerOf(name)?.name === unique,
    isFor: (name: string) =>
      name === destination || (recipient !== undefined && driver.ownerOf(name) === recipient),
  };
  return rules.length === 0 || rules.some((rule) => matches(rule, message, parties));
}
