// SPDX-License-Identifier: MIT
/** What masters and clients share: the orders about sockets in general. */

import { encode } from '../common/envelope.ts';
import { parseDestination } from './destination.ts';
import type { Lane } from './lane.ts';
import type { Pipes } from './pipes.ts';
import type { Order, OrderResult } from './protocol.ts';
import type { Reports } from './reports.ts';
import type { Sending } from './sending.ts';
import type { Socket, System } from './system.ts';

export interface Tools {
  readonly system: System;
  readonly reports: Reports;
  readonly sending: Sending;
  readonly pipes: Pipes;
}

export type Result = OrderResult | undefined;

/** A master or a client. */
export interface Role {
  readonly nonce: number;
  lanes(): Iterable<Lane>;
  /** The socket that sends: for a master, the accepted socket of client `via`. */
  sender(via: string | undefined): Socket;
  /** Orders that only this role knows. */
  handle(order: Order): Promise<Result>;
}

/** A party of a message bus. The role owns its connection, so there is no socket for the orders about sockets. */
export abstract class DbusRole implements Role {
  readonly nonce = 0;

  lanes(): [] {
    return [];
  }

  sender(): never {
    throw new Error('a party of a message bus sends by orders of its own');
  }

  abstract handle(order: Order): Promise<Result>;
}

const NOTHING = new Uint8Array(0);

/** Carries out the order; resolves with the result that is to be reported. */
export async function carryOut(order: Order, role: Role, tools: Tools): Promise<Result> {
  switch (order.do) {
    case 'send':
      await tools.sending.play(order, role.sender(order.via), role.nonce);
      return undefined;
    case 'fence': {
      const datagram = encode('fence', role.nonce, order.number, NOTHING);
      await role.sender(order.via).send(datagram, parseDestination(order.to));
      return undefined;
    }
    case 'drain':
      await Promise.all(Array.from(role.lanes(), (lane) => lane.drain()));
      return undefined;
    case 'report':
      return undefined;
    case 'collect-pipes':
      await tools.pipes.collect(order.within);
      return undefined;
    default:
      return role.handle(order);
  }
}

/** An order that this role does not know: a mistake of the runner. */
export function notMine(order: Order, role: string): never {
  throw new Error(`a ${role} has no order "${order.do}"`);
}
