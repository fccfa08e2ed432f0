// SPDX-License-Identifier: MIT
/** Well-known names. Each has a queue of clients that want it, and the first of them owns it. */
import type { Peer } from './peer.ts';

/** Flags of RequestName. */
export const ALLOW_REPLACEMENT = 1;
export const REPLACE_EXISTING = 2;
export const DO_NOT_QUEUE = 4;

export const REQUEST_REPLY = { owner: 1, queued: 2, exists: 3, alreadyOwner: 4 } as const;
export const RELEASE_REPLY = { released: 1, nonExistent: 2, notOwner: 3 } as const;

interface Claim {
  readonly peer: Peer;
  flags: number;
}

/** A name went from one client to another; undefined means none. */
export interface Change {
  readonly name: string;
  readonly from: Peer | undefined;
  readonly to: Peer | undefined;
}

export class Names {
  readonly #queues = new Map<string, Claim[]>();

  ownerOf(name: string): Peer | undefined {
    return this.#queues.get(name)?.[0]?.peer;
  }

  /** The owner, then those that wait, in order. */
  queueOf(name: string): readonly Peer[] {
    return (this.#queues.get(name) ?? []).map(({ peer }) => peer);
  }

  /** Names that have an owner, in the order in which they got their first owner. */
  all(): readonly string[] {
    return [...this.#queues.keys()];
  }

  request(name: string, peer: Peer, flags: number): { readonly reply: number; readonly change?: Change } {
    const queue = this.#queues.get(name) ?? [];
    const [first] = queue;
    if (first?.peer === peer) {
      first.flags = flags;
      return { reply: REQUEST_REPLY.alreadyOwner };
    }
    const replaces = (flags & REPLACE_EXISTING) !== 0 && ((first?.flags ?? 0) & ALLOW_REPLACEMENT) !== 0;
    if (first !== undefined && !replaces && (flags & DO_NOT_QUEUE) !== 0) {
      this.#remove(name, peer);
      return { reply: REQUEST_REPLY.exists };
    }
    this.#enqueue(name, queue, peer, flags);
    if (first !== undefined && !replaces) return { reply: REQUEST_REPLY.queued };
    if (first !== undefined) this.#replaceFirst(name, queue);
    return { reply: REQUEST_REPLY.owner, change: { name, from: first?.peer, to: peer } };
  }

  release(name: string, peer: Peer): { readonly reply: number; readonly change?: Change } {
    const queue = this.#queues.get(name);
    if (queue === undefined) return { reply: RELEASE_REPLY.nonExistent };
    if (!queue.some((claim) => claim.peer === peer)) return { reply: RELEASE_REPLY.notOwner };
    const owned = queue[0]?.peer === peer;
    this.#remove(name, peer);
    const change = owned ? { change: { name, from: peer, to: this.ownerOf(name) } } : {};
    return { reply: RELEASE_REPLY.released, ...change };
  }

  /** Adds the client at the end; right after the owner if it wanted to replace the owner. */
  #enqueue(name: string, queue: Claim[], peer: Peer, flags: number): void {
    const before = queue.findIndex((claim) => claim.peer === peer);
    if (before >= 0 && (flags & REPLACE_EXISTING) === 0) {
      (queue[before] as Claim).flags = flags;
      return;
    }
    if (before >= 0) queue.splice(before, 1);
    const at = (flags & REPLACE_EXISTING) === 0 ? queue.length : Math.min(1, queue.length);
    queue.splice(at, 0, { peer, flags });
    this.#queues.set(name, queue);
    peer.claims.add(name);
  }

  /** Makes the second the owner. The first waits right after it, unless it does not want to wait. */
  #replaceFirst(name: string, queue: Claim[]): void {
    const [first, second] = queue as [Claim, Claim];
    if ((first.flags & DO_NOT_QUEUE) !== 0) this.#remove(name, first.peer);
    else queue.splice(0, 2, second, first);
  }

  #remove(name: string, peer: Peer): void {
    const queue = this.#queues.get(name) ?? [];
    const at = queue.findIndex((claim) => claim.peer === peer);
    if (at < 0) return;
    queue.splice(at, 1);
    peer.claims.delete(name);
    if (queue.length === 0) this.#queues.delete(name);
  }
}
