// SPDX-License-Identifier: MIT
/** The schema of D-Bus messages and match rules. */
import * as z from 'zod';
import { HEX } from '../../common/scalars.ts';
import { BUS_NAME, INTERFACE, MAX_NAME, MEMBER, MESSAGE_TYPES, PATH, WELL_KNOWN } from '../../dbus/index.ts';
import { expected, flag, has, list, listHint, map, oneOf, pick, ref, text, whole } from './blocks.ts';
import { duration, fds } from './values.ts';

/** Results of RequestName, in the order of their numbers. */
const REQUEST_RESULTS = ['owner', 'queued', 'exists', 'already-owner'];
const RELEASE_RESULTS = ['released', 'non-existent', 'not-owner'];
const START_RESULTS = ['started', 'already-running'];
const HEARS_HINT =
  'Write "NameAcquired org.example.Player" or "NameOwnerChanged org.example.Player: player -> nobody".';

/** The values are checked later, with better messages. */
export const rule = z.string({
  error: expected('a match rule', "Write it in quotes: \"type='signal',interface='org.example.Player'\"."),
});

const name = (pattern: RegExp, what: string, hint: string) =>
  text(pattern, what, hint).max(MAX_NAME, {
    error: expected(what, `It has at most ${MAX_NAME} bytes.`),
  });

export const wellKnown = name(WELL_KNOWN, 'a well-known name', 'Write org.example.Player.');

const path = text(
  PATH,
  'an object path',
  'Write /org/example/Player: letters, digits and _ between slashes.',
);

/** A signature has at most 255 bytes, and the envelope needs two. Each value is checked against its type later. */
const MAX_ARGS = 253;
const argsHint = (written: unknown): string | undefined =>
  typeof written === 'number' || typeof written === 'boolean' ? `Write [${written}].` : listHint(written);
const args = list(z.unknown(), argsHint).max(MAX_ARGS, { error: expected(`at most ${MAX_ARGS} arguments`) });

const DBUS_HINT = 'Write { path: /org/example/Player, interface: org.example.Player, member: Changed }.';

export const dbus = map(
  {
    type: oneOf(MESSAGE_TYPES).optional(),
    path: path.optional(),
    interface: name(INTERFACE, 'an interface', 'Write org.example.Player.').optional(),
    member: name(MEMBER, 'the name of a member', 'Write Changed.').optional(),
    destination: name(
      BUS_NAME,
      'a bus name',
      'Write org.example.Player, or a unique name: ":0.1f".',
    ).optional(),
    'error-name': name(INTERFACE, 'the name of an error', 'Write org.example.Error.Failed.').optional(),
    'reply-serial': whole('a serial', 1, 0xffff_ffff).optional(),
    signature: z.string({ error: expected('a signature', 'Write sa{sv}as.') }).optional(),
    args: args.optional(),
    raw: text(HEX, 'the bytes of a message in hex', 'Write pairs of hex digits.').optional(),
    endian: oneOf(['little', 'big']).optional(),
  },
  'a D-Bus message',
  DBUS_HINT,
);

const client = ref('a client of a message bus');
const member = name(MEMBER, 'the name of a member', 'Write Changed.');
const interfaceName = name(INTERFACE, 'an interface', 'Write org.example.Player.');
const errorName = name(INTERFACE, 'the name of an error', 'Write org.example.Error.Failed.');
const signature = z.string({ error: expected('a signature', 'Write sa{sv}as.') }).optional();
const content = { path, member, signature, args: args.optional(), fds: fds.optional() };

const verbs = {
  own: map({
    client,
    name: wellKnown,
    'allow-replacement': flag.optional(),
    replace: flag.optional(),
    queue: flag.optional(),
  }),
  release: map({ client, name: wellKnown }),
  start: map({ client, name: wellKnown }),
  'add-match': map({ client, rule }),
  'remove-match': map({ client, rule }),
  signal: map({
    from: client,
    to: ref('a client, or a well-known name').optional(),
    interface: interfaceName,
    ...content,
    count: whole('a number of signals', 1, 10_000).optional(),
  }),
  call: map({
    from: client,
    to: ref('a client, or a well-known name'),
    interface: interfaceName.optional(),
    ...content,
  }),
};

const error = errorName.optional();
/** What must come of a step; `model` accepts whatever the model predicts. */
const expectOf = <T extends z.core.$ZodLooseShape>(shape: T) =>
  pick(
    [
      map(shape, 'a map', 'Or write model.'),
      z.literal('model', { error: expected('model', 'Did you mean "model"?') }),
    ],
    (input) => (typeof input === 'string' ? 1 : 0),
  ).optional();

/** A step of a message bus: its verb, and what must come of it. */
export const dbusSteps = [
  map({ own: verbs.own, expect: expectOf({ result: oneOf(REQUEST_RESULTS).optional(), error }) }),
  map({ release: verbs.release, expect: expectOf({ result: oneOf(RELEASE_RESULTS).optional(), error }) }),
  map({ start: verbs.start, expect: expectOf({ result: oneOf(START_RESULTS).optional(), error }) }),
  map({ 'add-match': verbs['add-match'], expect: expectOf({ error }) }),
  map({ 'remove-match': verbs['remove-match'], expect: expectOf({ error }) }),
  map({ signal: verbs.signal, expect: expectOf({ error, recipients: list(ref('a client')).optional() }) }),
  map({
    call: verbs.call,
    expect: expectOf({ reply: args.optional(), signature, error, by: ref('a client').optional() }),
  }),
] as const;
export type DbusVerb = keyof typeof verbs;
export const DBUS_VERBS: readonly string[] = Object.keys(verbs);
/** The keys of all steps of message buses. */
export const DBUS_STEPS: readonly string[] = [...DBUS_VERBS, 'run'];

export const hears = map({
  client,
  hears: list(z.string({ error: expected('what the bus tells', HEARS_HINT) })),
});

const words = z
  .string({ error: expected('a text', 'Put numbers and words like true or null in "quotes".') })
  .refine((value) => !value.includes('\0'), { error: expected('a text without NUL') });

const PROGRAM_HINT = 'Write [dbus-send, --session, …]: the program, then its arguments.';
/** A text that YAML reads as one, without quotes. */
const PLAIN = /^(?!(true|false|null)$)([a-z./_]|-+[a-z])[\w./=:@*-]*(?<!:)$/i;

/** A command line as a list. What quotes group in a shell is for its writer to say. */
export function commandHint(written: unknown): string {
  if (typeof written !== 'string' || /["'\\]/.test(written)) return PROGRAM_HINT;
  const parts = written.split(/\s+/).filter((part) => part !== '');
  return `Write [${parts.map((part) => (PLAIN.test(part) ? part : JSON.stringify(part))).join(', ')}].`;
}

/** A program and its arguments. */
export const program = list(words, commandHint).min(1, { error: expected('a program', PROGRAM_HINT) });

const exit = whole('an exit status', 0, 255);

const SERVICE_HINT = 'Write the name of a client, which connects when the bus starts it, or { exit: 1 }.';
/** What a bus starts, by name: a client, or a program that ends at once. */
export const services = z.record(
  wellKnown,
  pick([ref('a client of a message bus'), map({ exit }, 'a service', SERVICE_HINT)], (input) =>
    typeof input === 'string' ? 0 : 1,
  ),
  { error: expected('a map from names to services', 'Write { org.example.Player: player }.') },
);

/** A text that tells lines apart: each line contains an empty one, and none contains a line break. */
const line = words
  .min(1, {
    error: expected(
      'a part of a line',
      'Every line contains "". If the program must write nothing, write output: "".',
    ),
  })
  .regex(/^[^\n]*$/, {
    error: expected('a part of one line', 'Write a text for each line: [first line, second line].'),
  });
const lines = list(line).min(1, { error: expected('at least one text') });
const output = pick([words, lines], (input) => (Array.isArray(input) ? 1 : 0));
const within = duration.optional();
/** What must come of a program that runs: its exit status, its output, or both. */
export const ended = map({ client: ref('a program'), exit, output: output.optional(), within });
export const written = map({ client: ref('a program'), output, within });
const OUTCOME_HINT = 'Write { exit: 0 }, { output: "all of it" } or { output: [text of a line] }.';
export const runStep = map({
  run: ref('a client with a program'),
  expect: pick([map({ exit, output: output.optional(), within }), map({ output, within })], (input) => {
    if (has(input, 'exit')) return 0;
    return has(input, 'output')
      ? 1
      : { message: 'this expectation asks nothing of the program', hint: OUTCOME_HINT };
  }).optional(),
});

/** How a client answers calls, by method. */
export const answers = z.record(
  member,
  map(
    { reply: args.optional(), signature, fds: fds.optional(), error },
    'an answer',
    'Write { reply: [true] } or { error: org.example.Error.Failed }.',
  ),
  { error: expected('a map from methods to answers') },
);

export type WrittenDbusStep = {
  readonly [verb in keyof typeof verbs]?: z.infer<(typeof verbs)[verb]>;
} & { readonly expect?: WrittenDbusExpect | 'model' };
export interface WrittenDbusExpect {
  readonly result?: string | undefined;
  readonly error?: string | undefined;
  readonly reply?: readonly unknown[] | undefined;
  readonly signature?: string | undefined;
  readonly by?: string | undefined;
  readonly recipients?: readonly string[] | undefined;
}
export type WrittenAnswers = z.infer<typeof answers>;
export type WrittenHears = z.infer<typeof hears>;
export type WrittenOutcome = z.infer<typeof ended> | z.infer<typeof written>;
export type WrittenRun = z.infer<typeof runStep>;
export type WrittenDbus = z.infer<typeof dbus>;
