// SPDX-License-Identifier: MIT
/** Whether this machine has AF_BUS, and with which family number. */
import { readFileSync } from 'node:fs';
import { busError } from './errors.ts';
import { loadedAddon } from './load.ts';

export type Support =
  | { readonly supported: true; readonly family: number }
  | { readonly supported: false; readonly reason: string; readonly error: Error };

const PARAMETER = '/sys/module/af_bus/parameters/family';

/**
 * Never throws. `family` is the number that the loaded module has registered. If no module is loaded, this opens a
 * socket of the default family, which makes the kernel load it.
 */
export function isSupported(): Support {
  try {
    return { supported: true, family: busFamily() };
  } catch (error) {
    return { supported: false, reason: (error as Error).message, error: error as Error };
  }
}

let known: number | undefined;

/** The family number. Throws BusError (EAFNOSUPPORT) if there is none, AddonLoadError without the addon. */
export function busFamily(): number {
  known ??= findFamily();
  return known;
}

function findFamily(): number {
  const addon = loadedAddon();
  const loaded = readFamily();
  if (loaded !== undefined) return loaded;
  const { DEFAULT_FAMILY, EAFNOSUPPORT } = addon.constants;
  const probe = addon.open(DEFAULT_FAMILY, 0);
  if (typeof probe === 'number')
    throw busError(probe, { syscall: `socket AF_BUS (family ${DEFAULT_FAMILY})` });
  probe.close();
  // Another protocol family may have taken the number, so only what the module says counts.
  const family = readFamily();
  if (family === undefined) throw busError(-EAFNOSUPPORT, { syscall: 'socket AF_BUS', path: PARAMETER });
  return family;
}

function readFamily(): number | undefined {
  try {
    return Number.parseInt(readFileSync(PARAMETER, 'utf8'), 10);
  } catch {
    return undefined;
  }
}
