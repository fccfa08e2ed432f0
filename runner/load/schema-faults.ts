// SPDX-License-Identifier: MIT
/** The schema of a fault: its verb is the key that says on whom. */
import * as z from 'zod';
import { show } from './diagnostic.ts';
import { didYouMean, nearest } from './nearest.ts';
import { ADDRESS } from './scalars.ts';
import { duration } from './schema-budgets.ts';
import { rule } from './schema-dbus.ts';
import { type Choice, expected, flag, has, map, pick, ref, text, whole } from './schema-words.ts';

const timing = { at: duration.optional(), for: duration.optional() };
const client = ref('a client');
const party = ref('a client or a master');
const master = ref('a master');
const address = text(ADDRESS, 'an address', 'Write pppp/cccccccccccc in hex: "0002/00000000f00d".');

const amount = pick([whole('a number of messages', 1), z.literal('all')], (input) =>
  input === 'all' ? 1 : 0,
);

/** More than 253 never come with a message. */
const more = z.union([whole('a number of descriptors', 0, 253), z.literal('unlimited')], {
  error: expected('a number of descriptors, or `unlimited`', (input) =>
    typeof input === 'string' ? (didYouMean(input, ['unlimited']) ?? 'Write fds: 3.') : 'Write fds: 3.',
  ),
});

/** A limit that is not even one of a client's descriptors: said as a whole rather than key by key. */
function notALimit(input: unknown): Choice | undefined {
  if (has(input, 'memory')) return MEMORY;
  const { limit } = input as { limit: unknown };
  if (typeof limit !== 'object' || limit === null) return undefined;
  const message = `expected a client, got ${show(limit)}`;
  return { message, hint: 'Write { limit: lidar, fds: 3 }.', at: 'limit' };
}

const MEMORY: Choice = {
  code: 'not-supported-yet',
  message: 'a limit of `memory`: not supported yet',
  hint: 'Where memory runs out the kernel ends processes rather than failing sends. Limit descriptors: fds: 3.',
  at: 'memory',
  onKey: true,
};

const FAULTS = {
  kill: map({ kill: party, ...timing }),
  stop: map({ stop: party, ...timing }),
  pause: map({ pause: party, ...timing }),
  resume: map({ resume: party, ...timing }),
  leave: map({ leave: master, ...timing }),
  'close-listener': map({ 'close-listener': master, ...timing }),
  expel: map({ expel: client, ...timing }),
  join: map({ join: client, ...timing }),
  'stop-reading': map({ 'stop-reading': client, ...timing }),
  eavesdrop: map({ eavesdrop: client, on: flag.optional(), ...timing }),
  'add-address': map({ 'add-address': client, address, ...timing }),
  'del-address': map({ 'del-address': client, address, ...timing }),
  'add-match': map({ 'add-match': client, rule, ...timing }),
  'remove-match': map({ 'remove-match': client, rule, ...timing }),
  read: map({
    read: client,
    count: amount.optional(),
    ...timing,
  }),
  restart: map({ restart: party, ...timing }),
  fill: map({ fill: client, ...timing }),
  'kill-node': map({ 'kill-node': ref('a node'), ...timing }),
  limit: map({ limit: client, fds: more, ...timing }),
} as const;

const VERBS = Object.keys(FAULTS);
export const fault = pick(
  Object.values(FAULTS) as unknown as readonly [z.ZodType, ...z.ZodType[]],
  (input) => {
    const verb = VERBS.findIndex((each) => has(input, each));
    if (verb >= 0) return (VERBS[verb] === 'limit' && notALimit(input)) || verb;
    const isMap = typeof input === 'object' && input !== null && !Array.isArray(input);
    const first = isMap ? Object.keys(input)[0] : undefined;
    const near = first === undefined ? undefined : nearest(first, VERBS);
    const hint = near === undefined ? `Faults are ${VERBS.join(', ')}.` : `Did you mean "${near}"?`;
    if (isMap && first === undefined)
      return { message: 'this fault is empty', hint: 'Write { kill: lidar }.' };
    if (first === undefined)
      return { message: `expected a fault, got ${show(input)}`, hint: 'Write { kill: lidar }.' };
    return { code: 'unknown-key', message: `unknown fault ${show(first)}`, hint, at: first, onKey: true };
  },
);

/** A fault as written: its verb is the key that says on whom. */
export type WrittenFault = Readonly<Record<string, string | number | boolean | undefined>>;
