// SPDX-License-Identifier: MIT
/**
 * A message bus of D-Bus as a state machine: its clients, the owner of each name and who waits for it, the rules, and
 * so who gets which signal (D-Bus Specification, "Message Bus Specification"; docs/dbus.md). Pure.
 *
 * Clients have the names of the file; the unique name of `player` is `:player` here.
 */
import { DRIVER, matches, parseRule, type Rule, type Subject } from '../dbus/index.ts';

/** A signal of the bus itself to a client, about a name. */
export interface Heard {
  readonly client: string;
  readonly member: 'NameOwnerChanged' | 'NameAcquired' | 'NameLost';
  readonly args: readonly string[];
}

/** A rule that a client has or had, and whether the bus has sent a matching message since then. */
export interface RuleUse {
  readonly rule: Rule;
  wanted: boolean;
}

interface Claim {
  readonly client: string;
  flags: number;
}

const ALLOW_REPLACEMENT = 1;
const REPLACE_EXISTING = 2;
const DO_NOT_QUEUE = 4;

const uniqueOf = (client: string | undefined): string => (client === undefined ? '' : `:${client}`);

export class MessageBus {
  /** Client → its rules; clients in the order in which they joined. */
  readonly #rules = new Map<string, readonly RuleUse[]>();
  readonly #removed: RuleUse[] = [];
  /** Name → its owner, then the clients that wait for it. */
  readonly #queues = new Map<string, readonly Claim[]>();

  has(client: string): boolean {
    return this.#rules.has(client);
  }

  ownerOf(name: string): string | undefined {
    return this.#queues.get(name)?.[0]?.client;
  }

  /** Hello. */
  join(client: string): Heard[] {
    this.#rules.set(client, []);
    return this.#changed(uniqueOf(client), undefined, client);
  }

  /** A client leaves: it loses the name that it requested last first, and its unique name at the end. */
  leave(client: string): Heard[] {
    this.#rules.delete(client);
    const claims = [...this.#asked].filter((key) => key.startsWith(`${client} `)).reverse();
    const heard = claims.flatMap((key) => this.release(client, key.slice(client.length + 1)).heard);
    return [...heard, ...this.#changed(uniqueOf(client), client, undefined)];
  }

  /** `client name` pairs in the order of the requests. */
  readonly #asked = new Set<string>();

  request(client: string, name: string, flags: number): { readonly result: number; readonly heard: Heard[] } {
    const queue = this.#queues.get(name) ?? [];
    const [first] = queue;
    if (first?.client === client) {
      first.flags = flags;
      return { result: 4, heard: [] };
    }
    const replaces = (flags & REPLACE_EXISTING) > 0 && ((first?.flags ?? 0) & ALLOW_REPLACEMENT) > 0;
    const others = queue.filter((claim) => claim.client !== client);
    if (first !== undefined && !replaces && (flags & DO_NOT_QUEUE) > 0) {
      this.#keep(name, others);
      this.#asked.delete(`${client} ${name}`);
      return { result: 3, heard: [] };
    }
    this.#asked.add(`${client} ${name}`);
    const claim = { client, flags };
    if (first === undefined || replaces) {
      const waits = first === undefined || (first.flags & DO_NOT_QUEUE) === 0;
      if (!waits) this.#asked.delete(`${first.client} ${name}`);
      this.#keep(name, [claim, ...(waits ? others : others.slice(1))]);
      return { result: 1, heard: this.#changed(name, first?.client, client) };
    }
    const before = queue.findIndex((each) => each.client === client);
    if ((flags & REPLACE_EXISTING) > 0) this.#keep(name, [first, claim, ...others.slice(1)]);
    else if (before < 0) this.#keep(name, [...queue, claim]);
    else this.#keep(name, queue.with(before, claim));
    return { result: 2, heard: [] };
  }

  release(client: string, name: string): { readonly result: number; readonly heard: Heard[] } {
    const queue = this.#queues.get(name);
    if (queue === undefined) return { result: 2, heard: [] };
    if (!queue.some((claim) => claim.client === client)) return { result: 3, heard: [] };
    this.#keep(
      name,
      queue.filter((claim) => claim.client !== client),
    );
    this.#asked.delete(`${client} ${name}`);
    const owned = queue[0]?.client === client;
    return { result: 1, heard: owned ? this.#changed(name, client, this.ownerOf(name)) : [] };
  }

  /** Adds a rule; the text must be valid. */
  addRule(client: string, text: string): RuleUse {
    const use = useOf(text);
    this.#rules.set(client, [...(this.#rules.get(client) ?? []), use]);
    return use;
  }

  /** Removes one rule; undefined if the client has none with the same conditions. */
  removeRule(client: string, text: string): RuleUse | undefined {
    const use = useOf(text);
    const rules = this.#rules.get(client) ?? [];
    const at = rules.findIndex(({ rule }) => rule.key === use.rule.key);
    if (at < 0) return undefined;
    this.#rules.set(client, rules.toSpliced(at, 1));
    this.#removed.push(use);
    return use;
  }

  /** The clients that get a broadcast signal; if `sender` is undefined, the bus sends it. */
  receivers(sender: string | undefined, message: Subject): string[] {
    const unique = sender === undefined ? DRIVER : uniqueOf(sender);
    const owns = (name: string) => sender !== undefined && this.ownerOf(name) === sender;
    const wants = (use: RuleUse) => {
      const does = matches(use.rule, message, { unique, owns });
      use.wanted ||= does;
      return does;
    };
    for (const use of this.#removed) wants(use);
    return [...this.#rules].filter(([, rules]) => rules.filter(wants).length > 0).map(([client]) => client);
  }

  /** The old owner is told first, then all clients with a matching rule, then the new owner. */
  #changed(name: string, from: string | undefined, to: string | undefined): Heard[] {
    const args = [name, uniqueOf(from), uniqueOf(to)];
    const subject: Subject = {
      ...{ type: 'signal', path: '/org/freedesktop/DBus', interface: DRIVER, member: 'NameOwnerChanged' },
      args: args.map((value) => ({ type: 's', value })),
    };
    const lost = from !== undefined && this.has(from) ? [from] : [];
    return [
      ...lost.map((client): Heard => ({ client, member: 'NameLost', args: [name] })),
      ...this.receivers(undefined, subject).map(
        (client): Heard => ({ client, member: 'NameOwnerChanged', args }),
      ),
      ...(to === undefined ? [] : [{ client: to, member: 'NameAcquired', args: [name] } as const]),
    ];
  }

  #keep(name: string, queue: readonly Claim[]): void {
    if (queue.length === 0) this.#queues.delete(name);
    else this.#queues.set(name, queue);
  }
}

function useOf(text: string): RuleUse {
  const rule = parseRule(text);
  if ('mistake' in rule) throw new Error(`no match rule: ${text}`);
  return { rule, wanted: false };
}
