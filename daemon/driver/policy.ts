// SPDX-License-Identifier: MIT
/** Decides what clients may do. */
import type { Header } from '../../runner/dbus/index.ts';
import type { Peer } from './peer.ts';

/**
 * Destination of a message: one client, the bus itself, or all clients with a matching rule. The bus also stands for
 * the owner of a name that has none yet.
 */
export type Recipient = Peer | 'bus' | 'everyone';

export interface Policy {
  mayConnect(peer: Peer): boolean;
  mayOwn(peer: Peer, name: string): boolean;
  /**
   * `reply`: the recipient waits for this message. For a broadcast, the policy is asked about each recipient
   * separately.
   */
  maySend(sender: Peer, header: Header, recipient: Recipient, reply: boolean): boolean;
  /** Without a sender, the bus itself sends; `eavesdropping`: the message is for another client. */
  mayReceive(
    sender: Peer | undefined,
    header: Header,
    recipient: Peer,
    reply: boolean,
    eavesdropping?: boolean,
  ): boolean;
  /** Whether a client may send and receive all messages, so that none need be checked. */
  isOpenFor(peer: Peer): boolean;
}

/** Allows everything, for one user. */
export const onlyFor = (uid: number): Policy => ({
  mayConnect: ({ credentials }) => credentials.uid === uid,
  mayOwn: () => true,
  maySend: () => true,
  mayReceive: () => true,
  isOpenFor: () => true,
});
