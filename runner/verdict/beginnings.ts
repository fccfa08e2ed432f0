// SPDX-License-Identifier: MIT
/** The beginnings of messages, which are all that a filter or a buffer leaves of a copy. */

import { checksumOf } from '../common/envelope.ts';
import { datagramsOf, type PlannedMessage } from '../plan/index.ts';
import type { Datagrams } from '../predict/index.ts';
import type { SendStep } from '../topology/topology.ts';
import type { Facts } from './facts.ts';

/** Makes the bytes of a message again from the plan. Each beginning is made once: a message may have many readers. */
export class Beginnings {
  readonly #facts: Pick<Facts, 'plan' | 'steps'>;
  readonly #datagrams: Datagrams;
  readonly #known = new Map<PlannedMessage, Map<number, number>>();

  constructor(facts: Pick<Facts, 'plan' | 'steps'>) {
    this.#facts = facts;
    this.#datagrams = datagramsOf(facts.plan);
  }

  /** Checksum of the message's first bytes. */
  checksum(message: PlannedMessage, bytes: number): number {
    const ofMessage = this.#known.get(message) ?? new Map<number, number>();
    this.#known.set(message, ofMessage);
    const checksum = ofMessage.get(bytes) ?? checksumOf(this.#bytes(message).subarray(0, bytes));
    ofMessage.set(bytes, checksum);
    return checksum;
  }

  #bytes({ step, number }: PlannedMessage): Uint8Array {
    const { plan, steps } = this.#facts;
    const { first } = plan.messagesOf.get(step) as { readonly first: number };
    return this.#datagrams(steps.get(step)?.step as SendStep, number - first).bytes();
  }
}
