// SPDX-License-Identifier: MIT
/** What clients may do. */
import type { Header } from '../../runner/dbus/index.ts';
import type { Peer } from './peer.ts';

/** Where a message goes: to one client, to the bus itself, or to all whose rules match. */
export type Recipient = Peer | 'bus' | 'everyone';

export interface Policy {
  mayConnect(peer: Peer): boolean;
  mayOwn(peer: Peer, name: string): boolean;
  /** `reply`: the recipient waits for this message. Of what is for everyone, each recipient is asked about by itself. */
  maySend(sender: Peer, header: Header, recipient: Recipient, reply: boolean): boolean;
  /** No sender is the bus itself; `eavesdropping`: the message is for somebody else. */
  mayReceive(
    sender: Peer | undefined,
    header: Header,
    recipient: Peer,
    reply: boolean,
    eavesdropping?: boolean,
  ): boolean;
  /** Whether a client may send and receive all messages, so that none need be looked at. */
  isOpenFor(peer: Peer): boolean;
}

/** Everything, for one user. */
export const onlyFor = (uid: number): Policy => ({
  mayConnect: ({ credentials }) => credentials.uid === uid,
  mayOwn: () => true,
  maySend: () => true,
  mayReceive: () => true,
  isOpenFor: () => true,
});
