// SPDX-License-Identifier: MIT
/** `<allow>` and `<deny>`: parses what a rule of the policy applies to. */
import { either } from '../../runner/common/text.ts';
import { MESSAGE_TYPES, type MessageType } from '../../runner/dbus/index.ts';
import { ConfigError } from './error.ts';
import type { Element } from './xml.ts';

/** Conditions of a rule about messages; an unset one matches everything. */
export interface MessageTerms {
  readonly type?: MessageType;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  /** A bus name that the other side owns or waits for; with `prefix`, also any name below it. */
  readonly peer?: string;
  readonly prefix?: boolean;
  readonly broadcast?: boolean;
  /** An allow rule with it matches requested replies only; a deny rule matches requested replies as well. */
  readonly requestedReply: boolean;
  readonly eavesdrop: boolean;
  readonly minFds: number;
  readonly maxFds: number;
}

export type PolicyRule = { readonly allow: boolean } & (
  | { readonly about: 'send' | 'receive'; readonly terms: MessageTerms }
  | { readonly about: 'own'; readonly name?: string; readonly prefix: boolean }
  | { readonly about: 'user' | 'group'; readonly id?: number }
);

/** Looks up users and groups by name; undefined if there is none. */
export interface Accounts {
  readonly user: (name: string) => number | undefined;
  readonly group: (name: string) => number | undefined;
}

const SEND = [
  ...['send_interface', 'send_member', 'send_error', 'send_destination', 'send_destination_prefix'],
  ...['send_path', 'send_type', 'send_broadcast', 'send_requested_reply'],
];
const RECEIVE = [
  ...['receive_interface', 'receive_member', 'receive_error', 'receive_sender', 'receive_path'],
  ...['receive_type', 'receive_requested_reply'],
];
const BOTH = ['eavesdrop', 'min_fds', 'max_fds'];
const ALONE = ['own', 'own_prefix', 'user', 'group'];
const KNOWN = [...SEND, ...RECEIVE, ...BOTH, ...ALONE, 'log'];

/** Attributes of `element`, which is `<allow>` or `<deny>`. */
export function policyRule(element: Element, accounts: Accounts): PolicyRule {
  const given = Object.keys(element.attributes).filter((name) => name !== 'log');
  const has = (names: readonly string[]): boolean => given.some((name) => names.includes(name));
  const allow = element.name === 'allow';
  for (const name of given)
    if (!KNOWN.includes(name)) fail(element, `<${element.name}> has no attribute ${name}`);
  if (given.length === 0) fail(element, `<${element.name}> says nothing: it needs an attribute`);
  if (has(ALONE)) return loneRule(element, allow, given, accounts);
  if (has(SEND) && has(RECEIVE)) fail(element, 'one rule is about sending or about receiving, not both');
  return {
    allow,
    about: has(SEND) ? 'send' : 'receive',
    terms: termsOf(element, allow, has(SEND) ? 'send' : 'receive'),
  };
}

function loneRule(
  element: Element,
  allow: boolean,
  given: readonly string[],
  accounts: Accounts,
): PolicyRule {
  const [name, another] = given as [string, string?];
  if (another !== undefined) fail(element, `one rule has ${name} or ${another}, not both`);
  const value = element.attributes[name] as string;
  if (name === 'own' || name === 'own_prefix')
    return { allow, about: 'own', ...(value !== '*' && { name: value }), prefix: name === 'own_prefix' };
  const about = name as 'user' | 'group';
  if (value === '*') return { allow, about };
  return { allow, about, id: idOf(about, value, accounts) };
}

export function idOf(about: 'user' | 'group', value: string, accounts: Accounts): number {
  const id = /^\d+$/.test(value) ? Number(value) : accounts[about](value);
  // dbus-daemon ignores rules for users that this machine does not have; here they match nobody.
  return id ?? NOBODY;
}

const NOBODY = -1;

function termsOf(element: Element, allow: boolean, direction: 'send' | 'receive'): MessageTerms {
  const get = (name: string): string | undefined => {
    const value = element.attributes[`${direction}_${name}`];
    return value === '*' ? undefined : value;
  };
  const [path, name, member, errorName] = ['path', 'interface', 'member', 'error'].map(get);
  if (member !== undefined && name === undefined && path === undefined)
    fail(element, `${direction}_member needs ${direction}_interface or ${direction}_path`);
  const exact = get(direction === 'send' ? 'destination' : 'sender');
  const prefix = get('destination_prefix');
  if (exact !== undefined && prefix !== undefined)
    fail(element, 'one rule has send_destination or send_destination_prefix, not both');
  const peer = exact ?? prefix;
  const broadcast = flag(element, 'send_broadcast');
  if (broadcast && peer !== undefined) fail(element, 'a broadcast has no destination');
  return {
    ...(path !== undefined && { path }),
    ...(name !== undefined && { interface: name }),
    ...(member !== undefined && { member }),
    ...(errorName !== undefined && { errorName }),
    ...typeTerm(element, get('type')),
    ...(peer !== undefined && { peer, prefix: prefix !== undefined }),
    ...(broadcast !== undefined && { broadcast }),
    requestedReply: flag(element, `${direction}_requested_reply`) ?? allow,
    eavesdrop: flag(element, 'eavesdrop') ?? false,
    minFds: whole(element, 'min_fds') ?? 0,
    maxFds: whole(element, 'max_fds') ?? Number.POSITIVE_INFINITY,
  };
}

function typeTerm(element: Element, type: string | undefined): { readonly type?: MessageType } {
  if (type === undefined) return {};
  if (!(MESSAGE_TYPES as readonly string[]).includes(type))
    fail(element, `a message has type ${either(MESSAGE_TYPES)}, not ${JSON.stringify(type)}`);
  return { type: type as MessageType };
}

export function flag(element: Element, name: string): boolean | undefined {
  const value = element.attributes[name];
  if (value === undefined) return undefined;
  if (value !== 'true' && value !== 'false')
    fail(element, `${name} is true or false, not ${JSON.stringify(value)}`);
  return value === 'true';
}

function whole(element: Element, name: string): number | undefined {
  const value = element.attributes[name];
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) fail(element, `${name} is a number, not ${JSON.stringify(value)}`);
  return Number(value);
}

function fail(element: Element, message: string): never {
  throw new ConfigError(element, message);
}
