// SPDX-License-Identifier: MIT
/** D-Bus values as values of TypeScript. */

/**
 * A value together with its type: what a variant holds, and what each argument of a message is.
 *
 * | type | value |
 * |---|---|
 * | `y n q i u d` | number |
 * | `h` | number: which of the message's descriptors |
 * | `x t` | bigint; a safe integer is taken too |
 * | `b` | boolean |
 * | `s o g` | string |
 * | `ay` | Uint8Array; another array of numbers is taken too |
 * | `a…` | array |
 * | `a{…}` | Map; a plain object is taken too, if the keys are strings |
 * | `(…)` | array of its members |
 * | `v` | Variant |
 */
export interface Variant {
  /** The signature of one complete type. */
  readonly type: string;
  readonly value: Value;
}

export type Value =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | Variant
  | readonly Value[]
  | ReadonlyMap<Value, Value>
  | { readonly [key: string]: Value };

/** An argument of a message's body. */
export type Arg = Variant;
