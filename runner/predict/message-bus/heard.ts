// SPDX-License-Identifier: MIT
/** The signals of the buses about names: what each client hears, and up to which one `hears` steps have covered it. */
import type { Heard } from '../../model/index.ts';
import { heardText } from '../../topology/message-bus.ts';
import { lengthOfHeard, shown } from './message.ts';
import type { HeardAt } from './operation.ts';
import type { Parties } from './parties.ts';
import type { Sleepers } from './sleepers.ts';

export class HeardSignals {
  readonly #parties: Parties;
  readonly #sleepers: Sleepers;
  /** Client → its signals, in order. */
  readonly all = new Map<string, HeardAt[]>();
  /** Id of a `hears` step → the signals since the client's last `hears` step. */
  readonly since = new Map<string, readonly string[]>();
  /** Client → number of its signals that `hears` steps have covered. */
  readonly #covered = new Map<string, number>();

  constructor(parties: Parties, sleepers: Sleepers) {
    this.#parties = parties;
    this.#sleepers = sleepers;
  }

  connect(client: string): void {
    this.all.set(client, []);
  }

  add(top: number, heard: readonly Heard[], since = top): void {
    for (const each of heard) {
      const { client, member, args } = each;
      this.all.get(client)?.push({ top, since, text: heardText(member, args.map(shown)) });
      this.#sleepers.add(client, { top, bytes: lengthOfHeard(each, this.#parties), concurrent: false });
    }
  }

  cover(client: string, step: string): void {
    const all = this.all.get(client) ?? [];
    const from = this.#covered.get(client) ?? 0;
    this.#covered.set(client, all.length);
    this.since.set(
      step,
      all.slice(from).map(({ text }) => text),
    );
  }
}
