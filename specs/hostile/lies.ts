// SPDX-License-Identifier: MIT
/** What a node says, turned into what it must not say. */

import { PROTOCOL_VERSION } from '../../runner/agent/protocol.ts';
import type { Random } from '../../runner/common/random.ts';
import { hostileNumber, hostileText } from './strings.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What was said so far, by this node and by others: a lie is mostly true. */
export interface Overheard {
  readonly lines: readonly string[];
  /** Agents and sockets of all nodes. */
  readonly names: readonly string[];
  /** Lies have the form of truths. */
  readonly plausible: boolean;
}

/** Lines, with their ends, that take the place of a fair one. */
export function lie(random: Random, line: string, heard: Overheard): string {
  return random.oneIn(4)
    ? broken(random, line, heard)
    : `${JSON.stringify(spoil(random, JSON.parse(line), heard))}\n`;
}

/** No report at all, several at once, or one of another. */
function broken(random: Random, line: string, { lines }: Overheard): string {
  const at = random.below(line.length);
  return random.pick<() => string>([
    () => `${line.slice(0, at)}\n`,
    () => `${line.slice(0, at)}\n${line.slice(at)}\n`,
    () => `${line}${line}\n`,
    () => `${line}\n`.repeat(2 + random.below(5)),
    () => `${random.pick(lines)}\n`,
    () => `${lines.slice(-5).reverse().join('\n')}\n`,
    () => `${hostileText(random)}\n`,
    () => `{"say"${hostileText(random)}\n`,
    () => `{"say":${'['.repeat(100_000)}\n`,
    () =>
      `{"say":"stderr","agent":${JSON.stringify(agentIn(line))},"text":"${'\\u001b[2J::error::x\\n'.repeat(random.below(50_000))}"}\n`,
    () => '\n'.repeat(random.below(1000)),
    () => `{"say":"hello","version":${PROTOCOL_VERSION},"kernel":"\\u001b[2J","bus":{"family":1},"pid":1}\n`,
    () => `${line.slice(0, at)}\u0000${line.slice(at)}\n`,
  ])();
}

const agentIn = (line: string): string => (JSON.parse(line) as { agent?: string }).agent ?? 'nobody';

/** One value of it is another, is gone, or is there twice. */
function spoil(random: Random, value: Json, heard: Overheard): Json {
  if (typeof value !== 'object' || value === null || random.oneIn(8)) return another(random, value, heard);
  const keys = Object.keys(value);
  if (keys.length === 0) return another(random, value, heard);
  const key = random.pick(keys);
  if (Array.isArray(value)) return spoilItem(random, value, Number(key), heard);
  if (heard.plausible) return { ...value, [key]: spoil(random, value[key] ?? null, heard) };
  if (random.oneIn(10)) return Object.fromEntries(Object.entries(value).filter(([each]) => each !== key));
  if (random.oneIn(20)) return { ...value, [hostileText(random)]: another(random, null, heard) };
  return { ...value, [key]: spoil(random, value[key] ?? null, heard) };
}

function spoilItem(random: Random, list: Json[], index: number, heard: Overheard): Json {
  const item = list[index] ?? null;
  if (random.oneIn(10)) return list.toSpliced(index, 1);
  if (random.oneIn(10)) return list.toSpliced(index, 0, item);
  if (random.oneIn(100)) return Array.from({ length: random.below(20_000) }, () => item);
  return list.with(index, spoil(random, item, heard));
}

function another(random: Random, value: Json, heard: Overheard): Json {
  return heard.plausible ? plausible(random, value, heard) : random.pick(IMPLAUSIBLE)(random, value);
}

/** Of the same form: nothing but what was really done can show that it is a lie. */
function plausible(random: Random, value: Json, { names, lines }: Overheard): Json {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number')
    return random.pick([value + 1, Math.max(0, value - 1), 2 ** 53 - 1, 2 ** 32, 1e6, 1, 0]);
  if (typeof value === 'string') return random.oneIn(4) ? hostileText(random) : random.pick(names);
  if (value === null) return random.pick<Json>([0, 'EPERM', null]);
  const other = JSON.parse(random.pick(lines)) as { report?: Json };
  return other.report ?? value;
}

const IMPLAUSIBLE: readonly ((random: Random, value: Json) => Json)[] = [
  (random) => hostileText(random),
  (random) => hostileNumber(random),
  (random) => random.pick([-1, 0.5, 2 ** 53, 1e308, -1e15]),
  () => null,
  () => [],
  () => ({}),
  (_, value) => [value],
  () => ({ length: 1e9 }),
  () => JSON.parse('{"__proto__":{"say":"exit"},"constructor":1}') as Json,
  () => true,
];
