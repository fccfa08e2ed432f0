// SPDX-License-Identifier: MIT
import type { Path } from '../../common/diagnostic.ts';
import type { Scope } from './scope.ts';

/** Warns of names that a list of recipients has twice: it may be meant as two copies, which nobody gets. */
export function warnOfTwins({ problems }: Scope, names: readonly string[], path: Path): void {
  names.forEach((name, n) => {
    if (names.indexOf(name) === n) return;
    const message = `"${name}" is in this list already: each recipient gets one copy of a message`;
    problems.warning([...path, n], { code: 'vacuous', message, hint: 'Remove it.' });
  });
}
