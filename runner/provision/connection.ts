// SPDX-License-Identifier: MIT
/** The connection to a node agent over any byte stream: a container's stdio or a host channel. */

import type { Readable, Writable } from 'node:stream';
import { type NodeOrder, type NodeReport, PROTOCOL_VERSION } from '../agent/protocol.ts';
import { EnvironmentError } from '../common/errors.ts';
import { gathering } from '../common/gather.ts';
import { LIMITS } from '../common/limits.ts';
import { CutLines, Lines } from '../common/lines.ts';
import type { NodeConnection } from './lab.ts';

export interface Streams {
  readonly input: Writable;
  readonly output: Readable;
  /** What the other end said outside the protocol, for error messages. */
  readonly errors?: Readable;
}

/** Bytes of the end of a line: a node may send nothing but these. */
const NEWLINE = 1;

type Hello = NodeConnection['hello'];

/** Waits for `hello` and resolves with the connection; rejects with what the node said instead. */
export async function connectNode(
  name: string,
  streams: Streams,
  most: number = LIMITS.runBytes.most,
): Promise<NodeConnection> {
  const noise = new LastLines(20);
  const errors = new CutLines((line) => noise.add(line.toString()), LIMITS.stderrBytes.most);
  streams.errors?.on('data', (chunk: Buffer) => errors.push(chunk));
  const ended = Promise.withResolvers<string>();
  let listener: ((report: NodeReport) => void) | null = null;
  let isGreeted = false;
  /** Of the bytes that came with the greeting. */
  const early: NodeReport[] = [];
  const first = Promise.withResolvers<Hello>();
  let left = most;
  const take = (bytes: Buffer) => {
    left -= bytes.length + NEWLINE;
    if (left < 0) return excess(`it reported more than ${most} bytes`);
    const line = bytes.toString();
    const report = parse(line);
    if (report?.say === 'hello') greet(report);
    else if (!report || !isGreeted) noise.add(line);
    else if (listener) listener(report);
    else early.push(report);
  };
  // Nothing more is read while nobody listens: a node could fill the memory while others of its run start.
  const greet = (hello: Hello) => {
    isGreeted = true;
    first.resolve(hello);
    if (!listener) streams.output.pause();
  };
  const excess = (why: string) => {
    ended.resolve(why);
    for (const stream of [streams.input, streams.output]) stream.destroy();
  };
  follow(streams.output, take, LIMITS.reportBytes.most, () =>
    excess(`it sent a report of more than ${LIMITS.reportBytes.most} bytes`),
  );
  streams.output.once('close', () => ended.resolve('its stream ended'));
  streams.output.once('end', () => ended.resolve('its stream ended'));
  for (const s of [streams.input, streams.output]) s.on('error', (e) => ended.resolve(e.message));
  void ended.promise.then((why) => {
    errors.end();
    first.reject(
      new EnvironmentError(
        `node "${name}" ended before it was ready (${why})`,
        `look at its last lines above, then run "afbus-topo doctor"`,
        { lines: noise.list() },
      ),
    );
  });
  const hello = await first.promise;
  const write = gathering(streams.input);
  if (hello.version !== PROTOCOL_VERSION) throw otherVersion(name, hello.version);

  return {
    name,
    hello,
    tell: (order: NodeOrder) => write(`${JSON.stringify(order)}\n`),
    onReport: (to) => {
      listener = to;
      for (const report of early.splice(0)) to(report);
      streams.output.resume();
    },
    closed: ended.promise,
    release: () => {
      streams.input.destroy();
      streams.output.destroy();
    },
  };
}

function follow(stream: Readable, onLine: (line: Buffer) => void, most: number, onExcess: () => void): void {
  const lines = new Lines(onLine, { most, onExcess });
  stream.on('data', (chunk: Buffer) => lines.push(chunk));
}

/** Accepts reports of any form, except for `hello`, whose fields are used before the run begins to check reports. */
function parse(line: string): NodeReport | null {
  if (!line.startsWith('{"say"')) return null;
  try {
    const report = JSON.parse(line) as NodeReport;
    return report.say !== 'hello' || isHello(report) ? report : null;
  } catch {
    return null;
  }
}

function isHello({ version, kernel, bus }: Partial<Hello>): boolean {
  const { family, missing } = (bus ?? {}) as { family?: unknown; missing?: unknown };
  const known = typeof family === 'number' || typeof missing === 'string';
  return typeof version === 'number' && typeof kernel === 'string' && known;
}

const otherVersion = (name: string, version: number) =>
  new EnvironmentError(
    `node "${name}" speaks version ${version} of the agents' protocol, this runner ${PROTOCOL_VERSION}`,
    'the agent image is of another release: run "afbus-topo host clean" and try again',
  );

/** Longest part of a line of noise that is kept, in characters. */
const LONGEST = 4096;

class LastLines {
  readonly #most: number;
  readonly #lines: string[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  add(line: string): void {
    this.#lines.push(line.slice(0, LONGEST));
    if (this.#lines.length > this.#most) this.#lines.shift();
  }

  list(): readonly string[] {
    return this.#lines;
  }
}
