// SPDX-License-Identifier: MIT
/** `expect.deliveries`: lines about sends, which they call by the name in `as`. */

import { isDeepStrictEqual } from 'node:util';
import type { Path } from '../../common/diagnostic.ts';
import { didYouMean } from '../../common/nearest.ts';
import { either } from '../../common/text.ts';
import { partyOf } from '../../topology/lane.ts';
import type { DeliveryExpect } from '../../topology/topology.ts';
import type { Facts } from './expectations.ts';
import { receivers } from './parties.ts';
import type { PartyState } from './party-state.ts';
import type { Scope } from './scope.ts';

/** What to do about a line whose receiver stands for nobody. */
const OTHER = 'Remove this line, or name a client that gets a copy.';

type Line = { readonly index: number; readonly path: Path; readonly written: Omit<DeliveryExpect, 'place'> };

export class Deliveries {
  readonly #scope: Scope;
  readonly #lines: Line[] = [];
  readonly #resolved: (readonly [index: number, DeliveryExpect])[] = [];
  readonly #names = new Map<string, Path>();
  readonly #recipients = new Map<string, Set<string>>();

  constructor(scope: Scope) {
    this.#scope = scope;
    const section = scope.written.expect?.deliveries;
    if (!Array.isArray(section)) return;
    if (section.length === 0) {
      const message = 'an empty list asks for nothing: what the model predicts is checked in any case';
      const hint =
        'Remove it. To say that a send reaches nobody, write expect: { recipients: [] } at that send.';
      scope.problems.warning(['expect', 'deliveries'], { code: 'vacuous', message, hint });
    }
    section.forEach((written, index) => {
      const path = ['expect', 'deliveries', index];
      if (scope.problems.isBroken(path)) return;
      const line = { index, path, written: written as Line['written'] };
      this.#lines.push(line);
      this.#twin(line);
      if (line.written.credentials === undefined || Object.keys(line.written.credentials).length > 0) return;
      const words = { message: 'these credentials ask for nothing', hint: 'Write { uid: 0 }, or remove it.' };
      scope.problems.warning([...path, 'credentials'], { code: 'vacuous', ...words });
    });
  }

  /** Reports a line that is in the list already: it may be meant as a second copy, which nobody gets. */
  #twin({ index, path, written }: Line): void {
    const first = this.#lines.find((line) => isDeepStrictEqual(line.written, written));
    if (first === undefined || first.index === index) return;
    this.#scope.problems.warning(path, {
      code: 'vacuous',
      message: 'this line is in the list already: each recipient gets one copy of a message',
      hint: 'Remove it.',
    });
  }

  /** Adds the name that `as` gives to a send. */
  declare(name: string, path: Path): void {
    const first = this.#names.get(name);
    if (first === undefined) {
      this.#names.set(name, path);
      return;
    }
    const { line } = this.#scope.tree.place(first);
    const message = `the send at line ${line} has the name "${name}" already`;
    this.#scope.problems.error(path, {
      code: 'duplicate-name',
      message,
      hint: 'Give each send its own `as`.',
    });
  }

  /** Resolves the lines about a send. */
  take(scope: Scope, parties: PartyState, facts: Facts): void {
    if (facts.as === undefined) return;
    const all = new Set<string>();
    for (const line of this.#of(facts.as)) {
      this.#finding(line, facts);
      const place = scope.tree.place(line.path);
      for (const to of receivers(scope, parties, line.written.to, facts, {
        path: [...line.path, 'to'],
        hint: OTHER,
      })) {
        all.add(to);
        const { from } = line.written;
        const sender = from === undefined ? {} : { from: scope.incarnation(from) };
        this.#resolved.push([line.index, { ...line.written, ...sender, to, place }]);
      }
    }
    this.#recipients.set(facts.as, all);
  }

  /** Reports lines that cannot hold because of what the send itself expects. */
  refuse(as: string | undefined, why: string): void {
    for (const { path } of this.#of(as)) {
      this.#scope.problems.error(path, { code: 'impossible', message: `this cannot happen: ${why}` });
    }
  }

  /** Reports lines about receivers that the send's own expectation does not list. */
  compare(as: string | undefined, recipients: ReadonlySet<string>): void {
    for (const to of this.#recipients.get(as ?? '') ?? []) {
      if (recipients.has(to)) continue;
      const line = this.#of(as).find((each) => each.written.to === to) ?? this.#of(as)[0];
      const message = `"${to}" is not among the recipients that the send "${as}" expects`;
      if (line) this.#scope.problems.warning([...line.path, 'to'], { code: 'impossible', message });
    }
  }

  /** Reports lines that ask for fewer descriptors than arrive; `comingTo` returns each number that may arrive. */
  count(as: string, carried: number, comingTo: (lane: string) => readonly number[]): void {
    for (const [index, { message: name, to, fds }] of this.#resolved) {
      if (name !== as || fds === undefined || fds > carried) continue;
      const right = comingTo(to);
      if (right.includes(fds)) continue;
      const message = `"${as}" arrives at "${to}" with ${either(right.map(String))} of ${carried} descriptors`;
      this.#scope.problems.warning(['expect', 'deliveries', index, 'fds'], { code: 'impossible', message });
    }
  }

  /** All lines in file order; reports lines whose name no send has. */
  finish(): DeliveryExpect[] {
    const { problems } = this.#scope;
    for (const { path, written } of this.#lines) {
      if (this.#names.has(written.message)) continue;
      const names = [...this.#names.keys()];
      problems.error([...path, 'message'], {
        code: 'unknown-name',
        message: `no send is called "${written.message}"`,
        expected: names.length > 0 ? `names given with \`as\`: ${names.join(', ')}` : 'no send has an `as`',
        hint: didYouMean(written.message, names),
      });
    }
    return this.#resolved.toSorted(([a], [b]) => a - b).map(([, line]) => line);
  }

  #of(as: string | undefined): Line[] {
    return as === undefined ? [] : this.#lines.filter((line) => line.written.message === as);
  }

  #finding({ path, written }: Line, { from, fds, as }: Facts): void {
    const sender = partyOf(from);
    const warn = (key: string, message: string) =>
      this.#scope.problems.warning([...path, key], { code: 'impossible', message });
    if (written.from !== undefined && this.#scope.incarnation(written.from) !== sender)
      warn('from', `"${as}" is sent by "${sender}"`);
    // A limited client gets fewer, which the model accounts for.
    if (written.fds !== undefined && written.fds > fds) warn('fds', `"${as}" carries ${fds} descriptors`);
  }
}
