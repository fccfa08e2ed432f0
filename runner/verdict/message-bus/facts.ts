// SPDX-License-Identifier: MIT
/** What clients of message buses sent and received, and what they were told to send. */
import { DRIVER, isUnique } from '../../dbus/index.ts';
import type { Operation, Plan } from '../../plan/plan.ts';
import { argsText } from '../../topology/message-bus.ts';
import type { DbusEvent, Trace } from '../../trace/trace.ts';
import { list } from '../failure-text.ts';
import type { FailureText } from '../findings.ts';

export type Got = DbusEvent & { readonly kind: 'got' };

/** A message that a client got, and the operation that it belongs to. */
export interface Copy {
  readonly client: string;
  readonly bus: string;
  readonly got: Got;
  /** Undefined for messages of the bus itself, and for messages that no order sent. */
  readonly operation?: Operation;
}

export interface BusFacts {
  readonly operations: readonly Operation[];
  readonly plan: Plan;
  readonly trace: Trace;
  /** Client → what it got, in order. */
  readonly logs: ReadonlyMap<string, readonly Copy[]>;
  /** Number of the operation → errno of the send; undefined if it was sent, absent if it was not tried. */
  readonly sent: ReadonlyMap<number, string | undefined>;
  /** Whether the run was cut: missing messages may have been on their way. */
  readonly cut: boolean;
  /** Translates a unique name as this client sees it: `:0.3` → `panel`. Other names stay as they are. */
  readonly nameOf: (unique: string, seenBy: string) => string;
  /** Whether a program of this client's bus may have this unique name: the model does not know what programs do. */
  readonly mayBeProgram: (unique: string, seenBy: string) => boolean;
}

export function busFacts(plan: Plan, trace: Trace): BusFacts {
  const operations = plan.operations?.list ?? [];
  const joins = trace.joins ?? [];
  const busOf = new Map(plan.topology.messageBuses?.clients.map(({ name, bus }) => [name, bus]));
  // Each bus counts its clients separately.
  const clients = new Map(joins.map(({ client, unique }) => [`${busOf.get(client)} ${unique}`, client]));
  const clientOf = (unique: string, seenBy: string) => clients.get(`${busOf.get(seenBy)} ${unique}`);
  const withPrograms = new Set(plan.topology.messageBuses?.programs.map(({ bus }) => bus));
  const mayBeProgram = (unique: string, seenBy: string) =>
    isUnique(unique) && withPrograms.has(busOf.get(seenBy) ?? '') && clientOf(unique, seenBy) === undefined;
  const logs = new Map<string, Copy[]>(joins.map(({ client }) => [client, []]));
  const sent = new Map<number, string | undefined>();
  for (const event of trace.dbus ?? []) {
    if (event.kind === 'sent') sent.set(event.serial - 1, event.error);
    else if (!isAboutProgram(event, mayBeProgram))
      logs
        .get(event.client)
        ?.push({ bus: busOf.get(event.client) ?? '', ...copyOf(event, operations, clientOf) });
  }
  return {
    ...{ operations, plan, trace, logs, sent },
    cut: trace.cut !== undefined,
    nameOf: (unique, seenBy) => clientOf(unique, seenBy) ?? unique,
    mayBeProgram,
  };
}

/** Whether the bus tells of the unique name of a program, which the model does not know. */
const isAboutProgram = (
  { client, sender, member, texts: [name = ''] }: Got,
  mayBeProgram: BusFacts['mayBeProgram'],
): boolean => sender === DRIVER && member === 'NameOwnerChanged' && mayBeProgram(name, client);

/** Finds the operation of a message by its sender, type and serial. */
function copyOf(
  got: Got,
  operations: readonly Operation[],
  clientOf: (unique: string, seenBy: string) => string | undefined,
): Omit<Copy, 'bus'> {
  const operation = operations[got.serial - 1];
  const isIts =
    operation !== undefined &&
    operation.message.type === got.type &&
    clientOf(got.sender, got.client) === operation.client;
  const { client } = got;
  return isIts && got.replySerial === undefined ? { client, got, operation } : { client, got };
}

export const isAnswer = ({ type, replySerial }: Got): boolean =>
  replySerial !== undefined && (type === 'method_return' || type === 'error');

/** The place of a failure. */
export const about = ({ step, place, name }: Operation): Pick<FailureText, 'step' | 'place' | 'message'> => ({
  ...(step !== undefined && { step }),
  place,
  message: name,
});

/** `panel (twice), player`, `nobody`. */
export function receiversText(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const words = Array.from(counts, ([name, n]) => (n === 1 ? name : `${name} (${n} times)`));
  return list(words.toSorted());
}

/** The content of a message in words: `org.example.Player.Changed s "x"`. */
export const contentText = ({
  interface: iface,
  member = '',
  args,
}: Pick<Got, 'interface' | 'member' | 'args'>) =>
  `${iface === undefined ? '' : `${iface}.`}${member} ${args}`;

/** A message that a client got, in words; `sentText` is the same for one that was sent. */
export const saidText = (got: Got): string => `${got.path} ${contentText(got)}`;

export const sentText = ({ message }: Operation): string =>
  `${message.path} ${contentText({ ...message, args: argsText(message.args) })}`;

export const isAsSent = (operation: Operation, got: Got): boolean => saidText(got) === sentText(operation);
