// SPDX-License-Identifier: MIT
/**
 * Match rules and their handlers. The kernel drops messages that match no rule; each other message finds its handlers
 * here.
 */
import { DRIVER, eavesdrops, isWellKnown, matches, parseRule, type Rule } from '../runner/dbus/index.ts';
import { discard, type Received } from './connection.ts';
import { DbusError, ERROR } from './error.ts';
import { callListener } from './listener.ts';
import { Owners } from './owners.ts';

/**
 * The descriptors of a message are closed when every handler has returned, except for those that a handler has taken.
 */
export type Handler = (message: Received) => void;

export interface Subscription {
  /** The handler is not called any more; resolves when the bus has removed the rule. */
  remove(): Promise<void>;
}

/** Methods of the bus that subscriptions need. */
export interface Driver {
  addMatch(rule: string): Promise<void>;
  removeMatch(rule: string): Promise<void>;
  /** The unique name of the owner; '' if there is none. */
  ownerOf(name: string): Promise<string>;
}

interface Entry {
  readonly rule: Rule;
  readonly handler: Handler;
}

/** A well-known name that is the sender in a rule. */
interface Followed {
  rules: number;
  /** Resolves when its owner is known. */
  readonly known: Promise<void>;
}

export class Subscriptions {
  readonly #bus: Driver;
  readonly #entries = new Set<Entry>();
  readonly #owners = new Owners();
  readonly #followed = new Map<string, Followed>();

  constructor(bus: Driver) {
    this.#bus = bus;
  }

  /** Rejects with DbusError: MatchRuleInvalid, LimitsExceeded. */
  async add(text: string, handler: Handler): Promise<Subscription> {
    const rule = parseRule(text);
    if ('mistake' in rule) throw new DbusError(`${ERROR}MatchRuleInvalid`, rule.mistake.message);
    const name = wellKnownSender(rule);
    const entry = { rule, handler };
    try {
      if (name !== undefined) await this.#follow(name);
      this.#entries.add(entry);
      await this.#bus.addMatch(text);
    } catch (error) {
      this.#entries.delete(entry);
      // The first failure says more than those that follow from it.
      if (name !== undefined) await this.#unfollow(name).catch(() => {});
      throw error;
    }
    return { remove: () => this.#remove(entry, text, name) };
  }

  /**
   * Calls the handlers whose rules match the message; if it is for another client, those that eavesdrop. A rule that a
   * handler adds takes effect after the message.
   */
  dispatch(message: Received, isForOther = false): void {
    this.#owners.see(message);
    const from = {
      unique: message.sender ?? '',
      owns: (name: string) => this.#owners.owns(message.sender ?? '', name),
    };
    const wanting = [...this.#entries].filter(
      ({ rule }) => (!isForOther || eavesdrops(rule)) && matches(rule, message, from),
    );
    for (const entry of wanting) if (this.#entries.has(entry)) callListener(() => entry.handler(message));
    discard(message);
  }

  async #remove(entry: Entry, text: string, name: string | undefined): Promise<void> {
    if (!this.#entries.delete(entry)) return;
    await this.#bus.removeMatch(text);
    if (name !== undefined) await this.#unfollow(name);
  }

  async #follow(name: string): Promise<void> {
    const followed = this.#followed.get(name) ?? { rules: 0, known: this.#watch(name) };
    followed.rules++;
    this.#followed.set(name, followed);
    await followed.known;
  }

  async #watch(name: string): Promise<void> {
    this.#owners.follow(name);
    await this.#bus.addMatch(ownerRule(name));
    this.#owners.learn(name, await this.#bus.ownerOf(name));
  }

  async #unfollow(name: string): Promise<void> {
    const followed = this.#followed.get(name);
    if (followed === undefined || --followed.rules > 0) return;
    this.#followed.delete(name);
    this.#owners.forget(name);
    await this.#bus.removeMatch(ownerRule(name));
  }
}

function wellKnownSender({ conditions }: Rule): string | undefined {
  const sender = conditions.find(({ kind }) => kind === 'sender')?.value;
  return sender !== undefined && sender !== DRIVER && isWellKnown(sender) ? sender : undefined;
}

const ownerRule = (name: string): string =>
  `type='signal',sender='${DRIVER}',interface='${DRIVER}',member='NameOwnerChanged',arg0='${name}'`;
