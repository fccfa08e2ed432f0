// SPDX-License-Identifier: MIT
/** Message buses of D-Bus and their clients, from their written form. */
import type { Path } from '../../../common/diagnostic.ts';
import { duration, size } from '../../../common/scalars.ts';
import { DRIVER, eavesdrops, parseRule } from '../../../dbus/index.ts';
import type {
  Answer,
  BusLimits,
  DbusClientSpec,
  MessageBusSpec,
  ServiceSpec,
} from '../../../topology/message-bus.ts';
import { fdsOf } from '../bodies.ts';
import { argsOf } from '../dbus-args.ts';
import { isRule } from '../rules.ts';
import type { Scope, Written, WrittenAnswers, WrittenClient } from '../scope.ts';

export const MESSAGE_BUS = 'message bus';
export const DBUS_CLIENT = 'client of a message bus';

type WrittenBus = NonNullable<Written['buses'][string]>;

/** Keys that a bus may not have if its master is a program. */
const NOT_OF_BUSES = ['queueLength', 'sendBuffer', 'overflow'] as const;
const NOT_OF_MASTERS = ['admit', 'deny'] as const;
const NOT_OF_CLIENTS = [
  ...([
    'groups',
    'addresses',
    'user',
    'join',
    'eavesdrop',
    'replicas',
    'receive',
    'filter',
    'buffer',
  ] as const),
];

export const isMessageBus = (bus: Written['buses'][string]): boolean => bus?.master?.program !== undefined;

export function messageBus(
  scope: Scope,
  name: string,
  { bus, path, node }: { readonly bus: WrittenBus; readonly path: string; readonly node: string },
  at: Path,
): MessageBusSpec {
  refuse(scope, bus, NOT_OF_BUSES, at, 'dbus-daemon sets this itself');
  refuse(
    scope,
    bus.master,
    NOT_OF_MASTERS,
    [...at, 'master'],
    'dbus-daemon lets in every client of its user',
  );
  if (bus.protocol === 'none') {
    const hint = 'Remove `protocol`: it is dbus here.';
    scope.problems.error([...at, 'protocol'], {
      code: 'impossible',
      message: 'dbus-daemon speaks D-Bus',
      hint,
    });
  }
  const services = servicesOf(scope, bus.master?.services, [...at, 'master', 'services']);
  return { name, node, path, limits: limitsOf(bus), services, place: scope.tree.place(at) };
}

function limitsOf({ master }: WrittenBus): BusLimits {
  const { max_outgoing_bytes: bytes, service_start_timeout: timeout } = master?.limits ?? {};
  return {
    ...(bytes !== undefined && { max_outgoing_bytes: size(bytes) }),
    ...(timeout !== undefined && { service_start_timeout: duration(timeout) }),
  };
}

type WrittenServices = NonNullable<WrittenBus['master']>['services'];

function servicesOf(scope: Scope, written: WrittenServices, at: Path): readonly ServiceSpec[] {
  return Object.entries(written ?? {})
    .filter(([name]) => isForClients(scope, name, [...at, name]))
    .map(([name, service]) => ({ name, ...(typeof service === 'string' ? { client: service } : service) }));
}

/** Reports services that are no clients of their bus. The clients are known after the buses. */
export function checkServices({ names, problems, messageBuses, dbusClients }: Scope): void {
  for (const { name: bus, services } of messageBuses.values())
    for (const service of services) {
      if (!('client' in service)) continue;
      const at = ['buses', bus, 'master', 'services', service.name];
      if (names.find(service.client, [DBUS_CLIENT], at) === undefined) continue;
      const other = dbusClients.get(service.client)?.bus;
      if (other === undefined || other === bus) continue;
      const message = `"${service.client}" is on bus "${other}", and "${bus}" starts it`;
      problems.error(at, { code: 'impossible', message, hint: 'Let a bus start its own clients.' });
    }
}

export function refuse(
  scope: Scope,
  map: object | undefined | null,
  keys: readonly string[],
  at: Path,
  why: string,
): void {
  for (const key of keys) {
    if ((map as Record<string, unknown> | undefined)?.[key] === undefined) continue;
    scope.problems.error([...at, key], {
      code: 'impossible',
      message: why,
      hint: `Remove \`${key}\`.`,
      onKey: true,
    });
  }
}

/** Reports keys that no client of a message bus may have. */
export function refuseKernelKeys(scope: Scope, client: NonNullable<WrittenClient>, path: Path): void {
  refuse(scope, client, NOT_OF_CLIENTS, path, 'clients of a message bus do not have this key');
}

export function dbusClient(
  scope: Scope,
  name: string,
  client: NonNullable<WrittenClient>,
  { bus, node }: { readonly bus: string; readonly node: string },
  path: Path,
): void {
  scope.names.declare(DBUS_CLIENT, name, path);
  const { connect = 'native', match = [], names = [], answers = {} } = client;
  names.forEach((each, n) => {
    if (!isForClients(scope, each, [...path, 'names', n]) || names.indexOf(each) === n) return;
    const message = `"${name}" has the name ${each} already`;
    scope.problems.error([...path, 'names', n], { code: 'duplicate-name', message, hint: 'Remove it.' });
  });
  const spec: DbusClientSpec = {
    ...{ name, bus, node, connect, names },
    match: match.filter((text, n) => isPredicted(scope, text, [...path, 'match', n])),
    answers: answersOf(scope, answers, [...path, 'answers']),
    place: scope.tree.place(path),
  };
  scope.dbusClients.set(name, spec);
}

/** Reports mistakes in the text of a rule, and rules for messages for others: the model does not say who gets these. */
export function isPredicted(scope: Scope, text: string, path: Path): boolean {
  if (!isRule(scope, text, path)) return false;
  const rule = parseRule(text);
  if ('mistake' in rule || !eavesdrops(rule)) return true;
  const message = 'this rule selects messages for others too, and the model does not predict who gets those';
  const hint =
    'Write the rule without eavesdrop: it selects signals for everyone, and what is for this client.';
  scope.problems.error(path, { code: 'impossible', message, hint });
  return false;
}

/** Reports the one name that belongs to the bus itself. */
export function isForClients({ problems }: Scope, name: string, path: Path): boolean {
  if (name !== DRIVER) return true;
  const message = `${DRIVER} is the name of the bus itself`;
  problems.error(path, { code: 'clash', message, hint: 'Choose a name like org.example.Player.' });
  return false;
}

function answersOf(scope: Scope, written: WrittenAnswers, path: Path): Record<string, Answer> {
  return Object.fromEntries(
    Object.entries(written).map(([member, { error, ...written }]): [string, Answer] => {
      const at = [...path, member];
      const { reply, signature } = written;
      if (error !== undefined && Object.values(written).some((value) => value !== undefined)) {
        const message = 'an answer is a reply or an error';
        scope.problems.error(at, { code: 'impossible', message, hint: 'Remove one of them.', onKey: true });
      }
      if (error !== undefined) return [member, { kind: 'error', name: error }];
      const fds = fdsOf(scope, written, (key) => [...at, key]);
      const args = argsOf(scope.problems, { signature, args: reply }, fds.length, at, 'reply');
      return [member, { kind: 'reply', args, fds }];
    }),
  );
}

/** Reports keys that only clients of a message bus may have. */
export function refuseDbusKeys(scope: Scope, client: NonNullable<WrittenClient>, path: Path): void {
  for (const key of ['connect', 'answers', 'program'] as const) {
    if (client[key] === undefined) continue;
    const hint = 'Give the bus master: { program: dbus-daemon }.';
    const message = 'the bus of this client is no message bus';
    scope.problems.error([...path, key], { code: 'impossible', message, hint, onKey: true });
  }
}
