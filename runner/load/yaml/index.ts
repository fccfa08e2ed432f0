// SPDX-License-Identifier: MIT
/** Turns files into one tree of values, each of which knows where it is written. */
export { steering } from './complaints.ts';
export { compose, type Part, syntaxErrors } from './compose.ts';
export type { SourceNode } from './construct.ts';
export { fillSends, takenBySend } from './defaults.ts';
export { Library, type Opened } from './library.ts';
export { type Combination, nameOfCombination, readMatrix } from './matrix.ts';
export { deepMerge, isMap } from './merge.ts';
export { folderOf, type Read, readBelow, readStdin } from './read.ts';
export { BUILT_IN } from './source.ts';
export type { Tree } from './tree.ts';
export type { Variables } from './variables.ts';
