// SPDX-License-Identifier: MIT
/** Message buses of D-Bus, whose master is the D-Bus daemon of this project; their clients, and the steps of these. */
import type { Arg } from '../dbus/index.ts';
import type { ProgramSpec } from './program.ts';
import type { FdSpec, Place } from './topology.ts';

/** Follows the path of a bus in that of the socket for legacy clients. */
export const LEGACY = '.unix';
/** Follows that path in the link that leads to the bus (daemon/signpost.ts). */
export const SIGNPOST = '.afbus';

export interface MessageBusSpec {
  readonly name: string;
  /** The node on which the daemon runs. */
  readonly node: string;
  /** Path of the AF_BUS socket; legacy clients connect to `<path>.unix`. */
  readonly path: string;
  readonly limits: BusLimits;
  /** What it starts when somebody needs a name that nobody owns. */
  readonly services: readonly ServiceSpec[];
  readonly place: Place;
}

/** Limits of the daemon that the file sets, in its words. */
export interface BusLimits {
  readonly max_outgoing_bytes?: number;
  /** ms */
  readonly service_start_timeout?: number;
}

/**
 * The service of a well-known name: a client of the file, which connects when the bus starts it, or a program that ends
 * at once.
 */
export type ServiceSpec = { readonly name: string } & (
  | { readonly client: string }
  | { readonly exit: number }
);

/** Clients that are on no bus until their bus starts them. */
export const startedByBus = ({ buses }: Pick<MessageBuses, 'buses'>): ReadonlySet<string> =>
  new Set(
    buses.flatMap(({ services }) => services.flatMap((each) => ('client' in each ? [each.client] : []))),
  );

/**
 * How a client answers calls of a method: with values, with an error, or not at all. For other methods it returns the
 * arguments of the call, and its descriptors.
 */
export type Answer =
  | { readonly kind: 'reply'; readonly args: readonly Arg[]; readonly fds: readonly FdSpec[] }
  | { readonly kind: 'error'; readonly name: string };

export interface DbusClientSpec {
  readonly name: string;
  readonly bus: string;
  readonly node: string;
  /** `native`: over AF_BUS. `legacy`: through the daemon's AF_UNIX listener. */
  readonly connect: 'native' | 'legacy';
  /** Rules that it adds, and names that it requests, when it connects. */
  readonly match: readonly string[];
  readonly names: readonly string[];
  readonly answers: Readonly<Record<string, Answer>>;
  readonly place: Place;
}

export interface MessageBuses {
  readonly buses: readonly MessageBusSpec[];
  readonly clients: readonly DbusClientSpec[];
  readonly programs: readonly ProgramSpec[];
}

/** The content of a signal or a call; a call may have no interface. */
export interface DbusContent {
  readonly path: string;
  readonly interface?: string;
  readonly member: string;
  readonly args: readonly Arg[];
}

export const REQUEST_RESULTS = ['owner', 'queued', 'exists', 'already-owner'] as const;
export const RELEASE_RESULTS = ['released', 'non-existent', 'not-owner'] as const;
export const START_RESULTS = ['started', 'already-running'] as const;

/** Flags of RequestName (D-Bus Specification). */
export const ALLOW_REPLACEMENT = 1;
export const REPLACE_EXISTING = 2;
export const DO_NOT_QUEUE = 4;

/** A client adds or removes a match rule. */
export interface RuleChange {
  readonly do: 'add-match' | 'remove-match';
  readonly client: string;
  readonly rule: string;
}

export type DbusAction =
  | { readonly do: 'own'; readonly client: string; readonly name: string; readonly flags: number }
  | { readonly do: 'release'; readonly client: string; readonly name: string }
  | { readonly do: 'start'; readonly client: string; readonly name: string }
  | RuleChange
  | {
      readonly do: 'signal';
      readonly client: string;
      readonly content: DbusContent;
      readonly count: number;
      /** Descriptors of each signal. */
      readonly fds: readonly FdSpec[];
      /** The only receiver: this client, or the owner of this name. */
      readonly to?: string;
    }
  | {
      readonly do: 'call';
      readonly client: string;
      readonly content: DbusContent;
      readonly fds: readonly FdSpec[];
      readonly to: string;
    }
  | { readonly do: 'kill' | 'pause' | 'resume'; readonly client: string }
  /** Not an action: the bus ends its connection, since it has slept for too long. */
  | { readonly do: 'hangup'; readonly client: string; readonly within: number }
  /** Not an action: the signals of the bus to this client since the last such step, in order. */
  | { readonly do: 'hears'; readonly client: string; readonly heard: readonly string[] };

/** What the file expects of an action; if it is empty, the model decides. */
export interface DbusExpect {
  /** `expect: model`: the file leaves it to the model on purpose. */
  readonly model?: true;
  /** Result of `own`, `release` or `start`, as a word. */
  readonly result?: string;
  readonly error?: string;
  readonly reply?: readonly Arg[];
  /** The client that answers the call. */
  readonly by?: string;
  /** Clients that get each signal, once each. */
  readonly recipients?: readonly string[];
}

export interface DbusStep {
  readonly kind: 'dbus';
  readonly id: string;
  readonly action: DbusAction;
  readonly expect: DbusExpect;
  readonly place: Place;
}

/** Stands for nobody in reports. */
export const NOBODY = 'nobody';

/** `signal panel Changed`: the verb, the client, and what is sent or requested. */
export function dbusText(action: DbusAction): string {
  const { client } = action;
  switch (action.do) {
    case 'own':
    case 'release':
    case 'start':
      return `${client} ${action.do} ${action.name}`;
    case 'add-match':
    case 'remove-match':
      return `${client} ${action.do} ${action.rule}`;
    case 'signal':
      return `${client} signal ${action.content.member}${action.to === undefined ? '' : ` to ${action.to}`}`;
    case 'call':
      return `${client} call ${action.to} ${action.content.member}`;
    case 'kill':
    case 'pause':
    case 'resume':
      return `${action.do} ${client}`;
    case 'hangup':
      return `expect ${client} to be cut off`;
    case 'hears':
      return `expect what the bus tells ${client}`;
  }
}

/** Values with their types as text: two lists have the same text only if they are the same. */
export const argsText = (args: readonly Arg[]): string =>
  args.length === 0 ? '()' : args.map(({ type, value }) => `${type} ${valueText(value)}`).join(', ');

function valueText(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return `[${value.join(', ')}]`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Map)
    return `{${Array.from(value, ([key, each]) => `${valueText(key)}: ${valueText(each)}`).join(', ')}}`;
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (typeof value === 'object' && value !== null && 'type' in value && 'value' in value)
    return `<${value.type} ${valueText(value.value)}>`;
  return JSON.stringify(value);
}

/** A signal of the bus about a name, in the form of files and reports. */
export function heardText(member: string, args: readonly string[]): string {
  const [name = '', from = '', to = ''] = args;
  if (member !== 'NameOwnerChanged') return `${member} ${name}`;
  return `${member} ${name}: ${from === '' ? NOBODY : from} -> ${to === '' ? NOBODY : to}`;
}
