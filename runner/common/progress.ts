// SPDX-License-Identifier: MIT
/** What a long job tells of itself. */

/** Says what is on, in a few words. */
export type Detail = (text: string) => void;

export interface Progress {
  /** Stage → seconds, of those that ended. */
  readonly timings: Readonly<Record<string, number>>;
  /** Does the work of one stage, and shows it. */
  stage<T>(title: string, work: (detail: Detail) => Promise<T> | T): Promise<T>;
}

/** Tells nobody. */
export const SILENT: Progress = { timings: {}, stage: async (_, work) => work(() => {}) };
