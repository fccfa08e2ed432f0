// SPDX-License-Identifier: MIT
/**
 * The table of faults: who carries each one out, what it changes, and what takes it back. Code that needs to know more
 * about a fault than its name looks into its row, so that a new fault is known everywhere as soon as it has one.
 */
import type { Address } from '../common/address.ts';
import { sizeInWords } from '../common/size.ts';
import { partyOf } from './lane.ts';
import type { Sender } from './topology.ts';

/** A fault to inject: an action and its target (docs/topology.md, "Faults"). */
export type FaultAction =
  | OnProcess<'kill' | 'stop' | 'pause' | 'resume'>
  /** The kernel kills the process when it wants more than that many bytes beyond what it has then. */
  | { readonly fault: 'kill'; readonly target: Sender & { readonly kind: 'client' }; readonly memory: number }
  | OnMaster<'leave' | 'close-listener'>
  | OnClient<'expel' | 'join' | 'stop-reading' | 'start'>
  | OnClient<'eavesdrop', { readonly on: boolean }>
  | OnClient<'add-address' | 'del-address', { readonly address: Address }>
  | OnClient<'add-match' | 'remove-match', { readonly rule: string }>
  /** The process may open that many more descriptors than it has open then. */
  | OnClient<'limit', { readonly fds: number | 'unlimited' }>
  /** Reads `count` messages, or `all`: those that are queued, and all later ones. */
  | OnClient<'read', { readonly count: number | 'all' }>;

/** One type per verb rather than one for all, so that each can be selected by its verb. */
type OnProcess<V> = V extends string
  ? { readonly fault: V; readonly target: Sender; readonly memory?: undefined }
  : never;
type OnMaster<V> = V extends string ? { readonly fault: V; readonly bus: string } : never;
type OnClient<V, More = unknown> = V extends string
  ? { readonly fault: V; readonly client: string } & More
  : never;

export type Verb = FaultAction['fault'];
export type Signal = 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT';

/** What a fault does to the reading of the party that it affects. */
export type ReadingEffect = 'ends' | 'pauses' | 'resumes' | 'stops' | 'reads some' | 'reads on';

export interface Row {
  /**
   * Who carries it out: a signal to the process, the client or the master of its bus on an order, or the node, which
   * starts it.
   */
  readonly by: Signal | 'client' | 'master' | 'node';
  /**
   * What it changes: who gets what (`routes`), when messages are read (`reading`), who can connect (`listener`), or
   * nothing that the bus could notice (`process`).
   */
  readonly changes: 'routes' | 'reading' | 'listener' | 'process';
  /** What it ends: the process, the sockets of a master, or the membership of a client. */
  readonly ends?: 'process' | 'sockets' | 'place';
  readonly reading?: ReadingEffect;
  /** The verb that takes it back; absent for faults that last. */
  readonly opposite?: Verb;
  /**
   * Only messages can show the effect of the fault. If absent, the effect shows by itself: sockets end when a process or
   * a membership ends, and a limit shows in what it cuts.
   */
  readonly shows?: 'in messages';
}

export const FAULTS = {
  kill: { by: 'SIGKILL', changes: 'routes', ends: 'process', reading: 'ends' },
  stop: { by: 'SIGTERM', changes: 'routes', ends: 'process', reading: 'ends' },
  pause: { by: 'SIGSTOP', changes: 'reading', reading: 'pauses', opposite: 'resume', shows: 'in messages' },
  resume: { by: 'SIGCONT', changes: 'reading', reading: 'resumes' },
  start: { by: 'node', changes: 'routes' },
  leave: { by: 'master', changes: 'routes', ends: 'sockets', reading: 'ends' },
  'close-listener': { by: 'master', changes: 'listener', shows: 'in messages' },
  // An expelled client still reads what is in its queue (af_bus.md section 5).
  expel: { by: 'master', changes: 'routes', ends: 'place' },
  join: { by: 'master', changes: 'routes', shows: 'in messages' },
  eavesdrop: { by: 'master', changes: 'routes', opposite: 'eavesdrop', shows: 'in messages' },
  'add-address': { by: 'master', changes: 'routes', opposite: 'del-address', shows: 'in messages' },
  'del-address': { by: 'master', changes: 'routes', opposite: 'add-address', shows: 'in messages' },
  'add-match': { by: 'master', changes: 'routes', opposite: 'remove-match', shows: 'in messages' },
  'remove-match': { by: 'master', changes: 'routes', opposite: 'add-match', shows: 'in messages' },
  'stop-reading': {
    by: 'client',
    changes: 'reading',
    reading: 'stops',
    opposite: 'read',
    shows: 'in messages',
  },
  read: { by: 'client', changes: 'reading', reading: 'reads on' },
  limit: { by: 'client', changes: 'process', opposite: 'limit' },
} as const satisfies Readonly<Record<Verb, Row>>;

type Table = typeof FAULTS;
/** Faults that a client or a master carries out itself. */
export type OrderedFault = {
  [V in Verb]: Table[V]['by'] extends 'client' | 'master'
    ? Extract<FaultAction, { readonly fault: V }>
    : never;
}[Verb];

export const rowOf = ({ fault }: FaultAction): Row => FAULTS[fault];

/** The fault that takes it back; undefined for faults that last. */
export function oppositeOf(action: FaultAction): FaultAction | undefined {
  const { opposite } = rowOf(action);
  if (opposite === undefined) return undefined;
  return {
    ...action,
    fault: opposite,
    ...('on' in action && { on: !action.on }),
    ...('fds' in action && { fds: 'unlimited' }),
    ...(opposite === 'read' && { count: 'all' }),
  } as FaultAction;
}

/** The signal that carries it out; undefined if something else does. */
export function signalOf(action: FaultAction): Signal | undefined {
  const { by } = rowOf(action);
  return by === 'client' || by === 'master' || by === 'node' ? undefined : by;
}

/** The party that it affects. */
export function subjectOf(action: FaultAction): Sender {
  if ('client' in action) return { kind: 'client', name: action.client };
  return 'bus' in action ? { kind: 'master', bus: action.bus } : action.target;
}

/** The client that it affects; undefined for a fault of a master. */
export function clientOf(action: FaultAction): string | undefined {
  const subject = subjectOf(action);
  return subject.kind === 'client' ? subject.name : undefined;
}

/** The bus that it affects. */
export function busOf(action: FaultAction, busOfClient: (client: string) => string): string {
  const subject = subjectOf(action);
  return subject.kind === 'master' ? subject.bus : busOfClient(subject.name);
}

/**
 * The party whose process must run to carry it out; undefined if the kernel or the node does. Of the signals, a process
 * reacts to SIGTERM only.
 */
export function actorOf(action: FaultAction, busOfClient: (client: string) => string): Sender | undefined {
  const { by } = rowOf(action);
  if (by === 'master') return { kind: 'master', bus: busOf(action, busOfClient) };
  return by === 'client' || by === 'SIGTERM' ? subjectOf(action) : undefined;
}

/** Whether it affects a whole process, which therefore cannot be shared. */
export const needsOwnProcess = (action: FaultAction): boolean =>
  signalOf(action) !== undefined || rowOf(action).changes === 'process';

export function readingEffect(action: FaultAction): ReadingEffect | undefined {
  const some = action.fault === 'read' && action.count !== 'all';
  return some ? 'reads some' : rowOf(action).reading;
}

/** `join tool-0`, `read slow count 3`: the verb, the party, and other values that the file gives. */
export function faultText(action: FaultAction): string {
  const party = partyOf(subjectOf(action));
  if (action.fault === 'kill' && action.memory !== undefined)
    return `limit ${party} memory ${sizeInWords(action.memory)}`;
  const { fault, ...rest } = action;
  const more = Object.entries(rest).flatMap(([key, value]) => {
    if (['target', 'bus', 'client', 'memory'].includes(key)) return [];
    return key === 'address' ? [value] : [key, value];
  });
  return [fault, party, ...more].join(' ');
}
