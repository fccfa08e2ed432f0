// SPDX-License-Identifier: MIT
/** The one schema of `*.topo.yaml` in its written form. Types, validation and the JSON Schema are derived from it. */
import * as z from 'zod';
import { isObeyed, VARIABLE_NAME } from '../../common/environment.ts';
import { NAME, USER } from '../../common/scalars.ts';
import { either, show } from '../../common/text.ts';
import {
  type Choice,
  expected,
  flag,
  has,
  issueMessage,
  list,
  map,
  NAME_HINT,
  named,
  oneOf,
  pick,
  ref,
  text,
  whole,
} from './blocks.ts';
import { budgets } from './budgets.ts';
import { answers, program, rule, services, wellKnown } from './dbus.ts';
import { sendDefaults, steps } from './steps.ts';
import { address, duration, size } from './values.ts';

const user = text(USER, 'a user', 'Write "uid:gid" in numbers: "1000:1000".');

const id = whole('an id', 0, 0xffff_fffe);
const ENV_HINT = 'Use letters, digits and underscores, and do not begin with a digit.';
const envName = text(VARIABLE_NAME, 'the name of a variable', ENV_HINT, 'bad-name').refine(
  (name) => !isObeyed(name),
  {
    error: ({ input }) =>
      issueMessage({
        code: 'bad-name',
        message: `the variable ${show(input)} would steer what plays the node`,
        hint: 'Node, its libraries and the shell obey it: give the value under another name.',
      }),
  },
);

const textOfEnv = z
  .string()
  .refine((value) => !value.includes('\0'), { error: expected('a text without NUL') });

const env = z.record(
  envName,
  pick([textOfEnv, z.number(), z.boolean()], (input) => {
    const type = ['string', 'number', 'boolean'].indexOf(typeof input);
    return type >= 0
      ? type
      : {
          message: `expected a text, got ${show(input)}`,
          hint:
            input === null
              ? 'An empty value is "".'
              : 'A variable of the environment is one text: write "a,b".',
        };
  }),
);

const node = map({ env: env.optional() }, 'a node').nullable();

const master = map({
  node: ref('a node').optional(),
  program: oneOf(['dbus-daemon']).optional(),
  limits: map(
    { max_outgoing_bytes: size.optional(), service_start_timeout: duration.optional() },
    'limits',
    'Write { max_outgoing_bytes: 64KiB }.',
  ).optional(),
  services: services.optional(),
  admit: list(ref('the name of a client, with * as wildcard')).optional(),
  deny: list(map({ uid: id.optional(), gid: id.optional() }, 'a rule', 'Write { uid: 65534 }.')).optional(),
});

const bus = map(
  {
    path: text(
      /^[/@]\P{Cc}+$/u,
      'a path',
      'Write an absolute path, or @name for an abstract one.',
    ).optional(),
    protocol: oneOf(['none', 'dbus']).optional(),
    queueLength: whole('a number of messages', 1, 1_000_000).optional(),
    sendBuffer: size.optional(),
    overflow: oneOf(['block', 'fail', 'evict']).optional(),
    master: master.optional(),
  },
  'a bus',
).nullable();

const group = map(
  {
    bus: ref('a bus').optional(),
    prefix: whole('a prefix', 1, 0xffff),
  },
  'a group',
  'Write { prefix: 0x0001 }.',
);

const FILTER_HINT = 'Write { bpf: "ret #0" }, { keep: 64B } or { drop: true }.';
const filters = {
  bpf: map({ bpf: z.string({ error: expected('a program of classic BPF', FILTER_HINT) }) }),
  keep: map({ keep: size }),
  drop: map({
    drop: z.literal(true, { error: expected('true', 'To let everything through, remove `filter`.') }),
  }),
};
const filter = pick([filters.bpf, filters.keep, filters.drop], (input) => {
  const forms = Object.keys(filters).filter((key) => has(input, key));
  if (forms.length > 1)
    return { message: `a filter has one of ${either(forms)}`, hint: 'Remove the others.' };
  const form = Object.keys(filters).indexOf(forms[0] ?? '');
  return form >= 0 ? form : { message: `expected a filter, got ${show(input)}`, hint: FILTER_HINT };
});

const client = map(
  {
    node: ref('a node').optional(),
    bus: ref('a bus').optional(),
    groups: list(ref('a group')).optional(),
    addresses: list(address).optional(),
    user: user.optional(),
    join: flag.optional(),
    eavesdrop: flag.optional(),
    replicas: whole('a number of replicas', 1, 10_000).optional(),
    receive: oneOf(['auto', 'manual']).optional(),
    filter: filter.optional(),
    buffer: size.optional(),
    match: list(rule).optional(),
    names: list(wellKnown).optional(),
    connect: oneOf(['native', 'legacy']).optional(),
    answers: answers.optional(),
    program: program.optional(),
  },
  'a client',
).nullable();

const delivery = map(
  {
    to: ref('a receiver'),
    message: ref('the `as` of a send'),
    from: ref('a sender').optional(),
    fds: whole('a number of descriptors', 0, 253).optional(),
    credentials: map({ uid: id.optional(), gid: id.optional() }).optional(),
  },
  'a delivery',
  'Write { to: lidar, message: m1 }.',
);

function chooseDeliveries(input: unknown): Choice {
  if (Array.isArray(input)) return 0;
  if (input === 'model') return 1;
  const hint = 'Write `model`, or a list: - { to: lidar, message: m1 }.';
  return { message: 'expected `model` or a list of deliveries', hint };
}

const overall = map({
  delivery: oneOf(['exactly-once']).optional(),
  order: oneOf(['total']).optional(),
  deliveries: pick([list(delivery), z.literal('model')], chooseDeliveries).optional(),
  ...budgets,
});

const defaults = map(
  {
    nodes: node.optional(),
    buses: bus.optional(),
    groups: map({ bus: ref('a bus').optional() }).optional(),
    clients: client.optional(),
    sends: sendDefaults.optional(),
  },
  'a map from kinds to defaults',
  'Write { clients: { user: "1000:1000" } }.',
);

const scalar = z.union([z.string(), z.number(), z.boolean()], { error: expected('a text or a number') });

const LAUNCHER_HINT = 'Write container, process or { process: { pack: 20 } }.';
const launcher = pick(
  [
    oneOf(['container', 'process']),
    map({ process: map({ pack: whole('a number of clients', 1, 1000) }, 'a map', 'Write { pack: 20 }.') }),
  ],
  (input) => {
    if (typeof input === 'string') return 0;
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return 1;
    return { message: `expected a launcher, got ${show(input)}`, hint: LAUNCHER_HINT };
  },
);

export const topologySchema = map(
  {
    apiVersion: oneOf(['afbus-topo/v1']).optional(),
    name: text(NAME, 'a name', NAME_HINT, 'bad-name').optional(),
    description: z.string().optional(),
    include: list(ref('the name of a file')).optional(),
    matrix: z.record(z.string(), list(scalar)).optional(),
    defaults: defaults.optional(),
    nodes: named(node, 'nodes').optional(),
    buses: named(bus, 'buses'),
    groups: named(group, 'groups').optional(),
    clients: named(client, 'clients').optional(),
    traffic: steps.optional(),
    expect: overall.optional(),
    launcher: launcher.optional(),
  },
  'a map with buses, clients and traffic',
);

export type Written = z.infer<typeof topologySchema>;
export type WrittenClient = z.infer<typeof client>;
export type WrittenFilter = z.infer<typeof filter>;
