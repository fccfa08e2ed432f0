// SPDX-License-Identifier: MIT
/** What the driver knows of a client, native or legacy. */
import { eavesdrops, type Rule, uniqueName } from '../../runner/dbus/index.ts';

/** The process of a client, as the kernel says. */
export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  /** Its groups; undefined if the kernel does not tell. */
  readonly groups?: readonly number[];
  /** Its security label, if a security module has given it one. */
  readonly security?: string;
}

/** A rule that a client has added, and how many times. */
interface Added {
  readonly rule: Rule;
  /** Its text when it was first added. */
  readonly text: string;
  count: number;
}

export class Peer {
  /** The client's prefix-0 address: `0000/00000000001f`. */
  readonly address: string;
  /** `:0.1f` */
  readonly name: string;
  readonly credentials: Credentials;
  /** Whether it can receive descriptors. */
  readonly fds: boolean;
  /** Whether the bus sees all replies to it, and can tell it about those that will not come. */
  readonly tracked: boolean;
  /** `new`: before Hello. `monitor`: may not send. `gone`: no longer on the bus. */
  state: 'new' | 'active' | 'monitor' | 'gone' = 'new';
  /** Well-known names that it owns or waits for, in the order of its requests. */
  readonly claims = new Set<string>();
  readonly #rules = new Map<string, Added>();
  /** Rules of a monitor. */
  monitors: readonly Rule[] = [];
  nrRules = 0;
  #nrEavesdropping = 0;

  constructor(address: string, credentials: Credentials, { fds, tracked }: Pick<Peer, 'fds' | 'tracked'>) {
    this.address = address;
    this.name = uniqueName(address);
    this.credentials = credentials;
    this.fds = fds;
    this.tracked = tracked;
  }

  addRule(rule: Rule, text: string): void {
    const added = this.#rules.get(rule.key);
    if (added === undefined) this.#rules.set(rule.key, { rule, text, count: 1 });
    else added.count++;
    this.nrRules++;
    if (eavesdrops(rule)) this.#nrEavesdropping++;
  }

  /** Removes one rule that says the same; false if there is none. */
  removeRule(rule: Rule): boolean {
    const added = this.#rules.get(rule.key);
    if (added === undefined) return false;
    if (--added.count === 0) this.#rules.delete(rule.key);
    this.nrRules--;
    if (eavesdrops(rule)) this.#nrEavesdropping--;
    return true;
  }

  /** Whether it wants messages for others. */
  get eavesdrops(): boolean {
    return this.#nrEavesdropping > 0;
  }

  /** Rules that select messages for others. */
  get eavesdropping(): readonly Rule[] {
    return [...this.#rules.values()].map(({ rule }) => rule).filter(eavesdrops);
  }

  removeRules(): void {
    this.#rules.clear();
    this.nrRules = 0;
    this.#nrEavesdropping = 0;
  }

  /** Each rule as often as it was added. */
  get ruleTexts(): readonly string[] {
    return [...this.#rules.values()].flatMap(({ text, count }) => Array<string>(count).fill(text));
  }
}
