// SPDX-License-Identifier: MIT
/** What a program exports: interfaces with methods, properties and signals. */
import type { Value } from '../runner/dbus/index.ts';
import type { Received } from './connection.ts';

export type Values = readonly Value[];

export interface Method {
  /** Signatures of its arguments and of its reply; default none. */
  readonly in?: string;
  readonly out?: string;
  /**
   * Returns the values of the reply, or nothing if `out` is empty. An error that it throws goes to the caller: a
   * DbusError as it is, any other as `org.freedesktop.DBus.Error.Failed`. The descriptors of the call are closed
   * afterwards, except for those that the method has taken. A reply has no descriptors.
   */
  call(args: Values, message: Received): Values | undefined | Promise<Values | undefined>;
}

export interface Property {
  /** The signature of one complete type. */
  readonly type: string;
  get(): Value | Promise<Value>;
  /** Without it, the property is read-only. PropertiesChanged is sent after it returns. */
  set?(value: Value, message: Received): void | Promise<void>;
}

export interface Interface {
  readonly methods?: Readonly<Record<string, Method>>;
  readonly properties?: Readonly<Record<string, Property>>;
  /** Signatures of their arguments. */
  readonly signals?: Readonly<Record<string, string>>;
}

/** By their names. */
export type Interfaces = Readonly<Record<string, Interface>>;

/** The member with this name. The name comes from another client, so inherited ones like `constructor` do not count. */
export const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
