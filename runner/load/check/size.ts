// SPDX-License-Identifier: MIT
/** Counts messages, their copies and their filter steps, before any other check looks at them one by one. */
import type { Arg } from '../../dbus/index.ts';
import { argsText, type DbusAction, type DbusClientSpec } from '../../topology/message-bus.ts';
import { flat, sends } from '../../topology/steps.ts';
import type { ClientSpec, SendStep, Step } from '../../topology/topology.ts';
import { busOfParty, type Scope } from '../resolve/index.ts';

/** false if there are too many, which is reported. */
export function checkSize(scope: Scope, steps: readonly Step[]): boolean {
  const reachOf = reachIn(scope);
  const { tally, paths, problems } = scope;
  for (const send of sends(steps)) {
    const path = paths.get(send.id) ?? ['traffic'];
    const { sockets, filterSteps } = reachOf(send);
    const fits =
      tally.add('messages', send.count, path, problems) &&
      tally.add('copies', send.count * sockets, path, problems) &&
      tally.add('filterSteps', send.count * filterSteps, path, problems);
    if (!fits) return false;
  }
  return checkMessageBuses(scope, steps);
}

/** Counts a copy of each signal for each client of the message bus, since any of them may have a matching rule. */
function checkMessageBuses({ dbusClients, tally, paths, problems }: Scope, steps: readonly Step[]): boolean {
  const clientsOn = Map.groupBy(dbusClients.values(), ({ bus }) => bus);
  const answer = Math.max(0, ...Array.from(dbusClients.values(), longestAnswer));
  for (const step of flat(steps)) {
    if (step.kind !== 'dbus') continue;
    const { action } = step;
    const path = paths.get(step.id) ?? ['traffic'];
    const isSignal = action.do === 'signal';
    const count = isSignal ? action.count : 1;
    const reached = isSignal ? (clientsOn.get(dbusClients.get(action.client)?.bus ?? '')?.length ?? 0) : 1;
    // Each is there once as it is sent, and a call comes back as its answer.
    const bytes = bytesOf(action) * count * (1 + reached) + (action.do === 'call' ? answer : 0);
    const fits =
      tally.add('messages', count, path, problems) &&
      tally.add('copies', count * reached, path, problems) &&
      tally.add('dbusBytes', bytes, path, problems);
    if (!fits) return false;
  }
  return true;
}

/** Of what a file may make as long as it likes. */
function bytesOf(action: DbusAction): number {
  if ('rule' in action) return action.rule.length;
  return 'content' in action ? action.content.path.length + argsBytes(action.content.args) : 0;
}

const longestAnswer = ({ answers }: DbusClientSpec): number =>
  Object.values(answers).reduce(
    (most, answer) => Math.max(most, answer.kind === 'reply' ? argsBytes(answer.args) : 0),
    0,
  );

const argsBytes = (args: readonly Arg[]): number => Buffer.byteLength(argsText(args));

/** How many sockets a message may reach, eavesdroppers included, and how many steps their filters and rules take. */
interface Reach {
  readonly sockets: number;
  readonly filterSteps: number;
}

/** Remembers its answers, since a file may send to each of thousands of clients. */
function reachIn(scope: Scope): (send: SendStep) => Reach {
  const eavesdroppers = new Map<string, Reach>();
  const meant = new Map<string, Reach>();
  for (const client of scope.clients.values()) {
    if (client.eavesdrop) add(eavesdroppers, client.bus, client);
    else for (const to of namesOf(client)) add(meant, `${client.bus} ${to}`, client);
  }
  return ({ from, to }) => {
    const bus = busOfParty(scope, from) ?? '';
    const [all, some] = [eavesdroppers.get(bus) ?? NOBODY, meant.get(`${bus} ${nameOf(to)}`) ?? NOBODY];
    const master = to.kind === 'master' ? 1 : 0;
    return {
      sockets: all.sockets + some.sockets + master,
      filterSteps: all.filterSteps + some.filterSteps,
    };
  };
}

const NOBODY: Reach = { sockets: 0, filterSteps: 0 };

function add(reaches: Map<string, Reach>, key: string, { filter = [], match = [] }: ClientSpec): void {
  const { sockets, filterSteps } = reaches.get(key) ?? NOBODY;
  reaches.set(key, {
    sockets: sockets + 1,
    filterSteps: filterSteps + filter.length + match.length,
  });
}

/** All destinations that reach this client. */
const namesOf = ({ name, groups, addresses }: ClientSpec): readonly string[] => [
  'bus',
  `client ${name}`,
  ...new Set([...groups.map((each) => `group ${each}`), ...addresses.map((each) => `address ${each}`)]),
];

function nameOf(to: SendStep['to']): string {
  switch (to.kind) {
    case 'bus':
    case 'master':
      return to.kind;
    case 'address':
      return `address ${to.address}`;
    default:
      return `${to.kind} ${to.name}`;
  }
}
