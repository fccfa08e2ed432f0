// SPDX-License-Identifier: MIT
/** What the driver wants done. Effects are carried out in order, one after the other. */
import type { DbusMessage, Header } from '../../runner/dbus/index.ts';
import type { Service } from './activation.ts';
import type { Peer } from './peer.ts';

/** A checked message that has reached the bus. */
export interface Incoming {
  readonly header: Header;
  readonly bytes: Uint8Array;
  /** Descriptors that came with it; the driver passes them on and never uses them. */
  readonly fds: readonly unknown[];
}

/** What is done with a message in the end. */
export const discarded = (message: Incoming): readonly Effect[] =>
  message.fds.length > 0 ? [{ do: 'discard', message }] : [];

/** A message of the bus itself; its sender and serial are set later. */
export type Outgoing = Omit<DbusMessage, 'endian' | 'sender'>;

export type Effect =
  /** Admits a client to the bus. */
  | { readonly do: 'join'; readonly peer: Peer }
  /** Sends a message of the bus itself to one client. */
  | { readonly do: 'send'; readonly to: Peer; readonly message: Outgoing }
  /** Sends a signal of the bus itself to all clients with a matching rule. */
  | { readonly do: 'broadcast'; readonly message: Outgoing }
  /** Sends a client's message to one client. */
  | { readonly do: 'forward'; readonly from: Peer; readonly to: Peer; readonly message: Incoming }
  /** Sends a client's message to all clients with a matching rule. */
  | { readonly do: 'multicast'; readonly from: Peer; readonly message: Incoming }
  /** Drops a message: its descriptors are closed. */
  | { readonly do: 'discard'; readonly message: Incoming }
  | { readonly do: 'add-match'; readonly peer: Peer; readonly rule: string }
  | { readonly do: 'remove-match'; readonly peer: Peer; readonly rule: string }
  /** A well-known name has a new owner, or none. */
  | { readonly do: 'own'; readonly name: string; readonly from?: Peer; readonly to?: Peer }
  /** Turns on or off that a client gets messages for others; its rules select them. */
  | { readonly do: 'eavesdrop'; readonly peer: Peer; readonly on: boolean }
  /** Makes a client a monitor: it loses its rules and gets everything. `serial`: of its call. */
  | { readonly do: 'monitor'; readonly peer: Peer; readonly serial: number }
  /** Sets variables for services that are started from now on. */
  | { readonly do: 'environment'; readonly variables: Readonly<Record<string, string>> }
  /** Reads the configuration again, then answers the call. */
  | { readonly do: 'reload'; readonly peer: Peer; readonly header: Header }
  /** Starts a service; Driver.started or Driver.startFailed is called with the result. */
  | { readonly do: 'start'; readonly service: Service; readonly timeout: number }
  | { readonly do: 'disconnect'; readonly peer: Peer; readonly reason: string }
  | { readonly do: 'log'; readonly peer?: Peer; readonly text: string };
