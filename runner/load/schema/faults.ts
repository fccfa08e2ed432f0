// SPDX-License-Identifier: MIT
/** The schema of a fault. The verb is a key, and its value is the target. */
import * as z from 'zod';
import { didYouMean } from '../../common/nearest.ts';
import { show } from '../../common/text.ts';
import { type Choice, expected, flag, has, map, pick, ref, whole } from './blocks.ts';
import { rule } from './dbus.ts';
import { faultMeant } from './meant.ts';
import { address, duration, size } from './values.ts';

const client = ref('a client');
const party = ref('a client or a master');
const messages = whole('a number of messages', 1);
const progress = pick([messages, map({ messages, of: party.optional() })], (input) =>
  typeof input === 'object' && input !== null ? 1 : 0,
);
const timing = { at: duration.optional(), after: progress.optional(), for: duration.optional() };
const master = ref('a master');
const node = ref('a node');

const amount = pick([whole('a number of messages', 1), z.literal('all')], (input) =>
  input === 'all' ? 1 : 0,
);

/** A message never has more than 253. */
const more = z.union([whole('a number of descriptors', 0, 253), z.literal('unlimited')], {
  error: expected('a number of descriptors, or `unlimited`', (input) =>
    typeof input === 'string' ? (didYouMean(input, ['unlimited']) ?? 'Write fds: 3.') : 'Write fds: 3.',
  ),
});

/** Reports a limit of nothing, or of two things, as a whole rather than key by key. */
function notALimit(input: unknown): Choice | undefined {
  const { limit, ...rest } = input as { limit: unknown };
  if (has(input, 'fds') && has(input, 'memory'))
    return {
      message: 'a limit is one of descriptors or of memory, not of both',
      hint: 'Write a fault for each.',
      at: 'limit',
      onKey: true,
    };
  if (typeof limit === 'string' && Object.keys(rest).every((key) => key in timing))
    return {
      message: 'a limit is one of descriptors or of memory',
      hint: 'Write fds: 3, or memory: 8MiB.',
      at: 'limit',
      onKey: true,
    };
  if (typeof limit !== 'object' || limit === null) return undefined;
  const message = `expected a client, got ${show(limit)}`;
  return { message, hint: 'Write { limit: lidar, fds: 3 }.', at: 'limit' };
}

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
  'kill-node': map({ 'kill-node': node, ...timing }),
  'pause-node': map({ 'pause-node': node, ...timing }),
  'resume-node': map({ 'resume-node': node, ...timing }),
  limit: map({ limit: client, fds: more, ...timing }),
} as const;

/** A limit of memory instead of descriptors. */
const memory = map({ limit: client, memory: size, ...timing });

export const VERBS = Object.keys(FAULTS);
export const fault = pick(
  [...Object.values(FAULTS), memory] as unknown as readonly [z.ZodType, ...z.ZodType[]],
  (input) => {
    const verb = VERBS.findIndex((each) => has(input, each));
    if (VERBS[verb] === 'limit') return notALimit(input) ?? (has(input, 'memory') ? VERBS.length : verb);
    if (verb >= 0) return verb;
    const isMap = typeof input === 'object' && input !== null && !Array.isArray(input);
    const first = isMap ? Object.keys(input)[0] : undefined;
    if (isMap && first === undefined)
      return { message: 'this fault is empty', hint: 'Write { kill: lidar }.' };
    if (first === undefined)
      return { message: `expected a fault, got ${show(input)}`, hint: 'Write { kill: lidar }.' };
    const hint = faultMeant(first, VERBS) ?? `Faults are ${VERBS.join(', ')}.`;
    return { code: 'unknown-key', message: `unknown fault ${show(first)}`, hint, at: first, onKey: true };
  },
);

/** A fault as written: the verb is a key, and its value is the target. */
export type WrittenFault = Readonly<Record<string, string | number | boolean | undefined>>;
