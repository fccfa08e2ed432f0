// SPDX-License-Identifier: MIT
/** What clients of message buses sent and got, beside what they were told to send. */
import type { Operation, Plan } from '../../plan/plan.ts';
import { argsText } from '../../topology/message-bus.ts';
import type { DbusEvent, Trace } from '../../trace/trace.ts';
import type { Words } from '../findings.ts';

export type Got = DbusEvent & { readonly kind: 'got' };

/** A message that a client got, and which one that is. */
export interface Copy {
  readonly client: string;
  readonly bus: string;
  readonly got: Got;
  /** Undefined for messages of the bus itself, and for those that nobody was told to send. */
  readonly operation?: Operation;
}

export interface BusFacts {
  readonly operations: readonly Operation[];
  readonly plan: Plan;
  readonly trace: Trace;
  /** Client → what it got, in its order. */
  readonly logs: ReadonlyMap<string, readonly Copy[]>;
  /** Number of the operation → errno of the send, undefined if it was sent; nothing if it was not tried. */
  readonly sent: ReadonlyMap<number, string | undefined>;
  /** The run was cut short: what has not come may have been on its way. */
  readonly cut: boolean;
  /** `:0.3`, as this client sees it → `panel`; other names as they are. */
  readonly nameOf: (unique: string, seenBy: string) => string;
}

export function busFacts(plan: Plan, trace: Trace): BusFacts {
  const operations = plan.operations?.list ?? [];
  const joins = trace.joins ?? [];
  const busOf = new Map(plan.topology.messageBuses?.clients.map(({ name, bus }) => [name, bus]));
  // Each bus counts by itself.
  const clients = new Map(joins.map(({ client, unique }) => [`${busOf.get(client)} ${unique}`, client]));
  const clientOf = (unique: string, seenBy: string) => clients.get(`${busOf.get(seenBy)} ${unique}`);
  const logs = new Map<string, Copy[]>(joins.map(({ client }) => [client, []]));
  const sent = new Map<number, string | undefined>();
  for (const event of trace.dbus ?? []) {
    if (event.kind === 'sent') sent.set(event.serial - 1, event.error);
    else
      logs
        .get(event.client)
        ?.push({ bus: busOf.get(event.client) ?? '', ...copyOf(event, operations, clientOf) });
  }
  return {
    ...{ operations, plan, trace, logs, sent },
    cut: trace.cut !== undefined,
    nameOf: (unique, seenBy) => clientOf(unique, seenBy) ?? unique,
  };
}

/** A message says who sent it, and its serial which one it is. */
function copyOf(
  got: Got,
  operations: readonly Operation[],
  clientOf: (unique: string, seenBy: string) => string | undefined,
): Omit<Copy, 'bus'> {
  const operation = operations[got.serial - 1];
  const isIts = operation !== undefined && clientOf(got.sender, got.client) === operation.client;
  const { client } = got;
  return isIts && got.replySerial === undefined ? { client, got, operation } : { client, got };
}

/** Where a failure belongs. */
export const about = ({ step, place, name }: Operation): Pick<Words, 'step' | 'place' | 'message'> => ({
  ...(step !== undefined && { step }),
  place,
  message: name,
});

/** `panel (twice), player`, `nobody`. */
export function receiversText(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const words = Array.from(counts, ([name, n]) => (n === 1 ? name : `${name} (${n} times)`));
  return words.length === 0 ? 'nobody' : words.toSorted().join(', ');
}

/** What a message says, for people: `org.example.Player.Changed s "x"`. */
export const contentText = ({
  interface: iface,
  member = '',
  args,
}: Pick<Got, 'interface' | 'member' | 'args'>) =>
  `${iface === undefined ? '' : `${iface}.`}${member} ${args}`;

/** What a client got, for people; `sentText` is the same for what was sent. */
export const saidText = (got: Got): string => `${got.path} ${contentText(got)}`;

export const sentText = ({ message }: Operation): string =>
  `${message.path} ${contentText({ ...message, args: argsText(message.args) })}`;

export const isAsSent = (operation: Operation, got: Got): boolean => saidText(got) === sentText(operation);
