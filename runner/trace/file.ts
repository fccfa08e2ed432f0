// SPDX-License-Identifier: MIT
/** A trace as a file: JSON Lines, one event a line, so that a run can be judged again and read with line tools. */

import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import type { Credentials } from '../common/credentials.ts';
import { InvalidInput } from '../common/errors.ts';
import { TooBig } from '../common/folder.ts';
import { LIMITS } from '../common/limits.ts';
import { neutralJsonText } from '../common/neutral.ts';
import type { DeliveryEvent, Trace } from './trace.ts';

const FORMAT = 2;
const CHUNK = 1 << 18;

/** Lists of the trace, each with its kind of line; deliveries are sorted by their lanes. */
const LISTS = [
  'sends',
  'pipes',
  'attaches',
  'processes',
  'ends',
  'steps',
  'exits',
  'kernel',
  'fences',
  'dbus',
  'joins',
  'programs',
  'logs',
] as const;
type List = (typeof LISTS)[number];
/** Lists that are absent if they are empty. */
const OF_MESSAGE_BUSES = ['dbus', 'joins', 'programs', 'logs'] as const;

/** Writes the whole trace; replaces the file. Throws TooBig if it would have more bytes than `most`. */
export function writeTrace(path: string, trace: Trace, most: number = LIMITS.traceBytes.most): void {
  const file = openSync(path, 'w');
  try {
    let [text, left] = ['', most];
    const write = () => {
      // Names, addresses and lines of the kernel come from nodes, so they may contain anything.
      const bytes = Buffer.from(neutralJsonText(text));
      left -= bytes.length;
      if (left < 0) throw new TooBig(`the trace has more than ${most} bytes`);
      writeFileSync(file, bytes);
    };
    for (const line of lines(trace)) {
      text += line;
      text += '\n';
      if (text.length < CHUNK) continue;
      write();
      text = '';
    }
    write();
  } finally {
    closeSync(file);
  }
}

/** Reads what `writeTrace` wrote; throws InvalidInput, with the line, for anything else. */
export function readTrace(path: string): Trace {
  const [head = '', ...rest] = readFileSync(path, 'utf8').split('\n');
  const { afbusTrace, socketsLeft, cut, cutAt, readOut } = parse(path, 1, head);
  if (afbusTrace !== FORMAT) throw notTrace(path, 1);
  const lists = Object.fromEntries(LISTS.map((list) => [list, []])) as unknown as Record<List, unknown[]>;
  const deliveries = new Map<string, DeliveryEvent[]>();
  for (const [i, line] of rest.entries()) {
    if (line === '') continue;
    const { is, ...event } = parse(path, i + 2, line);
    if (is === 'deliveries') lane(deliveries, { ...ORDINARY, ...event } as unknown as DeliveryEvent);
    else if (LISTS.includes(is as List)) lists[is as List].push(event);
    else throw notTrace(path, i + 2);
  }
  const ending = {
    ...(cut !== undefined && { cut }),
    ...(cutAt !== undefined && { cutAt }),
    ...(readOut !== undefined && { readOut }),
  };
  for (const list of OF_MESSAGE_BUSES)
    if (lists[list].length === 0) delete (lists as Partial<typeof lists>)[list];
  return { ...lists, deliveries, socketsLeft, ...ending } as unknown as Trace;
}

function* lines(trace: Trace): Generator<string> {
  const { socketsLeft, cut, cutAt, readOut } = trace;
  const quoted = new Quoted();
  yield JSON.stringify({ afbusTrace: FORMAT, socketsLeft, cut, cutAt, readOut });
  for (const is of LISTS) for (const event of trace[is] ?? []) yield JSON.stringify({ is, ...event });
  for (const lane of trace.deliveries.values()) {
    for (const event of lane) yield deliveryLine(event, quoted);
  }
}

/** Values that most deliveries have, and that are left out. */
const ORDINARY = {
  fence: false,
  intact: true,
  truncated: false,
  controlTruncated: false,
  fds: 0,
  lost: 0,
};

/** Written without JSON.stringify, since a run with a crowd has millions of these. */
function deliveryLine(event: DeliveryEvent, quoted: Quoted): string {
  const { position, t, message, sequence, length, checksum, fds, lost, credentials } = event;
  const from = quoted.json(event.from);
  return (
    `{"is":"deliveries","lane":${quoted.json(event.lane)},"position":${position},"t":${t},"message":${message}` +
    `${sequence === undefined ? '' : `,"sequence":${sequence}`},"from":${from},"length":${length}` +
    (event.fence ? ',"fence":true' : '') +
    (event.intact ? '' : ',"intact":false') +
    (checksum === undefined ? '' : `,"checksum":${checksum}`) +
    (event.truncated ? ',"truncated":true' : '') +
    (event.controlTruncated ? ',"controlTruncated":true' : '') +
    (fds === 0 ? '' : `,"fds":${fds}`) +
    (lost === 0 ? '' : `,"lost":${lost}`) +
    (credentials ? `,"credentials":${quoted.json(credentials)}}` : '}')
  );
}

/** Caches the JSON of texts that are repeated often. */
class Quoted {
  readonly #known = new Map<string | Credentials, string>();

  json(value: string | Credentials): string {
    const known = this.#known.get(value) ?? JSON.stringify(value);
    this.#known.set(value, known);
    return known;
  }
}

function lane(lanes: Map<string, DeliveryEvent[]>, event: DeliveryEvent): void {
  const events = lanes.get(event.lane);
  if (events) events.push(event);
  else lanes.set(event.lane, [event]);
}

function parse(path: string, line: number, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw notTrace(path, line, cause);
  }
}

const notTrace = (path: string, line: number, cause?: unknown) =>
  new InvalidInput(
    `${path}:${line}: not a line of an afbus-topo trace (format ${FORMAT})`,
    'give the trace.jsonl that a run wrote; a run that was killed may have left it unfinished',
    { cause },
  );
