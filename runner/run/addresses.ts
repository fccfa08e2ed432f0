// SPDX-License-Identifier: MIT
/** Where the parties of a file are reached on the wire. */

import type { Address, SendStep, Topology } from '../topology/topology.ts';
import type { Parties } from './parties.ts';

const MASTER: Address = '0000/000000000000';
const EVERY_CLIENT = 'ffffffffffff';

/** Every joined client of a bus. */
export const multicastOfBus = (): Address => `0000/${EVERY_CLIENT}`;

const multicastOfGroup = (prefix: number): Address =>
  `${prefix.toString(16).padStart(4, '0')}/${EVERY_CLIENT}`;

/** Destination of a send; null for none: a client's master, or the client that the master sends through. */
export function destinationOf({ from, to }: SendStep, topology: Topology, parties: Parties): Address | null {
  switch (to.kind) {
    case 'address':
      return to.address;
    case 'bus':
      return multicastOfBus();
    case 'group': {
      const group = topology.groups.find((g) => g.name === to.name);
      if (!group) throw new Error(`no group of this topology: ${to.name}`);
      return multicastOfGroup(group.prefix);
    }
    case 'master':
      return from.kind === 'master' ? MASTER : null;
    case 'client':
      // On its own line to the client the master needs no address, which also reaches one that has not joined.
      return from.kind === 'master' && from.via === to.name ? null : parties.client(to.name).address;
  }
}
