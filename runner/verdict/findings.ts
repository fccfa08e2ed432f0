// SPDX-License-Identifier: MIT
/** Collects the failures of one check. Similar ones are counted together, and only those that are shown get words. */

import type { CheckName, CheckResult, Failure } from './verdict.ts';

/** Maximum number of failures that are shown. */
export const SHOWN = 10;

/** A failure without the fields that the collector adds. */
export type FailureText = Omit<Failure, 'check' | 'kind' | 'alike'>;

interface Group {
  readonly kind: string;
  readonly rank: number;
  readonly step: string;
  readonly words: () => FailureText;
  alike: number;
}

const byNumber = new Intl.Collator('en', { numeric: true });

export class Findings {
  readonly #check: CheckName;
  readonly #kinds: readonly string[];
  readonly #groups = new Map<string, Group>();
  readonly #notes: string[] = [];
  #failed = 0;

  /** `kinds` are the kinds of failures of this check, worst first. */
  constructor(check: CheckName, kinds: readonly string[]) {
    this.#check = check;
    this.#kinds = kinds;
  }

  /** Adds a failure. `words` is called later, and only for the first failure of its kind and step. */
  add(kind: string, step: string | undefined, words: () => FailureText): void {
    this.#failed++;
    const key = `${kind} ${step ?? ''}`;
    const group = this.#groups.get(key);
    if (group) group.alike++;
    else this.#groups.set(key, { kind, rank: this.#kinds.indexOf(kind), step: step ?? '', words, alike: 1 });
  }

  get any(): boolean {
    return this.#failed > 0;
  }

  /** Ids of the steps with failures so far. */
  get steps(): readonly string[] {
    return Array.from(this.#groups.values(), ({ step }) => step);
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  /** The check's result; `reason` says why there was nothing to check. */
  result(checked: number, unit: string, reason?: string): CheckResult {
    const notes = this.#notes.length > 0 ? { notes: this.#notes } : {};
    const outcome = { name: this.#check, checked, unit, failed: this.#failed, ...notes };
    if (this.#failed > 0) return { ...outcome, result: 'fail', failures: this.#worst() };
    if (reason !== undefined) return { ...outcome, result: 'skip', reason, failures: [] };
    return { ...outcome, result: 'pass', failures: [] };
  }

  #worst(): Failure[] {
    return [...this.#groups.values()]
      .sort((a, b) => a.rank - b.rank || byNumber.compare(a.step, b.step))
      .slice(0, SHOWN)
      .map(({ kind, words, alike }) => ({ check: this.#check, kind, ...words(), alike }));
  }
}
