// SPDX-License-Identifier: MIT
/** How a long job reports its progress. */

/** Reports what is in progress, in a few words. */
export type Detail = (text: string) => void;

export interface Progress {
  /** Stage → seconds, for stages that have ended. */
  readonly timings: Readonly<Record<string, number>>;
  /** Runs one stage and shows it. */
  stage<T>(title: string, work: (detail: Detail) => Promise<T> | T): Promise<T>;
}

/** Shows nothing. */
export const SILENT: Progress = { timings: {}, stage: async (_, work) => work(() => {}) };
