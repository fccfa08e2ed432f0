// SPDX-License-Identifier: MIT
/** Match rules that no message of the file can match: because of their content, its sender, or its time. */
import { isMulticast } from '../../../common/address.ts';
import type { Path } from '../../../common/diagnostic.ts';
import { didYouMean } from '../../../common/nearest.ts';
import {
  DRIVER,
  isUnique,
  matches,
  parseRule,
  type Rule,
  type Subject,
  uniqueName,
} from '../../../dbus/index.ts';
import { partyOf } from '../../../topology/lane.ts';
import { areConcurrent, type Visit, walk } from '../../../topology/steps.ts';
import type { ClientSpec, SendStep, Topology } from '../../../topology/topology.ts';
import { type Scope, validEntries } from '../../resolve/index.ts';
import { pathOf } from '../places.ts';

interface Written {
  readonly client: string;
  readonly text: string;
  readonly path: Path;
  /** The step that adds the rule; undefined if the client has it from the beginning. */
  readonly since?: Placed;
}

type Placed = Visit & { readonly order: number };

/** A D-Bus message that is sent on a bus, and its sender. */
interface Sent {
  readonly subject: Subject;
  readonly from: string;
  readonly isMulticast: boolean;
  readonly visit: Placed;
}

export function checkRules(scope: Scope, topology: Topology): void {
  for (const [, written, path] of validEntries(scope, 'clients', scope.written.clients))
    cutAtCommas(scope, written?.match ?? [], [...path, 'match']);
  const visits = [...walk(topology.steps)].map((visit, order) => ({ ...visit, order }));
  for (const { client, text, path, since } of [...ofClients(scope), ...ofFaults(scope, visits)]) {
    const rule = parseRule(text);
    if ('mistake' in rule) continue;
    if (scope.dbusClients.has(client)) continue;
    const bus = topology.clients.find(({ name }) => name === client || name.startsWith(`${client}-`))?.bus;
    const clients = topology.clients.filter((each) => each.bus === bus);
    const sent = sentOn(visits, bus, clients);
    const words =
      nobody(rule, clients) ??
      nothing(
        rule,
        sent.map(({ subject }) => subject),
      ) ??
      nothingOfIts(rule, sent, clients) ??
      nothingAfter(rule, sent, clients, since) ??
      noMulticast(rule, sent, clients);
    if (words) scope.problems.warning(path, { code: 'vacuous', ...words });
  }
}

/**
 * Reports one rule that was written into a list without quotes: YAML reads it as several rules, each of which is enough
 * to match.
 */
function cutAtCommas({ problems, tree }: Scope, rules: readonly string[], path: Path): void {
  if (rules.length < 2 || !tree.text(path).startsWith('[')) return;
  const one = rules.join(',');
  if ('mistake' in parseRule(one) || rules.some((rule, n) => tree.text([...path, n]) !== rule)) return;
  const message = `these are ${rules.length} rules, and a message needs to match only one: a comma ends an item of a list`;
  const hint = `If one rule is meant, put it in quotes: ["${one}"]. If not, put each in quotes.`;
  problems.warning(path, { code: 'vacuous', message, hint });
}

function* ofClients(scope: Scope): Generator<Written> {
  for (const [client, written, path] of validEntries(scope, 'clients', scope.written.clients))
    for (const [n, text] of (written?.match ?? []).entries())
      yield { client, text, path: [...path, 'match', n] };
}

function* ofFaults(scope: Scope, visits: readonly Placed[]): Generator<Written> {
  for (const since of visits) {
    const { step } = since;
    if (step.kind !== 'fault' || step.action.fault !== 'add-match') continue;
    const { client, rule: text } = step.action;
    yield { client, text, path: [...pathOf(scope, step).slice(0, -1), 'rule'], since };
  }
}

function sentOn(visits: readonly Placed[], bus: string | undefined, clients: readonly ClientSpec[]): Sent[] {
  const names = new Set(clients.map(({ name }) => name));
  return visits.flatMap((visit) => {
    const { step } = visit;
    if (step.kind !== 'send' || step.dbus === undefined) return [];
    const isHere = step.from.kind === 'master' ? step.from.bus === bus : names.has(step.from.name);
    if (!isHere) return [];
    const { dbus: subject, from, to } = step;
    return [{ subject, from: partyOf(from), isMulticast: isToSeveral(to), visit }];
  });
}

const isToSeveral = (to: SendStep['to']): boolean =>
  to.kind === 'address' ? isMulticast(to.address) : to.kind === 'group' || to.kind === 'bus';

interface Explanation {
  readonly message: string;
  readonly hint?: string | undefined;
}

const senderIn = ({ conditions }: Rule): string | undefined =>
  conditions.find(({ kind }) => kind === 'sender')?.value;

/** The clients that own this name, one after another; undefined if the master owns it. */
function holdersOf(name: string, clients: readonly ClientSpec[]): readonly string[] | undefined {
  if (name === DRIVER) return undefined;
  return clients
    .filter((client, n) => nthUnique(n) === name || client.names?.includes(name))
    .map(({ name }) => name);
}

/** Clients connect in the order of the file, and get their prefix-0 addresses in this order. */
const nthUnique = (n: number): string => uniqueName(`0000/${(n + 1).toString(16).padStart(12, '0')}`);

/** Reports a rule whose sender is no client of the bus. */
function nobody(rule: Rule, clients: readonly ClientSpec[]): Explanation | undefined {
  const name = senderIn(rule);
  if (name === undefined || holdersOf(name, clients)?.length !== 0) return undefined;
  if (isUnique(name))
    return {
      message: `no client has the unique name ${name}`,
      hint: `Those of this bus are ${nthUnique(0)} to ${nthUnique(clients.length - 1)}, in the order of the file.`,
    };
  const owned = clients.flatMap((client) => client.names ?? []);
  return { message: `no client owns the name ${name}`, hint: didYouMean(name, owned) };
}

const withoutSender = (rule: Rule): Rule['conditions'] =>
  rule.conditions.filter(({ kind }) => kind !== 'sender');
const anybody = { unique: '', owns: () => true };

/** Reports a rule that no message of any sender matches. */
function nothing(rule: Rule, messages: readonly Subject[]): Explanation | undefined {
  const conditions = withoutSender(rule);
  const fits = (some: Rule['conditions']) =>
    messages.some((message) => matches({ ...rule, conditions: some }, message, anybody));
  if (fits(conditions)) return undefined;
  if (messages.length === 0)
    return { message: 'this rule matches nothing: the file sends no D-Bus message on its bus' };
  const odd = conditions.find((condition) => !fits([condition]));
  if (odd === undefined) return { message: 'no message of this file has all that this rule asks for' };
  const key = odd.kind === 'arg' ? `arg${odd.arg}` : odd.kind;
  const message = `no message of this file matches ${key}='${odd.value}'`;
  return { message, hint: didYouMean(odd.value, valuesOf(odd.kind, messages)) };
}

/** Reports a rule whose messages come from other senders only. */
function nothingOfIts(
  rule: Rule,
  sent: readonly Sent[],
  clients: readonly ClientSpec[],
): Explanation | undefined {
  if (sent.some((message) => wants(rule, message, clients))) return undefined;
  const name = senderIn(rule) ?? '';
  const who = holdersOf(name, clients)?.map((each) => `"${each}"`) ?? ['the master'];
  return {
    message: `no message of ${who.join(' or ')} matches this rule`,
    hint: `Let ${name} send one, so that the rule is seen to match; or remove the rule.`,
  };
}

/** Reports a rule whose messages are all sent before it is added. */
function nothingAfter(
  rule: Rule,
  sent: readonly Sent[],
  clients: readonly ClientSpec[],
  since: Placed | undefined,
): Explanation | undefined {
  const isLater = ({ visit }: Sent) =>
    since === undefined || visit.order > since.order || areConcurrent(visit, since);
  if (sent.some((message) => wants(rule, message, clients) && isLater(message))) return undefined;
  return {
    message: 'no message that this rule matches is sent after this step',
    hint: 'Send one, or remove the step.',
  };
}

/** Reports a rule that only unicasts match: they arrive without it. */
function noMulticast(
  rule: Rule,
  sent: readonly Sent[],
  clients: readonly ClientSpec[],
): Explanation | undefined {
  if (sent.some((message) => message.isMulticast && wants(rule, message, clients))) return undefined;
  return {
    message: 'only unicasts match this rule, and a client gets those without it',
    hint: 'Send such a message to the bus or to a group, or remove the rule.',
  };
}

function wants(rule: Rule, { subject, from }: Sent, clients: readonly ClientSpec[]): boolean {
  const sender = senderIn(rule);
  const isFrom =
    sender === undefined || (holdersOf(sender, clients)?.includes(from) ?? from.endsWith('.master'));
  return isFrom && matches({ ...rule, conditions: withoutSender(rule) }, subject, anybody);
}

function valuesOf(kind: string, messages: readonly Subject[]): readonly string[] {
  const fields = ['interface', 'member', 'path', 'destination', 'type'] as const;
  const field = fields.find((each) => each === kind);
  return field === undefined ? [] : messages.flatMap((message) => message[field] ?? []);
}
