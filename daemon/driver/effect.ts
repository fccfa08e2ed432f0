// SPDX-License-Identifier: MIT
/** What the driver wants done. Effects are carried out in order, each before the next one begins. */
import type { DbusMessage, Header } from '../../runner/dbus/index.ts';
import type { Service } from './activation.ts';
import type { Peer } from './peer.ts';

/** A message that has reached the bus, and was checked. */
export interface Incoming {
  readonly header: Header;
  readonly bytes: Uint8Array;
  /** Descriptors that came with it; the driver passes them on and never looks at them. */
  readonly fds: readonly unknown[];
}

/** What is done with a message that has reached its end. */
export const discarded = (message: Incoming): readonly Effect[] =>
  message.fds.length > 0 ? [{ do: 'discard', message }] : [];

/** A message of the bus itself; its sender and serial are not set yet. */
export type Outgoing = Omit<DbusMessage, 'endian' | 'sender'>;

export type Effect =
  /** Lets a client onto the bus. */
  | { readonly do: 'join'; readonly peer: Peer }
  /** A message of the bus itself to one client. */
  | { readonly do: 'send'; readonly to: Peer; readonly message: Outgoing }
  /** A signal of the bus itself to all whose rules match. */
  | { readonly do: 'broadcast'; readonly message: Outgoing }
  /** A client's message to one client. */
  | { readonly do: 'forward'; readonly from: Peer; readonly to: Peer; readonly message: Incoming }
  /** A client's message to all whose rules match. */
  | { readonly do: 'multicast'; readonly from: Peer; readonly message: Incoming }
  /** A message goes no further: its descriptors are closed. */
  | { readonly do: 'discard'; readonly message: Incoming }
  | { readonly do: 'add-match'; readonly peer: Peer; readonly rule: string }
  | { readonly do: 'remove-match'; readonly peer: Peer; readonly rule: string }
  /** A well-known name has another owner, or none. */
  | { readonly do: 'own'; readonly name: string; readonly from?: Peer; readonly to?: Peer }
  /** A client hears what is for others, or no longer; its own rules say what of that. */
  | { readonly do: 'eavesdrop'; readonly peer: Peer; readonly on: boolean }
  /** A client becomes a monitor: it loses its rules and sees everything. */
  | { readonly do: 'monitor'; readonly peer: Peer }
  /** Variables for services that are started from now on. */
  | { readonly do: 'environment'; readonly variables: Readonly<Record<string, string>> }
  /** Reads the configuration again, then answers the call. */
  | { readonly do: 'reload'; readonly peer: Peer; readonly serial: number }
  /** Starts a service; Driver.started or Driver.startFailed tells what comes of it. */
  | { readonly do: 'start'; readonly service: Service; readonly timeout: number }
  | { readonly do: 'disconnect'; readonly peer: Peer; readonly reason: string }
  | { readonly do: 'log'; readonly peer?: Peer; readonly text: string };
