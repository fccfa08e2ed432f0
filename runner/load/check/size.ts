// SPDX-License-Identifier: MIT
/** How many messages a file sends, and how many copies may come of them: looked at before anything goes through them. */
import { sends } from '../../topology/steps.ts';
import type { ClientSpec, SendStep, Step } from '../../topology/topology.ts';
import type { Scope } from '../resolve/index.ts';
import { busOfParty } from '../resolve/index.ts';

/** false where it is too much, which has been told. */
export function checkSize(scope: Scope, steps: readonly Step[]): boolean {
  const recipients = recipientsIn(scope);
  const { tally, paths, problems } = scope;
  for (const send of sends(steps)) {
    const path = paths.get(send.id) ?? ['traffic'];
    const fits =
      tally.add('messages', send.count, path, problems) &&
      tally.add('copies', send.count * recipients(send), path, problems);
    if (!fits) return false;
  }
  return true;
}

/** How many sockets a message may reach: those that are meant, and all eavesdroppers of the bus. */
function recipientsIn(scope: Scope): (send: SendStep) => number {
  const known = new Map<string, number>();
  return (send) => {
    const bus = busOfParty(scope, send.from) ?? '';
    const { to } = send;
    const key = `${bus} ${to.kind} ${to.kind === 'address' ? to.address : partyOrGroup(to)}`;
    const count = known.get(key) ?? countIn(scope, bus, to);
    known.set(key, count);
    return count;
  };
}

const partyOrGroup = (to: Exclude<SendStep['to'], { kind: 'address' }>): string =>
  to.kind === 'master' ? to.bus : to.name;

function countIn({ clients }: Scope, bus: string, to: SendStep['to']): number {
  let count = to.kind === 'master' ? 1 : 0;
  for (const client of clients.values())
    if (client.bus === bus && (client.eavesdrop || isMeant(client, to))) count++;
  return count;
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
