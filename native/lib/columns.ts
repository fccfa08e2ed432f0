// SPDX-License-Identifier: MIT
/**
 * A batch in columns, as the addon packs it for agents (native/src/columns.h). Not for users: the addon looks for the
 * envelope of the runner's messages.
 */
import type { Addon } from './addon.ts';
import { addressFromKernel, type BusAddress } from './address.ts';
import type { Credentials } from './message.ts';

/** Whole messages of the run that have nothing else than a sequence number and credentials. */
export interface Columns {
  readonly count: number;
  readonly number: readonly number[];
  readonly sequence: readonly number[];
  /** The bytes that were received. */
  readonly length: readonly number[];
  /** Indexes of `kinds`. */
  readonly kind: readonly number[];
  readonly kinds: readonly ColumnsKind[];
  /** Number of the last fence among them; -1 if there is none. */
  readonly lastFence: number;
}

export interface ColumnsKind {
  readonly fence: boolean;
  readonly from: BusAddress;
  readonly credentials: Credentials;
}

let last: Columns | undefined;

/** The batch about which the addon's last `receive` has returned these flags: the same object for equal batches. */
export function columnsOf(addon: Addon, flags: number): Columns {
  if (last === undefined || (flags & addon.layout.repeated) === 0) last = unpackColumns(addon);
  return last;
}

/** What that `receive` left in `addon.batch`, copied from there. */
function unpackColumns({ batch, layout }: Addon): Columns {
  const count = batch[layout.columnsCount] as number;
  const kindsAt = layout.columnsHeader + layout.columns * count;
  const end = kindsAt + layout.kindStride * (batch[layout.columnsKinds] as number);
  const column = (place: number) => {
    const start = layout.columnsHeader + place * count;
    return numbersOf(batch.subarray(start, start + count));
  };
  const kinds: ColumnsKind[] = [];
  for (let row = kindsAt; row < end; row += layout.kindStride) kinds.push(kindAt(batch, row, layout));
  return {
    count,
    number: column(layout.numberColumn),
    sequence: column(layout.sequenceColumn),
    length: column(layout.lengthColumn),
    kind: column(layout.kindColumn),
    kinds,
    lastFence: batch[layout.lastFence] as number,
  };
}

/** By one call of the engine, which costs less than to copy the table or to run a loop that is not compiled yet. */
function numbersOf(values: Float64Array): number[] {
  const numbers: number[] = [];
  Array.prototype.push.apply(numbers, values as ArrayLike<number> as number[]);
  return numbers;
}

function kindAt(table: Float64Array, row: number, layout: Addon['layout']): ColumnsKind {
  const at = (field: number): number => table[row + field] as number;
  const flags = at(layout.kindFlags);
  return {
    fence: (flags & layout.kindFence) !== 0,
    from: addressFromKernel(at(layout.kindPrefix), at(layout.kindClient)),
    credentials: { pid: at(layout.kindPid), uid: at(layout.kindUid), gid: at(layout.kindGid) },
  };
}
