// SPDX-License-Identifier: MIT
/** Where the parties of a file are reached on the wire. */

import { type Address, EVERYONE, groupAddress, NOBODYS } from '../common/address.ts';
import type { SendStep, Topology } from '../topology/topology.ts';
import type { Parties } from './parties.ts';

/** Destination of a send; null for none: a client's master, or the client that the master sends through. */
export function destinationOf({ from, to }: SendStep, topology: Topology, parties: Parties): Address | null {
  switch (to.kind) {
    case 'address':
      return to.address;
    case 'bus':
      return EVERYONE;
    case 'group': {
      const group = topology.groups.find((g) => g.name === to.name);
      if (!group) throw new Error(`no group of this topology: ${to.name}`);
      return groupAddress(group.prefix);
    }
    case 'master':
      return from.kind === 'master' ? NOBODYS : null;
    case 'client':
      // On its own line to the client the master needs no address, which also reaches one that has not joined.
      return from.kind === 'master' && from.via === to.name ? null : parties.client(to.name).address;
  }
}
