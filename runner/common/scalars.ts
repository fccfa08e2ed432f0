// SPDX-License-Identifier: MIT
/** Parses texts with a unit or a fixed form. The schema uses the same patterns, so the texts have been checked. */
import { UNITS } from './size.ts';

export const DURATION = /^(\d+(?:\.\d+)?)(us|ms|s|m)$/;
export const SIZE = /^(\d+)(B|KiB|MiB)$/;
/** The lower end of a range may omit its unit and is in bytes then. */
export const SIZE_RANGE = /^(?:(\d+(?:B|KiB|MiB)?)\.\.)?(\d+(?:B|KiB|MiB))$/;
/** More than 0: a send at rate 0 would never end. */
export const RATE = /^(?![0.]+\/)(\d+(?:\.\d+)?)\/(s|m)$/;
export const USER = /^(\d{1,10}):(\d{1,10})$/;
export const ADDRESS = /^([0-9a-fA-F]{4})\/([0-9a-fA-F]{12})$/;
/** At most as long as a host name, since nodes become hosts. */
export const NAME = /^[a-z][a-z0-9-]{0,62}$/;
/** A key that holds what the anchors of a file name. */
export const EXTENSION = /^x-/;
export const HEX = /^(?:[0-9a-fA-F]{2})*$/;
export const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const MILLISECONDS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/** `500ms` → 500 */
export function duration(text: string): number {
  const [, number = '0', unit = 'ms'] = DURATION.exec(text) ?? [];
  return Number(number) * (MILLISECONDS[unit] ?? 1);
}

/** `208KiB` → 212992; plain digits are bytes. */
export function size(text: string): number {
  const [, number = text, unit = 'B'] = SIZE.exec(text) ?? [];
  return Number(number) * (UNITS[unit] ?? 1);
}

/** `64..4KiB` → both ends; one size is both. */
export function sizeRange(text: string): { min: number; max: number } {
  const [, low, high = '0'] = SIZE_RANGE.exec(text) ?? [];
  return { min: size(low ?? high), max: size(high) };
}

/** `2000/s` → 2000 */
export function rate(text: string): number {
  const [, number = '0', unit = 's'] = RATE.exec(text) ?? [];
  return Number(number) / (unit === 'm' ? 60 : 1);
}

/** `1000:100` → ids */
export function user(text: string): { readonly uid: number; readonly gid: number } {
  const [, uid = '0', gid = '0'] = USER.exec(text) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
