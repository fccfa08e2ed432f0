// SPDX-License-Identifier: MIT
/** The schema of texts with a unit or a fixed form, for all keys that have one. */
import { ADDRESS, DURATION, RATE, SIZE } from '../../common/scalars.ts';
import { list, map, ref, text } from './blocks.ts';

export const duration = text(DURATION, 'a duration', (input) =>
  /^\d+$/.test(String(input))
    ? `Durations carry units: ${input}ms, ${input}s.`
    : 'Units are us, ms, s and m: 500ms.',
);

export const rate = text(RATE, 'a rate', (input) => {
  if (/^[0.]+(\/|$)/.test(String(input))) return 'A rate is more than 0: 1/m.';
  return /^\d+$/.test(String(input)) ? `Rates carry a unit: ${input}/s.` : 'Write 2000/s.';
});

export const size = text(SIZE, 'a size', (input) =>
  /^\d+$/.test(String(input))
    ? `Sizes carry units: ${input}B, ${input}KiB.`
    : 'Units are B, KiB and MiB: 208KiB.',
);

export const address = text(ADDRESS, 'an address', 'Write pppp/cccccccccccc in hex: "0002/00000000f00d".');

export const fds = list(map({ pipe: ref('the name of a pipe') }, 'a descriptor', 'Write { pipe: p1 }.'));
