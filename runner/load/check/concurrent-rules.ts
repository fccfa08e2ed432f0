// SPDX-License-Identifier: MIT
/** Match rules that branches of `parallel` remove from a client which never has them, or has fewer of them. */

import type { Path } from '../../common/diagnostic.ts';
import { areConcurrent, type Visit } from '../../topology/steps.ts';
import type { FaultStep } from '../../topology/topology.ts';
import { lacks, type PartyState, ruleKey } from '../resolve/index.ts';
import { type Places, pathOf } from './places.ts';

/** Reports the first rule that cannot be removed; `before` is the state at the start of the step. */
export function checkConcurrentRules(
  places: Places,
  before: PartyState,
  faults: readonly Visit<FaultStep>[],
): void {
  const same = Map.groupBy(faults, ({ step: { action } }) =>
    'rule' in action ? JSON.stringify([action.client, ruleKey(action.rule)]) : '',
  );
  for (const [what, changes] of same) {
    if (what === '') continue;
    const [client, key] = JSON.parse(what) as [string, string];
    const rules = before.client(client)?.rules ?? [];
    const count = rules.filter((each) => each === key).length;
    for (const [n, fault] of changes.entries()) {
      if (isTaken(fault)) checkTaken(places, fault, changes.slice(0, n), changes, { client, rules, count });
    }
  }
}

const isTaken = ({ step }: Visit<FaultStep>): boolean => step.action.fault === 'remove-match';

interface Had {
  readonly client: string;
  readonly rules: readonly string[];
  /** How many of its rules say the same. */
  readonly count: number;
}

/**
 * Earlier changes in the fault's own branch have happened. Of other branches, additions may have happened; removals are
 * not assumed.
 */
function checkTaken(
  places: Places,
  fault: Visit<FaultStep>,
  earlier: readonly Visit<FaultStep>[],
  all: readonly Visit<FaultStep>[],
  { client, rules, count }: Had,
): void {
  const own = earlier.filter((other) => !areConcurrent(other, fault));
  const beside = all.filter((other) => areConcurrent(other, fault));
  const given = [...own, ...beside].filter((other) => !isTaken(other)).length;
  const held = count + given - own.filter(isTaken).length;
  const [rival, ...rivals] = earlier.filter((other) => isTaken(other) && areConcurrent(other, fault));
  const path = ruleOf(pathOf(places, fault.step));
  if (held < 1) {
    const [message, hint] = lacks(client, rules);
    places.problems.error(path, { code: 'impossible', message, hint });
  } else if (rival && held <= 1 + rivals.length) {
    const message = `the rule is taken from "${client}" in another branch, at line ${rival.step.place.line}`;
    const hint = 'Only the first of the two can be carried out: remove one of them.';
    places.problems.error(path, { code: 'impossible', message, hint });
  }
}

/** The fault that ends a `for` has no rule of its own in the file. */
const ruleOf = (path: Path): Path => (path.at(-1) === 'fault' ? path : [...path.slice(0, -1), 'rule']);
