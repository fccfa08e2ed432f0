// SPDX-License-Identifier: MIT
/** Match rules that no message of the file can match, and those that name a sender who is nobody. */
import type { Path } from '../../../common/diagnostic.ts';
import { didYouMean } from '../../../common/nearest.ts';
import { DRIVER, isWellKnown, matches, parseRule, type Rule, type Subject } from '../../../dbus/index.ts';
import { faults, sends } from '../../../topology/steps.ts';
import type { SendStep, Topology } from '../../../topology/topology.ts';
import { type Scope, validEntries } from '../../resolve/index.ts';
import { pathOf } from '../places.ts';

interface Written {
  readonly client: string;
  readonly text: string;
  readonly path: Path;
}

export function checkRules(scope: Scope, topology: Topology): void {
  for (const [, written, path] of validEntries(scope, 'clients', scope.written.clients))
    cutAtCommas(scope, written?.match ?? [], [...path, 'match']);
  for (const { client, text, path } of [...ofClients(scope), ...ofFaults(scope, topology)]) {
    const rule = parseRule(text);
    if ('mistake' in rule) continue;
    if (scope.dbusClients.has(client)) continue;
    const bus = topology.clients.find(({ name }) => name === client || name.startsWith(`${client}-`))?.bus;
    const messages = messagesOn(topology, bus);
    const words = nobody(rule, topology, bus) ?? nothing(rule, messages);
    if (words) scope.problems.warning(path, { code: 'vacuous', ...words });
  }
}

/** A list in brackets whose items make one rule together, without quotes: it is read as several, each of which is enough. */
function cutAtCommas({ problems, tree }: Scope, rules: readonly string[], path: Path): void {
  if (rules.length < 2 || !tree.text(path).startsWith('[')) return;
  const one = rules.join(',');
  if ('mistake' in parseRule(one) || rules.some((rule, n) => tree.text([...path, n]) !== rule)) return;
  const message = `these are ${rules.length} rules, of which each is enough: a comma ends an item of a list`;
  const hint = `If one rule is meant, put it in quotes: ["${one}"]. If not, put each in quotes.`;
  problems.warning(path, { code: 'vacuous', message, hint });
}

function* ofClients(scope: Scope): Generator<Written> {
  for (const [client, written, path] of validEntries(scope, 'clients', scope.written.clients))
    for (const [n, text] of (written?.match ?? []).entries())
      yield { client, text, path: [...path, 'match', n] };
}

function* ofFaults(scope: Scope, { steps }: Topology): Generator<Written> {
  for (const step of faults(steps)) {
    const { action } = step;
    if (action.fault !== 'add-match') continue;
    yield { client: action.client, text: action.rule, path: [...pathOf(scope, step).slice(0, -1), 'rule'] };
  }
}

function messagesOn({ steps, clients }: Topology, bus: string | undefined): readonly Subject[] {
  const busOf = ({ from }: SendStep) =>
    from.kind === 'master' ? from.bus : clients.find(({ name }) => name === from.name)?.bus;
  return [...sends(steps)].flatMap((step) => (step.dbus && busOf(step) === bus ? [step.dbus] : []));
}

interface Words {
  readonly message: string;
  readonly hint?: string | undefined;
}

/** The sender that it asks for is no client of the bus. */
function nobody({ conditions }: Rule, { clients }: Topology, bus: string | undefined): Words | undefined {
  const name = conditions.find(({ kind, value }) => kind === 'sender' && isWellKnown(value))?.value;
  if (name === undefined || name === DRIVER) return undefined;
  const owned = clients.flatMap((client) => (client.bus === bus ? (client.names ?? []) : []));
  if (owned.includes(name)) return undefined;
  return { message: `no client owns the name ${name}`, hint: didYouMean(name, owned) };
}

/** No message has all that it asks for; who sends it is another question. */
function nothing(rule: Rule, messages: readonly Subject[]): Words | undefined {
  const conditions = rule.conditions.filter(({ kind }) => kind !== 'sender');
  const anybody = { unique: '', owns: () => true };
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

function valuesOf(kind: string, messages: readonly Subject[]): readonly string[] {
  const fields = ['interface', 'member', 'path', 'destination', 'type'] as const;
  const field = fields.find((each) => each === kind);
  return field === undefined ? [] : messages.flatMap((message) => message[field] ?? []);
}
