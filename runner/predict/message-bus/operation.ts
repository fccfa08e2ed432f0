// SPDX-License-Identifier: MIT
/** What the clients of message buses do, and what must come of it. */
import type { DbusMessage } from '../../dbus/index.ts';
import type { RuleUse } from '../../model/index.ts';
import type { RuleChange } from '../../topology/message-bus.ts';
import type { Place } from '../../topology/topology.ts';
import type { Waiting } from './sleeper.ts';

/** What must come of a message. */
export interface DbusExpected {
  /**
   * `sent`: a signal, which nobody answers, except for one to a name without an owner. Texts are those of `argsText`.
   */
  readonly outcome:
    | { readonly kind: 'sent' }
    | { readonly kind: 'reply'; readonly args: string }
    | { readonly kind: 'error'; readonly name: string };
  /** Who answers: a client, or `org.freedesktop.DBus`; absent if nobody does, or anybody may. */
  readonly by?: string;
  /** Clients that get the message itself, once each. */
  readonly recipients: readonly string[];
  /** Clients that get it unless the bus has cut them off by then; absent if there are none. */
  readonly may?: readonly string[];
}

/** A message that is sent. Its serial is its number plus 1, by which receivers identify it. */
export interface Operation {
  readonly number: number;
  /** The step's id; absent for what a client does when it connects. */
  readonly step?: string;
  /** Index of its top-level step; -1 before the first step. */
  readonly top: number;
  readonly bus: string;
  readonly client: string;
  /** The name in reports. */
  readonly name: string;
  readonly place: Place;
  /** The message without its destination. That is in `to`: a client, a well-known name, or the bus. */
  readonly message: Pick<DbusMessage, 'type' | 'path' | 'interface' | 'member' | 'args'>;
  readonly to?: string;
  /** How many descriptors go with it. */
  readonly fds: number;
  /** How many come with the answer: those of the call, or new ones. */
  readonly back: Back;
  /** Who owns the name that this asks for in vain. */
  readonly holder?: string;
  /** What the model predicts. */
  readonly modelled: DbusExpected;
  /** What the file says, else what the model predicts. */
  readonly expected: DbusExpected;
}

/** A signal is answered only if it fails; that takes a while if the bus has to start a service for it. */
export const isAnswered = ({ message, expected }: Operation): boolean =>
  message.type === 'method_call' || expected.outcome.kind === 'error';

export interface Back {
  readonly fds: number;
  readonly are: 'of the call' | 'new';
}

/** A signal of the bus to a client about a name, as text. */
export interface HeardAt {
  /** The last step in which it may come. */
  readonly top: number;
  /** The first one. */
  readonly since: number;
  readonly text: string;
}

/** A rule that a client adds or removes, and whether it serves any purpose. */
export interface RuleStep {
  readonly verb: RuleChange['do'];
  readonly client: string;
  readonly text: string;
  readonly use: RuleUse;
  /** The step's id; absent for a rule that the client adds when it connects, which `nth` counts. */
  readonly step?: string;
  readonly nth?: number;
}

/** A step that makes the bus start a service. */
export interface Start {
  /** The step's id. */
  readonly step: string;
  /** Index of its top-level step. */
  readonly top: number;
  readonly name: string;
  /** The client that connects; absent if the service is a program that ends. */
  readonly client?: string;
  /** Whether that client was started before. It starts once. */
  readonly again: boolean;
  /** How long the bus waits until the name has an owner, in ms. */
  readonly within: number;
}

/** A step about a client that its bus has not started by then. */
export interface Early {
  readonly step: string;
  readonly client: string;
}

export interface Operations {
  readonly list: readonly Operation[];
  /** Client → the signals of the bus to it, in order. */
  readonly heard: ReadonlyMap<string, readonly HeardAt[]>;
  /** Id of a `hears` step → the signals since the client's last `hears` step. */
  readonly since: ReadonlyMap<string, readonly string[]>;
  readonly uses: readonly RuleStep[];
  readonly starts: readonly Start[];
  readonly early: readonly Early[];
  /** Id of the step that pauses a client → what waits for the client when it goes on. */
  readonly waiting: ReadonlyMap<string, Waiting>;
}
