// SPDX-License-Identifier: MIT
/** Options and names that every bus socket has, whichever its role. */

import type { Constants, RawSocket } from './addon.ts';
import { addressFromKernel, type BusAddress } from './address.ts';
import { check, closedError } from './errors.ts';
import { type FilterInstruction, packFilter } from './filter.ts';
import { loadedAddon } from './load.ts';
import { decodePath } from './path.ts';

export abstract class BusOptions {
  readonly #raw: RawSocket;

  protected constructor(raw: RawSocket) {
    this.#raw = raw;
  }

  /** The open socket. Throws EBADF once closed. */
  protected get raw(): RawSocket {
    if (this.closed) throw closedError('socket', false);
    return this.#raw;
  }

  get closed(): boolean {
    return this.#raw.fd < 0;
  }

  /** Descriptor number, close-on-exec, owned by this object; -1 once closed. */
  get fd(): number {
    return this.#raw.fd;
  }

  /** SO_PASSCRED: messages carry `credentials`. */
  get passCredentials(): boolean {
    return this.#flag('SOL_SOCKET', 'SO_PASSCRED');
  }
  set passCredentials(on: boolean) {
    this.#setFlag('SOL_SOCKET', 'SO_PASSCRED', on);
  }

  /** BUS_PASSSEQ: messages carry `sequence`. ENOTCONN or EINVAL on a listening socket. */
  get passSequence(): boolean {
    return this.#flag('SOL_BUS', 'BUS_PASSSEQ');
  }
  set passSequence(on: boolean) {
    this.#setFlag('SOL_BUS', 'BUS_PASSSEQ', on);
  }

  /** SO_PASSSEC: messages carry `security`. */
  get passSecurity(): boolean {
    return this.#flag('SOL_SOCKET', 'SO_PASSSEC');
  }
  set passSecurity(on: boolean) {
    this.#setFlag('SOL_SOCKET', 'SO_PASSSEC', on);
  }

  /** SO_TIMESTAMP: messages carry `timestamp`. */
  get timestamps(): boolean {
    return this.#flag('SOL_SOCKET', 'SO_TIMESTAMP');
  }
  set timestamps(on: boolean) {
    this.#setFlag('SOL_SOCKET', 'SO_TIMESTAMP', on);
  }

  /** SO_PEEK_OFF in bytes; -1 off. */
  get peekOffset(): number {
    return this.#int('SOL_SOCKET', 'SO_PEEK_OFF');
  }
  set peekOffset(bytes: number) {
    this.#setInt('SOL_SOCKET', 'SO_PEEK_OFF', bytes);
  }

  /** SO_SNDBUF in bytes as the kernel counts them (twice what was set). */
  get sendBufferSize(): number {
    return this.#int('SOL_SOCKET', 'SO_SNDBUF');
  }
  set sendBufferSize(bytes: number) {
    this.#setInt('SOL_SOCKET', 'SO_SNDBUF', bytes);
  }

  /** SO_PROTOCOL as a word. */
  get protocol(): 'none' | 'dbus' {
    return this.#int('SOL_SOCKET', 'SO_PROTOCOL') === loadedAddon().constants.BUS_PROTO_DBUS
      ? 'dbus'
      : 'none';
  }

  /** getsockopt of an int, for options without a property here. */
  getOption(level: number, name: number): number {
    const [error, value] = this.raw.getInt(level, name);
    check(error, `getsockopt ${level}/${name}`);
    return value;
  }

  /** setsockopt of an int, for options without a property here. */
  setOption(level: number, name: number, value: number): void {
    check(this.raw.setInt(level, name, value), `setsockopt ${level}/${name}`);
  }

  protected setFilter(program: readonly FilterInstruction[] | null): void {
    const result = this.raw.setFilter(program && packFilter(program));
    check(result, program ? 'setsockopt SO_ATTACH_FILTER' : 'setsockopt SO_DETACH_FILTER');
  }

  /** getsockname or getpeername. */
  protected nameOf(peer: boolean): { address: BusAddress; path: string } {
    const parts = new Float64Array(2);
    const path = this.raw.name(peer, parts);
    if (typeof path === 'number') throw check(path, peer ? 'getpeername' : 'getsockname');
    return { address: addressFromKernel(parts[0] as number, parts[1] as number), path: decodePath(path) };
  }

  protected busInt(name: keyof Constants): number {
    return this.#int('SOL_BUS', name);
  }

  protected setBusInt(name: keyof Constants, value: number): void {
    this.#setInt('SOL_BUS', name, value);
  }

  #int(level: keyof Constants, name: keyof Constants): number {
    const { constants } = loadedAddon();
    const [error, value] = this.raw.getInt(constants[level], constants[name]);
    check(error, `getsockopt ${name}`);
    return value;
  }

  #setInt(level: keyof Constants, name: keyof Constants, value: number): void {
    const { constants } = loadedAddon();
    check(this.raw.setInt(constants[level], constants[name], value), `setsockopt ${name}`);
  }

  #flag(level: keyof Constants, name: keyof Constants): boolean {
    return this.#int(level, name) !== 0;
  }

  #setFlag(level: keyof Constants, name: keyof Constants, on: boolean): void {
    this.#setInt(level, name, on ? 1 : 0);
  }
}
