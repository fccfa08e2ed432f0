// SPDX-License-Identifier: MIT
/** What a client does not want of its messages: the program of its `filter`, and the size of its `buffer`. */

import type { Path } from '../../common/diagnostic.ts';
import { ENVELOPE_SIZE, IDENTITY_SIZE } from '../../common/envelope.ts';
import { CLASS, type Filter, RETURN_A } from '../../common/filter.ts';
import { LIMITS } from '../../common/limits.ts';
import { size } from '../../common/scalars.ts';
import type { BusSpec } from '../../topology/topology.ts';
import { assemble } from './bpf.ts';
import type { Scope, WrittenFilter } from './scope.ts';

/** The program; reports errors and returns undefined if it is invalid. */
export function filterOf(
  { problems }: Scope,
  written: WrittenFilter,
  bus: BusSpec | undefined,
  path: Path,
): Filter | undefined {
  if ('drop' in written) return [returning(0)];
  if (bus?.protocol === 'dbus') {
    const [key = ''] = Object.keys(written);
    problems.error([...path, key], { code: 'impossible', ...cutsEnd, onKey: true });
    return undefined;
  }
  if ('keep' in written) {
    const kept = size(written.keep);
    if (kept < IDENTITY_SIZE) problems.error([...path, 'keep'], { code: 'impossible', ...tooShort(kept) });
    return [returning(kept)];
  }
  const assembled = assemble(written.bpf);
  const at = [...path, 'bpf'];
  if ('mistakes' in assembled) {
    for (const { message, hint, ...piece } of assembled.mistakes)
      problems.error(at, { code: 'bad-value', message, hint, piece });
    return undefined;
  }
  const short = assembled.program.find(isTooShort);
  if (short !== undefined) problems.error(at, { code: 'impossible', ...tooShort(short.k) });
  return assembled.program;
}

/** How many bytes the client reads of a message. Reports an error if what it reads cannot be identified. */
export function bufferOf({ problems }: Scope, written: string, bus: BusSpec | undefined, path: Path): number {
  const bytes = size(written);
  if (bus?.protocol === 'dbus') {
    const hint = 'Remove `buffer`.';
    problems.error(path, { code: 'impossible', message: cutsEnd.message, hint, onKey: true });
  } else if (bytes < IDENTITY_SIZE) {
    const hint = `Read ${IDENTITY_SIZE} bytes or more of the ${ENVELOPE_SIZE} that mark each message.`;
    problems.error(path, { code: 'impossible', message: tooShort(bytes).message, hint });
  } else if (bytes > LIMITS.bufferBytes.most) {
    const message = `no message is as long as ${bytes} bytes`;
    const hint = 'Remove `buffer`: without it, each message is read whole.';
    problems.error(path, { code: 'impossible', message, hint });
  }
  return bytes;
}

const returning = (k: number): Filter[number] => ({ code: CLASS.ret, jt: 0, jf: 0, k });

const isTooShort = ({ code, k }: Filter[number]): boolean =>
  (code & 7) === CLASS.ret && (code & RETURN_A) === 0 && k > 0 && k < IDENTITY_SIZE;

/** In a D-Bus message the envelope is the last argument, so a cut end loses it. */
const cutsEnd = {
  message: 'the end of a D-Bus message tells which message it is, so it must not be cut off',
  hint: 'Write { drop: true }, or choose by match rules what the client gets.',
};

/** A copy is identified by the first bytes of its envelope. */
const tooShort = (bytes: number) => ({
  message: `a copy of ${bytes} bytes is too short to tell which message it is`,
  hint: `Keep ${IDENTITY_SIZE} bytes or more of the ${ENVELOPE_SIZE} that mark each message, or drop it (0).`,
});
