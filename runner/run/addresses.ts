// SPDX-License-Identifier: MIT
/** Addresses of the parties of a file. */

import { type Address, EVERYONE, groupAddress, NOBODYS } from '../common/address.ts';
import type { SendStep, Topology } from '../topology/topology.ts';
import type { Parties } from './parties.ts';

/**
 * Destination of a send; null without one: a client sends to its master, or the master to the client that it sends
 * through.
 */
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
      // Through its own socket for the client the master needs no address. This also reaches a client that has not
      // joined.
      return from.kind === 'master' && from.via === to.name ? null : parties.client(to.name).address;
  }
}
