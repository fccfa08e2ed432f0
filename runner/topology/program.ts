// SPDX-License-Identifier: MIT
/** Unmodified programs as clients of message buses: what the file says of them, and what it expects of their output. */
import type { Place } from './topology.ts';

export interface ProgramSpec {
  readonly name: string;
  readonly bus: string;
  /** The node in which it runs. */
  readonly node: string;
  /** The program, which is looked for in PATH, and its arguments; no shell reads them. */
  readonly argv: readonly [string, ...string[]];
  readonly place: Place;
}

export interface ProgramExpect {
  /** Its exit status. */
  readonly exit?: number;
  /** A text: all that it has written to its standard output. A list: texts that lines of it contain, in this order. */
  readonly output?: string | readonly string[];
  /** Upper limit for the time until this is true, in ms. */
  readonly within: number;
}

/** `run` starts it; `kill` is SIGKILL; `expect` only waits. */
export interface ProgramStep {
  readonly kind: 'program';
  readonly id: string;
  readonly do: 'run' | 'kill' | 'expect';
  readonly client: string;
  /** Absent if the step expects nothing. */
  readonly expect?: ProgramExpect;
  readonly place: Place;
}

/** Whether an expectation is about the whole run of the program, so that it has to end first. */
export const needsEnd = ({ exit, output }: Pick<ProgramExpect, 'exit' | 'output'>): boolean =>
  exit !== undefined || typeof output === 'string';

/** The first of these texts that no line contains after the lines of the texts before it; undefined if all are there. */
export function firstMissing(output: string, texts: readonly string[]): string | undefined {
  const lines = output.split('\n');
  let from = 0;
  for (const text of texts) {
    const at = lines.findIndex((line, n) => n >= from && line.includes(text));
    if (at < 0) return text;
    from = at + 1;
  }
  return undefined;
}

/** A text of a file and an output are the same if they differ only in the ends of lines at their end. */
export const isWhole = (output: string, text: string): boolean =>
  output.replace(/\n+$/, '') === text.replace(/\n+$/, '');

export const programText = ({ do: verb, client }: ProgramStep): string =>
  verb === 'expect' ? `expect what ${client} does` : `${verb} ${client}`;

/** `exits with 0 and writes "x"`; empty if nothing is expected. */
export function expectText(expect: ProgramExpect | undefined): string {
  const { exit, output } = expect ?? {};
  const parts = [
    ...(exit === undefined ? [] : [`exits with ${exit}`]),
    ...(output === undefined ? [] : [`writes ${outputText(output)}`]),
  ];
  return parts.join(' and ');
}

const outputText = (output: string | readonly string[]): string =>
  typeof output === 'string'
    ? JSON.stringify(output.replace(/\n+$/, ''))
    : output.map((text) => `… ${JSON.stringify(text)} …`).join(', then ');
