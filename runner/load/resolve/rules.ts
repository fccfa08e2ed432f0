// SPDX-License-Identifier: MIT
/** Match rules of clients: checks their texts and compares them. */

import type { Path } from '../../common/diagnostic.ts';
import { didYouMean } from '../../common/nearest.ts';
import { MAX_RULES, parseRule, RULE_KEYS } from '../../dbus/index.ts';
import type { BusSpec } from '../../topology/topology.ts';
import type { Scope } from './scope.ts';

/** The valid rules; reports errors for the others, and if the bus uses no rules. */
export function rulesOf(
  scope: Scope,
  texts: readonly string[],
  bus: BusSpec | undefined,
  path: Path,
): readonly string[] {
  if (texts.length > 0 && !asksForRules(scope, bus, path)) return [];
  if (texts.length > MAX_RULES) tooMany(scope, MAX_RULES, 'match rules', [...path, MAX_RULES]);
  return texts.filter((text, n) => isRule(scope, text, [...path, n]));
}

/** Reports more rules or names of a client than the module accepts. */
export function tooMany({ problems }: Scope, most: number, what: string, path: Path): undefined {
  const message = `the kernel takes ${most} ${what} of one client`;
  problems.error(path, { code: 'impossible', message, hint: 'Share them among several clients.' });
}

/** A text that is equal for rules that mean the same. */
export function ruleKey(text: string): string {
  const rule = parseRule(text);
  return 'key' in rule ? rule.key : text;
}

/** Message and hint for a rule that cannot be removed. */
export function lacks(client: string, rules: readonly string[]): [message: string, hint: string] {
  const message = `"${client}" has no such rule`;
  return rules.length === 0
    ? [message, 'It has none here: give it one with `match` or add-match.']
    : [message, 'It has others here: write the rule as `match` or add-match has it.'];
}

export function asksForRules({ problems }: Scope, bus: BusSpec | undefined, path: Path): boolean {
  if (bus === undefined || bus.protocol === 'dbus') return true;
  const message = `bus "${bus.name}" has no match rules: it carries bytes`;
  const hint = 'Rules are for buses with protocol: dbus.';
  problems.error(path, { code: 'impossible', message, hint, onKey: true });
  return false;
}

/** Reports mistakes in the text of a rule. */
export function isRule({ problems }: Scope, text: string, path: Path): boolean {
  const rule = parseRule(text);
  if (!('mistake' in rule)) return true;
  const { message, at, length, unknown, hint } = rule.mistake;
  problems.error(path, {
    code: unknown === undefined ? 'bad-value' : 'unknown-key',
    message: `not a match rule: ${message}, at character ${at + 1}`,
    ...(unknown !== undefined && { expected: `keys here: ${EXPECTED}` }),
    hint: unknown === undefined ? hint : didYouMean(unknown, RULE_KEYS),
    piece: { line: text, column: at, length },
  });
  return false;
}

const EXPECTED =
  'type, sender, interface, member, path, path_namespace, destination, arg0 … arg63, arg0path … arg63path, arg0namespace, eavesdrop';
