// SPDX-License-Identifier: MIT
/** Match rules with their handlers. The kernel keeps out what no rule wants; here each message finds those that want it. */
import { DRIVER, isWellKnown, matches, parseRule, type Rule } from '../runner/dbus/index.ts';
import type { Received } from './connection.ts';
import { DbusError, ERROR } from './error.ts';
import { Owners } from './owners.ts';

/** The descriptors of a message are closed when every handler has returned, but for those that one has taken. */
export type Handler = (message: Received) => void;

export interface Subscription {
  /** The handler hears nothing from now on; resolves when the bus has removed the rule. */
  remove(): Promise<void>;
}

/** Calls of the bus that subscriptions need. */
export interface Subscriber {
  addMatch(rule: string): Promise<void>;
  removeMatch(rule: string): Promise<void>;
  /** The unique name of the owner; '' if there is none. */
  ownerOf(name: string): Promise<string>;
}

interface Entry {
  readonly rule: Rule;
  readonly handler: Handler;
}

export class Subscriptions {
  readonly #bus: Subscriber;
  readonly #entries = new Set<Entry>();
  readonly #owners = new Owners();
  /** How many rules ask for each well-known sender. */
  readonly #followed = new Map<string, number>();

  constructor(bus: Subscriber) {
    this.#bus = bus;
  }

  /** Rejects with DbusError: MatchRuleInvalid, LimitsExceeded. */
  async add(text: string, handler: Handler): Promise<Subscription> {
    const rule = parseRule(text);
    if ('mistake' in rule) throw new DbusError(`${ERROR}MatchRuleInvalid`, rule.mistake.message);
    const names = rule.conditions.flatMap(({ kind, value }) =>
      kind === 'sender' && isWellKnown(value) && value !== DRIVER ? [value] : [],
    );
    for (const name of names) await this.#follow(name);
    const entry = { rule, handler };
    this.#entries.add(entry);
    try {
      await this.#bus.addMatch(text);
    } catch (error) {
      this.#entries.delete(entry);
      for (const name of names) await this.#unfollow(name);
      throw error;
    }
    return { remove: () => this.#remove(entry, text, names) };
  }

  /** Tells a message to all whose rules want it. */
  tell(message: Received): void {
    this.#owners.see(message);
    const from = {
      unique: message.sender ?? '',
      owns: (name: string) => this.#owners.owns(message.sender ?? '', name),
    };
    for (const { rule, handler } of this.#entries) if (matches(rule, message, from)) handle(handler, message);
    for (const fd of message.fds) fd.close();
  }

  async #remove(entry: Entry, text: string, names: readonly string[]): Promise<void> {
    if (!this.#entries.delete(entry)) return;
    await this.#bus.removeMatch(text);
    for (const name of names) await this.#unfollow(name);
  }

  async #follow(name: string): Promise<void> {
    const before = this.#followed.get(name) ?? 0;
    this.#followed.set(name, before + 1);
    if (before > 0) return;
    this.#owners.follow(name);
    await this.#bus.addMatch(ownerRule(name));
    this.#owners.learn(name, await this.#bus.ownerOf(name));
  }

  async #unfollow(name: string): Promise<void> {
    const after = (this.#followed.get(name) ?? 1) - 1;
    this.#followed.set(name, after);
    if (after > 0) return;
    this.#owners.forget(name);
    await this.#bus.removeMatch(ownerRule(name));
  }
}

const ownerRule = (name: string): string =>
  `type='signal',sender='${DRIVER}',interface='${DRIVER}',member='NameOwnerChanged',arg0='${name}'`;

/** An error of a handler is no error of the others, nor of the bus: it ends the process as one in a timer does. */
function handle(handler: Handler, message: Received): void {
  try {
    handler(message);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
