// SPDX-License-Identifier: MIT
/** The policy of a configuration: of all rules that apply to a client and match, the last one decides. */
import type { Header } from '../../runner/dbus/index.ts';
import type { Names } from '../driver/names.ts';
import type { Credentials, Peer } from '../driver/peer.ts';
import type { Policy, Recipient } from '../driver/policy.ts';
import type { Context, PolicySection } from './config.ts';
import type { MessageTerms, PolicyRule } from './policy-rule.ts';

/** In this order, so that later ones win. */
const ORDER: readonly Context['kind'][] = ['default', 'group', 'user', 'console', 'mandatory'];

export class ConfiguredPolicy implements Policy {
  readonly #sections: readonly PolicySection[];
  readonly #names: Names;
  readonly #owner: number;
  /** Rules of the clients that were asked about. */
  readonly #known = new WeakMap<Credentials, readonly PolicyRule[]>();

  /** `owner`: the user that runs the bus, who may connect unless a rule says otherwise. */
  constructor(sections: readonly PolicySection[], names: Names, owner: number) {
    this.#sections = ORDER.flatMap((kind) => sections.filter(({ context }) => context.kind === kind));
    this.#names = names;
    this.#owner = owner;
  }

  mayConnect({ credentials: { uid, groups = [] } }: Peer): boolean {
    let may = uid === this.#owner;
    for (const { context, rules } of this.#sections) {
      if (context.kind !== 'default' && context.kind !== 'mandatory') continue;
      for (const rule of rules) {
        const isUser = rule.about === 'user' && (rule.id ?? uid) === uid;
        const isGroup = rule.about === 'group' && (rule.id === undefined || groups.includes(rule.id));
        if (isUser || isGroup) may = rule.allow;
      }
    }
    return may;
  }

  mayOwn({ credentials }: Peer, name: string): boolean {
    let may = false;
    for (const rule of this.#rulesFor(credentials))
      if (rule.about === 'own' && isName(name, rule.name, rule.prefix)) may = rule.allow;
    return may;
  }

  maySend(sender: Peer, header: Header, recipient: Recipient, reply: boolean): boolean {
    // For a broadcast, the policy is asked about each recipient separately.
    if (recipient === 'everyone') return true;
    const isPeer = (terms: MessageTerms): boolean =>
      recipient === 'bus'
        ? isName(header.destination ?? '', terms.peer, terms.prefix ?? false)
        : this.#isAbout(recipient, terms);
    let may = false;
    for (const rule of this.#rulesFor(sender.credentials)) {
      if (rule.about !== 'send' || !matchesMessage(rule.terms, header, rule.allow)) continue;
      if (isReplyApart(rule.terms, header, rule.allow, reply)) continue;
      if (!isBroadcastAlike(rule.terms, header) || !isPeer(rule.terms)) continue;
      may = rule.allow;
    }
    return may;
  }

  mayReceive(
    sender: Peer | undefined,
    header: Header,
    recipient: Peer,
    reply: boolean,
    eavesdropping = false,
  ): boolean {
    const isPeer = (terms: MessageTerms): boolean =>
      sender === undefined ? isName(header.sender ?? '', terms.peer, false) : this.#isAbout(sender, terms);
    let may = false;
    for (const rule of this.#rulesFor(recipient.credentials)) {
      if (rule.about !== 'receive' || !matchesMessage(rule.terms, header, rule.allow)) continue;
      if (eavesdropping && rule.allow && !rule.terms.eavesdrop) continue;
      if (!eavesdropping && !rule.allow && rule.terms.eavesdrop) continue;
      if (isReplyApart(rule.terms, header, rule.allow, reply) || !isPeer(rule.terms)) continue;
      may = rule.allow;
    }
    return may;
  }

  isOpenFor({ credentials }: Peer): boolean {
    return isOpen(this.#rulesFor(credentials));
  }

  #rulesFor(credentials: Credentials): readonly PolicyRule[] {
    const known = this.#known.get(credentials);
    if (known !== undefined) return known;
    const rules = this.#sections
      .filter(({ context }) => isFor(context, credentials))
      .flatMap(({ rules: all }) => all);
    this.#known.set(credentials, rules);
    return rules;
  }

  /** Whether the client owns or waits for the name. */
  #isAbout(peer: Peer, { peer: name, prefix = false }: MessageTerms): boolean {
    if (name === undefined || name === peer.name) return true;
    if (!prefix) return this.#names.queueOf(name).includes(peer);
    return [...peer.claims].some((claim) => isName(claim, name, true));
  }
}

/** Whether the policy is open for all users. Of the groups of a native client, the kernel names one. */
export function isOpenForEveryone(sections: readonly PolicySection[]): boolean {
  const rules = sections.flatMap((section) => section.rules);
  if (sections.some(({ context: { kind } }) => kind === 'group')) return false;
  if (rules.some(({ about }) => about === 'group')) return false;
  const common = sections.filter(({ context: { kind } }) => kind === 'default' || kind === 'mandatory');
  return isOpen(common.flatMap((section) => section.rules)) && !rules.some(deniesMessages);
}

/** Rules that allow all messages: what is left to the kernel is allowed by them. */
function isOpen(rules: readonly PolicyRule[]): boolean {
  const allowsAll = (direction: 'send' | 'receive'): boolean =>
    rules.some(
      (rule) => rule.allow && rule.about === direction && isMessageRule(rule) && isAnything(rule.terms),
    );
  return allowsAll('send') && allowsAll('receive') && !rules.some(deniesMessages);
}

const deniesMessages = (rule: PolicyRule): boolean => !rule.allow && isMessageRule(rule);

function isFor(context: Context, { uid, groups = [] }: Credentials): boolean {
  if (context.kind === 'user') return context.id === uid;
  if (context.kind === 'group') return groups.includes(context.id);
  // Nobody is at the console: today's systems do not record it any more, and dbus-daemon does the same.
  return context.kind !== 'console' || !context.at;
}

/** Without a name it matches every name; with `prefix`, also the names below. */
function isName(name: string, wanted: string | undefined, prefix: boolean): boolean {
  return wanted === undefined || name === wanted || (prefix && name.startsWith(`${wanted}.`));
}

/**
 * Conditions of both directions. A field that the message lacks matches any condition, except for the interface in an
 * allow rule: such a message is not known to be allowed.
 */
function matchesMessage(terms: MessageTerms, header: Header, allow: boolean): boolean {
  const { type, unixFds = 0 } = header;
  if (terms.type !== undefined && terms.type !== type) return false;
  for (const field of ['path', 'member', 'errorName'] as const)
    if (terms[field] !== undefined && header[field] !== undefined && terms[field] !== header[field])
      return false;
  if (terms.interface !== undefined && header.interface === undefined && allow) return false;
  if (terms.interface !== undefined && header.interface !== undefined && terms.interface !== header.interface)
    return false;
  return unixFds >= terms.minFds && unixFds <= terms.maxFds;
}

/** Whether a rule does not apply to this reply, because of whether it was requested. */
function isReplyApart(
  terms: MessageTerms,
  { replySerial }: Header,
  allow: boolean,
  requested: boolean,
): boolean {
  if (replySerial === undefined) return false;
  if (allow) return !requested && terms.requestedReply && !terms.eavesdrop;
  return requested && !terms.requestedReply;
}

const isMessageRule = (rule: PolicyRule): rule is PolicyRule & { readonly terms: MessageTerms } =>
  rule.about === 'send' || rule.about === 'receive';

/** Eavesdroppers may get replies that nobody requested, too. */
const isAnything = (terms: MessageTerms): boolean =>
  terms.eavesdrop &&
  terms.minFds === 0 &&
  terms.maxFds === Number.POSITIVE_INFINITY &&
  !TERMS.some((term) => term in terms);
const TERMS = ['type', 'path', 'interface', 'member', 'errorName', 'peer', 'broadcast'];

function isBroadcastAlike({ broadcast }: MessageTerms, { type, destination }: Header): boolean {
  return broadcast === undefined || broadcast === (type === 'signal' && destination === undefined);
}
