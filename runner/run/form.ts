// SPDX-License-Identifier: MIT
/** Checks the form of reports. Nodes are machines of their own, and a program in them may send anything. */

import type { NodeReport, PackedBatch, PackedDeliveries } from '../agent/protocol.ts';

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => Number.isFinite(value);
const index: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const flag: Check = (value) => typeof value === 'boolean';
const listOf =
  (item: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return false;
    for (let i = 0; i < value.length; i++) if (!item(value[i])) return false;
    return true;
  };
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const row =
  (...columns: readonly Check[]): Check =>
  (value) => {
    if (!Array.isArray(value) || value.length !== columns.length) return false;
    for (let i = 0; i < columns.length; i++) if (!columns[i]?.(value[i])) return false;
    return true;
  };

const map = (fields: Fields): Check => {
  const checks = Object.entries(fields);
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    checks.every(([key, check]) => check((value as Record<string, unknown>)[key]));
};

/** A check for several forms that differ in `say`. */
const saying = (forms: Readonly<Record<string, Fields>>): Check => {
  const checks = new Map<unknown, Check>(Object.entries(forms).map(([say, fields]) => [say, map(fields)]));
  return (value) => checks.get((value as { say?: unknown } | null)?.say)?.(value) ?? false;
};

const error = map({ code: text, message: text, syscall: maybe(text) });
const ids = map({ pid: index, uid: index, gid: index });
const send = row(index, number, orNull(number), orNull(text));
const kind = row(index, text, orNull(row(index, index, index)), index, index);
const inColumns = map({
  ...{ message: listOf(orNull(index)), sequence: listOf(orNull(index)), length: listOf(index) },
  ...{ kind: listOf(index), kinds: listOf(kind) },
});
/** All columns are as long as each other, and each kind is there. */
const messages: Check = (value) => {
  if (!inColumns(value)) return false;
  const { message, sequence, length, kind, kinds } = value as PackedBatch | PackedDeliveries;
  for (const column of [sequence, length, kind]) if (column.length !== message.length) return false;
  for (let i = 0; i < kind.length; i++) if ((kind[i] as number) >= kinds.length) return false;
  return true;
};
const ofLane = map({
  ...{ lane: text, position: index, taken: listOf(row(number, index)), checksums: listOf(row(index, index)) },
});
/** Each time is there, and a message for each checksum. */
const deliveries: Check = (value) => {
  if (!ofLane(value) || !messages(value)) return false;
  const { taken, message, checksums } = value as PackedDeliveries;
  for (const [at] of checksums) if (at >= message.length) return false;
  return taken.reduce((sum, [, count]) => sum + count, 0) === message.length;
};
const ofTakers = map({ takers: listOf(row(text, index, number)) });
const batch: Check = (value) => ofTakers(value) && messages(value);

const sent = map({ kind: oneOf('sent'), serial: index, t: number, error: maybe(text) });
const got = map({
  ...{ kind: oneOf('got'), position: index, t: number, type: text, sender: text, serial: index, args: text },
  ...{ replySerial: maybe(index), path: maybe(text), interface: maybe(text), member: maybe(text) },
  ...{ errorName: maybe(text), texts: listOf(text), fds: maybe(index) },
});

const program = map({
  state: oneOf('runs', 'ended', 'late', 'wordy', 'killed', 'simulated'),
  ...{ exit: maybe(index), signal: maybe(text), output: text, errors: listOf(text) },
});

const result = map({
  address: maybe(text),
  credentials: maybe(ids),
  blocked: maybe(flag),
  message: maybe(index),
  ended: maybe(flag),
  started: maybe(flag),
  read: maybe(index),
  unique: maybe(text),
  program: maybe(program),
});

const dbus: Check = (value) => {
  const form = (value as { kind?: unknown } | null)?.kind === 'got' ? got : sent;
  return form(value);
};

const agentReport = saying({
  ready: { pid: index, pidNamespace: text },
  done: { id: index, began: number, t: number, result: maybe(result) },
  failed: { id: index, t: number, error },
  deliveries: { list: listOf(deliveries) },
  sends: { list: listOf(send) },
  dbus: { list: listOf(dbus) },
  pipe: { message: index, index, answer: maybe(flag), tokens: listOf(text), eof: flag },
  end: { lane: text, t: number, why: oneOf('eof', 'hangup', 'closed', 'error'), errno: maybe(text) },
});

const nodeReport = saying({
  spawned: { agent: text, pid: index },
  batches: { list: listOf(batch) },
  heard: { agent: text, report: agentReport },
  stderr: { agent: text, text },
  signalled: { agent: text, signal: text, began: number, t: number },
  limited: { agent: text, began: number, t: number },
  'not-limited': { agent: text, error },
  exit: { agent: text, code: orNull(number), signal: orNull(text), error: maybe(text) },
  kernel: { level: number, text },
  ended: { socketsLeft: orNull(index) },
  detached: {},
});

/** Whether every field of the report's type is present and has its type. */
export const isNodeReport = (value: unknown): value is NodeReport => nodeReport(value);
