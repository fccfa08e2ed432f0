// SPDX-License-Identifier: MIT
import { dot, mermaid, pictureOf, svg } from '../graph/index.ts';
import { topologiesIn } from './topology-in.ts';

const WRITERS = { mermaid, dot, svg } as const;

interface GraphFlags {
  readonly set?: Readonly<Record<string, string>>;
  readonly format: keyof typeof WRITERS;
}

/** `graph`: draws buses, nodes, clients and groups; for a matrix, the first combination. */
export function graph(file: string, flags: GraphFlags): void {
  const [topology] = topologiesIn(file, flags.set);
  if (topology) process.stdout.write(WRITERS[flags.format](pictureOf(topology)));
}
