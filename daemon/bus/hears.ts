// SPDX-License-Identifier: MIT
/** Which messages for others a client wants. */
import { matches, parsed, type Rule } from '../../runner/dbus/index.ts';
import type { Driver } from '../driver/driver.ts';

/** Whether one of the rules matches; no rules are all. `unique`: the sender. */
export function hears(driver: Driver, rules: readonly Rule[], bytes: Uint8Array, unique: string): boolean {
  const message = parsed(bytes);
  if (message === undefined) return false;
  const { destination } = message;
  const recipient = destination === undefined ? undefined : driver.ownerOf(destination);
  const parties = {
    unique,
    owns: (name: string) => driver.names.ownerOf(name)?.name === unique,
    isFor: (name: string) =>
      name === destination || (recipient !== undefined && driver.ownerOf(name) === recipient),
  };
  return rules.length === 0 || rules.some((rule) => matches(rule, message, parties));
}
