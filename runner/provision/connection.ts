// SPDX-License-Identifier: MIT
/** A node agent at the other end of a byte stream, whatever carries it: a container's stdio or a host channel. */

import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { type NodeOrder, type NodeReport, PROTOCOL_VERSION } from '../agent/protocol.ts';
import { EnvironmentError } from '../common/errors.ts';
import type { NodeConnection } from './lab.ts';

export interface Streams {
  readonly input: Writable;
  readonly output: Readable;
  /** What the other end said beside the protocol, for error messages. */
  readonly errors?: Readable;
}

type Hello = NodeConnection['hello'];

/** Waits for `hello` and gives the connection; rejects with what the node said instead. */
export async function connectNode(name: string, streams: Streams): Promise<NodeConnection> {
  const noise = new LastLines(20);
  if (streams.errors) createInterface(streams.errors).on('line', (line) => noise.add(line));
  const lines = createInterface(streams.output);
  const ended = new Promise<string>((resolve) => {
    lines.once('close', () => resolve('its stream ended'));
    for (const s of [streams.input, streams.output]) s.on('error', (e) => resolve(e.message));
  });

  let listener: ((report: NodeReport) => void) | null = null;
  const early: NodeReport[] = [];
  const hello = await new Promise<Hello>((resolve, reject) => {
    lines.on('line', (line) => {
      const report = parse(line);
      if (!report) return noise.add(line);
      if (report.say === 'hello') return resolve(report);
      if (listener) listener(report);
      else early.push(report);
    });
    void ended.then((why) =>
      reject(
        new EnvironmentError(
          `node "${name}" ended before it was ready (${why})`,
          `look at its last lines above, then run "afbus-topo doctor"`,
          { lines: noise.list() },
        ),
      ),
    );
  });
  if (hello.version !== PROTOCOL_VERSION) throw otherVersion(name, hello.version);

  return {
    name,
    hello,
    tell: (order: NodeOrder) => void streams.input.write(`${JSON.stringify(order)}\n`),
    onReport: (to) => {
      listener = to;
      for (const report of early.splice(0)) to(report);
    },
    closed: ended,
    release: () => {
      streams.input.destroy();
      streams.output.destroy();
    },
  };
}

function parse(line: string): NodeReport | null {
  if (!line.startsWith('{"say"')) return null;
  try {
    return JSON.parse(line) as NodeReport;
  } catch {
    return null;
  }
}

const otherVersion = (name: string, version: number) =>
  new EnvironmentError(
    `node "${name}" speaks version ${version} of the agents' protocol, this runner ${PROTOCOL_VERSION}`,
    'the agent image is of another release: run "afbus-topo host clean" and try again',
  );

class LastLines {
  readonly #most: number;
  readonly #lines: string[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#most) this.#lines.shift();
  }

  list(): readonly string[] {
    return this.#lines;
  }
}
