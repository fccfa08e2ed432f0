// SPDX-License-Identifier: MIT
/** How many messages a file sends, what copies and filters may come of them: looked at before anything goes through. */
import { flat, sends } from '../../topology/steps.ts';
import type { ClientSpec, SendStep, Step } from '../../topology/topology.ts';
import { busOfParty, type Scope } from '../resolve/index.ts';

/** false where it is too much, which has been told. */
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

/** Each client of a message bus may have a rule that wants a signal. */
function checkMessageBuses({ dbusClients, tally, paths, problems }: Scope, steps: readonly Step[]): boolean {
  const clientsOn = Map.groupBy(dbusClients.values(), ({ bus }) => bus);
  for (const step of flat(steps)) {
    if (step.kind !== 'dbus') continue;
    const { action } = step;
    const path = paths.get(step.id) ?? ['traffic'];
    const isSignal = action.do === 'signal';
    const count = isSignal ? action.count : 1;
    const reached = isSignal ? (clientsOn.get(dbusClients.get(action.client)?.bus ?? '')?.length ?? 0) : 1;
    const fits =
      tally.add('messages', count, path, problems) && tally.add('copies', count * reached, path, problems);
    if (!fits) return false;
  }
  return true;
}

/** The sockets that a message may reach, those that are meant and all eavesdroppers; what their filters and rules take. */
interface Reach {
  readonly sockets: number;
  readonly filterSteps: number;
}

function reachIn(scope: Scope): (send: SendStep) => Reach {
  const known = new Map<string, Reach>();
  return (send) => {
    const bus = busOfParty(scope, send.from) ?? '';
    const { to } = send;
    const key = `${bus} ${to.kind} ${to.kind === 'address' ? to.address : partyOrGroup(to)}`;
    const reach = known.get(key) ?? count(scope, bus, to);
    known.set(key, reach);
    return reach;
  };
}

const partyOrGroup = (to: Exclude<SendStep['to'], { kind: 'address' }>): string =>
  to.kind === 'master' ? to.bus : to.name;

function count({ clients }: Scope, bus: string, to: SendStep['to']): Reach {
  const reached = [...clients.values()].filter(
    (client) => client.bus === bus && (client.eavesdrop || isMeant(client, to)),
  );
  return {
    sockets: reached.length + (to.kind === 'master' ? 1 : 0),
    filterSteps: reached.reduce((sum, { filter = [], match = [] }) => sum + filter.length + match.length, 0),
  };
}

function isMeant(client: ClientSpec, to: SendStep['to']): boolean {
  switch (to.kind) {
    case 'client':
      return client.name === to.name;
    case 'group':
      return client.groups.includes(to.name);
    case 'address':
      return client.addresses.includes(to.address);
    default:
      return to.kind === 'bus';
  }
}
