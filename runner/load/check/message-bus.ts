// SPDX-License-Identifier: MIT
/**
 * Compares what a file expects of message buses with what the model predicts, before anything boots. If the file says
 * nothing, the prediction follows every slip, so a file must state failures and signals that reach nobody.
 */

import type { Path } from '../../common/diagnostic.ts';
import { didYouMean } from '../../common/nearest.ts';
import { DRIVER, isUnique, matches, type Rule, type Subject } from '../../dbus/index.ts';
import {
  type DbusExpected,
  expectedOf,
  expectedText,
  isAsking,
  type Operation,
  type Operations,
  predictOperations,
  resultText,
} from '../../predict/index.ts';
import { type DbusStep, REPLACE_EXISTING } from '../../topology/message-bus.ts';
import { flat } from '../../topology/steps.ts';
import type { Topology } from '../../topology/topology.ts';
import type { Places } from './places.ts';

/** Returns by step why an expectation of the file cannot hold. */
export function checkMessageBuses(places: Places, topology: Topology): Map<string, string> {
  const contradictions = new Map<string, string>();
  if (topology.messageBuses === undefined) return contradictions;
  const { list, since } = predictOperations(topology);
  const ofStep = Map.groupBy(list, (each) => each.step);
  for (const step of flat(topology.steps)) {
    if (step.kind !== 'dbus') continue;
    const operations = ofStep.get(step.id);
    const words = operations
      ? checkStep(places, step, operations)
      : checkHeard(places, step, since.get(step.id));
    if (words !== undefined) contradictions.set(step.id, words);
  }
  return contradictions;
}

function checkStep(places: Places, step: DbusStep, operations: readonly Operation[]): string | undefined {
  const modelled = expectedOf(operations.map((each) => each.modelled));
  const expected = expectedOf(operations.map((each) => each.expected));
  if (!modelled || !expected) return undefined;
  const path = places.paths.get(step.id) ?? [];
  // What is wrong with it was said already.
  if (places.problems.isBroken(path)) return undefined;
  if (Object.keys(step.expect).length === 0) {
    unsaid(places, step, modelled, inVain(step, operations), path);
    alone(places, step, modelled, path);
    return undefined;
  }
  const [observed, wanted] = [expectedText(step.action, modelled), expectedText(step.action, expected)];
  if (observed === wanted) return undefined;
  const isSent = modelled.outcome.kind === 'sent' && expected.outcome.kind === 'sent';
  const why = isSent
    ? `it reaches ${reach(modelled)}, not ${reach(expected)}`
    : `${observed}, not ${wanted}${inVain(step, operations, wanted)}`;
  places.problems.warning([...path, 'expect'], {
    code: 'impossible',
    message: `this cannot happen here: the model says ${isSent ? 'that ' : ''}${why}`,
  });
  return why;
}

/** Why a client does not get the name that it asks for, if it does not; or why it waits for it, or does not. */
function inVain({ action }: DbusStep, [operation]: readonly Operation[], wanted?: string): string {
  const holder = operation?.holder;
  if (action.do !== 'own' || holder === undefined) return '';
  if (wanted === 'exists')
    return `: "${holder}" has the name, and this step waits for it without queue: false`;
  if (wanted === 'queued') return `: "${holder}" has the name, and with queue: false this step does not wait`;
  return (action.flags & REPLACE_EXISTING) > 0
    ? `: "${holder}" has the name, and does not allow others to replace it`
    : `: "${holder}" has the name, and this step does not replace it`;
}

/** `"fast" and perhaps "slow"` */
function reach({ recipients, may = [] }: DbusExpected): string {
  const perhaps = may.length > 0 ? [`perhaps ${quoted(may)}`] : [];
  const sure = recipients.length > 0 ? [quoted(recipients)] : [];
  return [...sure, ...perhaps].join(' and ') || 'nobody';
}

/** Reports a failure, or a signal for nobody, that the file does not state. */
function unsaid(
  { problems }: Places,
  { action }: DbusStep,
  { outcome, recipients, may = [] }: DbusExpected,
  reason: string,
  path: Path,
): void {
  const say = (message: string, hint: string) => problems.error(path, { code: 'unsaid', message, hint });
  if (outcome.kind === 'error')
    say(`this fails with ${outcome.name}`, `Expect it: expect: { error: ${outcome.name} }.`);
  else if (action.do === 'signal' && recipients.length === 0 && !(action.to !== undefined && may.length > 0))
    say(
      may.length === 0
        ? 'nobody gets this signal'
        : `perhaps nobody gets this signal: the bus may have cut ${quoted(may)} off by then`,
      'Expect it: expect: { recipients: [] }.',
    );
  else if (isAsking(action.do) && outcome.kind === 'reply' && outcome.args !== 'u 1') {
    const word = resultText(action.do, outcome.args);
    say(`the result of this step is ${word}${reason}`, `Expect it: expect: { result: ${word} }.`);
  }
}

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(' and ');

/** Reports a signal or a call that only its sender gets, which shows nothing of the bus between two clients. */
function alone({ problems }: Places, { action }: DbusStep, { recipients }: DbusExpected, path: Path): void {
  if (action.do !== 'signal' && action.do !== 'call') return;
  const { client, do: kind } = action;
  if (recipients.length !== 1 || recipients[0] !== client) return;
  const meant = kind === 'signal' ? `{ recipients: [${client}] }` : `{ by: ${client} }`;
  problems.warning(path, {
    code: 'vacuous',
    message: `this ${kind} reaches "${client}" alone, which sends it`,
    hint: `Let it reach another client; if that is meant, write expect: ${meant}.`,
  });
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
  const [real, written] = [modelled[first] ?? 'nothing more', action.heard[first]];
  const why = `the bus tells it ${real}`;
  const index = written === undefined ? [] : [first];
  const hint = written === undefined ? `Add "${real}".` : didYouMean(written, modelled);
  problems.warning([...(paths.get(id) ?? []), 'expect', 'hears', ...index], {
    code: 'impossible',
    message: `this cannot happen here: ${why}`,
    hint,
  });
  return why;
}

/**
 * Reports match rules for which the bus never has a message while they exist, the same for missing rules, and answers
 * that nobody asks for.
 */
export function checkUses(places: Places, topology: Topology): void {
  if (topology.messageBuses === undefined) return;
  const { problems, paths } = places;
  const operations = predictOperations(topology);
  const steps = [...flat(topology.steps)].filter((step) => step.kind === 'dbus');
  const messages = [...signalsOf(steps), ...changesOf(topology, steps)];
  const owned = new Set(namesOf(topology, steps));
  for (const { verb, client, use, step, nth } of operations.uses) {
    if (use.wanted) continue;
    const path =
      step === undefined
        ? ['clients', client, 'match', nth ?? 0]
        : [...(paths.get(step) ?? []), verb, 'rule'];
    const words =
      verb === 'remove-match' ? UNSEEN : (nobody(use.rule, owned) ?? nothing(use.rule, messages) ?? UNWANTED);
    problems.warning(path, { code: 'vacuous', ...words });
  }
  checkAnswers(places, topology, operations);
  checkPauses(places, topology, operations);
}

/**
 * Reports a client that is paused although no message waits for it when it goes on. What programs send is in no model:
 * beside them, and for a program itself, it is enough if something is done on the bus.
 */
function checkPauses(
  { problems, paths }: Places,
  { messageBuses, steps }: Topology,
  { waiting }: Operations,
): void {
  const { clients = [], programs = [] } = messageBuses ?? {};
  const buses = new Map([...clients, ...programs].map(({ name, bus }) => [name, bus]));
  const open = new Set(programs.map(({ bus }) => bus));
  const pauses = new Map<string, { readonly id: string; isIdle: boolean }>();
  for (const step of flat(steps)) {
    if (step.kind !== 'dbus' && step.kind !== 'program') continue;
    const { client, do: what } = step.kind === 'dbus' ? step.action : step;
    const bus = buses.get(client) ?? '';
    if (what === 'pause') pauses.set(client, { id: step.id, isIdle: true });
    else if (what === 'resume') {
      const { id = '', isIdle = false } = pauses.get(client) ?? {};
      const isUnmet = !open.has(bus) && waiting.get(id)?.have === 0;
      if (isIdle || isUnmet)
        problems.warning([...(paths.get(id) ?? []), 'fault', 'pause'], {
          ...{ code: 'vacuous', ...(isIdle ? IDLE : unreached(client)) },
        });
      pauses.delete(client);
    } else if (what !== 'hears' && what !== 'expect')
      for (const [paused, pause] of pauses) if (buses.get(paused) === bus) pause.isIdle = false;
  }
}

const IDLE: Explanation = {
  message: 'this fault has no effect: nothing is done on its bus before it is undone',
  hint: 'Send something between the two steps, or remove them.',
};

const unreached = (client: string): Explanation => ({
  message: `this fault has no effect: no message for "${client}" is sent before it is undone`,
  hint: `Send it a signal that it has a rule for between the two steps, or remove them.`,
});

const UNWANTED: Explanation = {
  message: 'no signal that this rule matches is sent while it is there',
  hint: 'Send one, so that the rule is seen to match; or remove it.',
};
const UNSEEN: Explanation = {
  message: 'no signal that this rule matches is sent after this: nothing shows that the rule is gone',
  hint: 'Send one, or remove this step.',
};

function checkAnswers({ problems }: Places, { messageBuses }: Topology, { list }: Operations): void {
  const asked = new Set(
    list.flatMap(({ message, modelled }) =>
      modelled.recipients.map((name) => `${name} ${message.type} ${message.member}`),
    ),
  );
  // What programs call is in no model.
  const open = new Set(messageBuses?.programs.map(({ bus }) => bus));
  for (const { name, bus, answers } of messageBuses?.clients ?? [])
    for (const member of Object.keys(answers))
      if (!open.has(bus) && !asked.has(`${name} method_call ${member}`))
        problems.warning(['clients', name, 'answers', member], {
          ...{ code: 'unused', message: `nobody calls ${member} of "${name}"`, onKey: true },
        });
}

const signalsOf = (steps: readonly DbusStep[]): Subject[] =>
  steps.flatMap(({ action }) => (action.do === 'signal' ? [{ type: 'signal', ...action.content }] : []));

/** The NameOwnerChanged signals of all names that may change, without the owners. */
const changesOf = (topology: Topology, steps: readonly DbusStep[]): Subject[] =>
  [...namesOf(topology, steps), ':0.1'].map((name) => ({
    ...{ type: 'signal', path: '/org/freedesktop/DBus', interface: DRIVER, member: 'NameOwnerChanged' },
    args: [{ type: 's', value: name }],
  }));

/** Well-known names that a client may own. */
const namesOf = ({ messageBuses }: Topology, steps: readonly DbusStep[]): string[] => [
  ...(messageBuses?.clients ?? []).flatMap((client) => client.names),
  ...steps.flatMap(({ action }) => (action.do === 'own' ? [action.name] : [])),
];

interface Explanation {
  readonly message: string;
  readonly hint?: string | undefined;
}

function nobody({ conditions }: Rule, owned: ReadonlySet<string>): Explanation | undefined {
  const unique = conditions.find(({ value }) => isUnique(value))?.value;
  if (unique !== undefined)
    return {
      message: `the bus decides which client has the unique name ${unique}, so the model cannot tell what this rule matches`,
      hint: 'Give the client a name (`names`), and write that.',
    };
  const name = conditions.find(({ kind }) => kind === 'sender')?.value;
  if (name === undefined || name === DRIVER || owned.has(name)) return undefined;
  return { message: `no client owns the name ${name}`, hint: didYouMean(name, [...owned]) };
}

/** Reports a rule that no message matches, from any sender; the new owner of a name is not compared either. */
function nothing(rule: Rule, messages: readonly Subject[]): Explanation | undefined {
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
