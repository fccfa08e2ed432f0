// SPDX-License-Identifier: MIT
/**
 * What a file says of message buses, beside what the model expects: before anything boots. What the model predicts and
 * the file does not say follows every slip, so failures and signals for nobody have to be written down.
 */

import type { Path } from '../../common/diagnostic.ts';
import { didYouMean } from '../../common/nearest.ts';
import { DRIVER, isWellKnown, matches, parseRule, type Rule, type Subject } from '../../dbus/index.ts';
import {
  type DbusExpected,
  expectedText,
  type Operation,
  predictOperations,
  resultText,
} from '../../predict/index.ts';
import type { DbusStep } from '../../topology/message-bus.ts';
import { flat } from '../../topology/steps.ts';
import type { Topology } from '../../topology/topology.ts';
import type { Places } from './places.ts';

/** Returns why an expectation of the file cannot hold, by step. */
export function checkMessageBuses(places: Places, topology: Topology): Map<string, string> {
  const contradictions = new Map<string, string>();
  if (topology.messageBuses === undefined) return contradictions;
  const { list, since } = predictOperations(topology);
  const firsts = new Map(
    list.flatMap((each) => (each.step === undefined ? [] : [[each.step, each] as const])),
  );
  for (const step of flat(topology.steps)) {
    if (step.kind !== 'dbus') continue;
    const operation = firsts.get(step.id);
    const words = operation
      ? checkStep(places, step, operation)
      : checkHeard(places, step, since.get(step.id));
    if (words !== undefined) contradictions.set(step.id, words);
  }
  checkRules(places, topology);
  return contradictions;
}

function checkStep(places: Places, step: DbusStep, operation: Operation): string | undefined {
  const { modelled, expected } = operation;
  const path = places.paths.get(step.id) ?? [];
  if (Object.keys(step.expect).length === 0) {
    unsaid(places, step, modelled, path);
    return undefined;
  }
  const [observed, wanted] = [expectedText(step.action, modelled), expectedText(step.action, expected)];
  if (observed === wanted) return undefined;
  const message = `this cannot happen here: the model says ${observed}, not ${wanted}`;
  places.problems.warning([...path, 'expect'], { code: 'impossible', message });
  return message;
}

/** An error of the file if nothing says on purpose that it comes to this. */
function unsaid(
  { problems }: Places,
  { action }: DbusStep,
  { outcome, recipients }: DbusExpected,
  path: Path,
): void {
  const say = (message: string, hint: string) => problems.error(path, { code: 'unsaid', message, hint });
  if (outcome.kind === 'error')
    say(`this fails with ${outcome.name}`, `Expect it: expect: { error: ${outcome.name} }.`);
  else if (action.do === 'signal' && recipients.length === 0)
    say('nobody gets this signal', 'Expect it: expect: { recipients: [] }.');
  else if (
    (action.do === 'own' || action.do === 'release') &&
    outcome.kind === 'reply' &&
    outcome.args !== 'u 1'
  ) {
    const word = resultText(action.do, outcome.args);
    say(`the result of this is ${word}`, `Expect it: expect: { result: ${word} }.`);
  }
}

function checkHeard(
  { problems, paths }: Places,
  { id, action }: DbusStep,
  modelled: readonly string[] = [],
): string | undefined {
  if (action.do !== 'hears') return undefined;
  const at = modelled.findIndex((text, n) => text !== action.heard[n]);
  const first = at < 0 ? modelled.length : at;
  if (first === modelled.length && action.heard.length === first) return undefined;
  const [told, wanted] = [modelled[first] ?? 'nothing more', action.heard[first]];
  const message = `this cannot be: the bus tells it ${told}`;
  const index = wanted === undefined ? [] : [first];
  const hint = wanted === undefined ? `Add "${told}".` : didYouMean(wanted, modelled);
  problems.warning([...(paths.get(id) ?? []), 'expect', 'hears', ...index], {
    code: 'impossible',
    message,
    hint,
  });
  return message;
}

/** Rules that no message of the file can match, and those that name a sender that is nobody. */
function checkRules({ problems, paths }: Places, topology: Topology): void {
  const steps = [...flat(topology.steps)].filter((step) => step.kind === 'dbus');
  const messages = [...signalsOf(steps), ...changesOf(topology, steps)];
  const owned = new Set(changesOf(topology, steps).flatMap(({ args }) => String(args[0]?.value)));
  const check = (text: string, path: Path) => {
    const rule = parseRule(text);
    const words = 'mistake' in rule ? undefined : (nobody(rule, owned) ?? nothing(rule, messages));
    if (words) problems.warning(path, { code: 'vacuous', ...words });
  };
  for (const { name, match } of topology.messageBuses?.clients ?? [])
    for (const [n, text] of match.entries()) check(text, ['clients', name, 'match', n]);
  for (const { id, action } of steps)
    if (action.do === 'add-match') check(action.rule, [...(paths.get(id) ?? []), 'add-match', 'rule']);
}

const signalsOf = (steps: readonly DbusStep[]): Subject[] =>
  steps.flatMap(({ action }) => (action.do === 'signal' ? [{ type: 'signal', ...action.content }] : []));

/** What the bus may tell of names: of whose, and not to whom they go. */
function changesOf({ messageBuses }: Topology, steps: readonly DbusStep[]): Subject[] {
  const names = [
    ...(messageBuses?.clients ?? []).flatMap((client) => client.names),
    ...steps.flatMap(({ action }) => (action.do === 'own' ? [action.name] : [])),
    ':0.1',
  ];
  return names.map((name) => ({
    ...{ type: 'signal', path: '/org/freedesktop/DBus', interface: DRIVER, member: 'NameOwnerChanged' },
    args: [{ type: 's', value: name }],
  }));
}

interface Words {
  readonly message: string;
  readonly hint?: string | undefined;
}

function nobody({ conditions }: Rule, owned: ReadonlySet<string>): Words | undefined {
  const name = conditions.find(({ kind, value }) => kind === 'sender' && isWellKnown(value))?.value;
  if (name === undefined || name === DRIVER || owned.has(name)) return undefined;
  return { message: `no client owns the name ${name}`, hint: didYouMean(name, owned) };
}

/** Who sends it, and to which owner a name goes, are other questions. */
function nothing(rule: Rule, messages: readonly Subject[]): Words | undefined {
  const conditions = rule.conditions.filter(
    ({ kind, arg }) => kind !== 'sender' && !(kind === 'arg' && arg > 0),
  );
  const anybody = { unique: '', owns: () => true };
  const fits = (some: Rule['conditions']) =>
    messages.some((message) => matches({ ...rule, conditions: some }, message, anybody));
  if (fits(conditions)) return undefined;
  const odd = conditions.find((condition) => !fits([condition]));
  if (odd === undefined) return { message: 'no signal of this file has all that this rule asks for' };
  const key = odd.kind === 'arg' ? `arg${odd.arg}` : odd.kind;
  const values = messages.flatMap((message) =>
    odd.kind in message ? String(message[odd.kind as 'path']) : [],
  );
  return {
    message: `no signal of this file matches ${key}='${odd.value}'`,
    hint: didYouMean(odd.value, values),
  };
}
