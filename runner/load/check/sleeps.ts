// SPDX-License-Identifier: MIT
/** Clients of message buses that sleep: whether what waits for them is enough for their bus to cut them off. */
import { DEFAULT_LIMITS, NATIVE_QUEUE } from '../../../daemon/driver/limits.ts';
import { marshal } from '../../dbus/index.ts';
import { type Operation, predictOperations } from '../../predict/index.ts';
import { type Sleep, sleepsIn } from '../../topology/sleeps.ts';
import { flat } from '../../topology/steps.ts';
import type { Topology } from '../../topology/topology.ts';
import type { Places } from './places.ts';

/** Steps that change names, or who has which. */
const CHANGES: readonly string[] = ['own', 'release', 'kill'];

export function checkSleeps(places: Places, topology: Topology): void {
  if (topology.messageBuses === undefined) return;
  const sleeps = sleepsIn(topology.steps);
  const { list } = predictOperations(topology);
  for (const sleep of sleeps) {
    checkRoom(places, topology, sleep, list);
    if (sleep.hangup) checkMeanwhile(places, topology, sleep, sleeps);
  }
}

/** Reports a client that is not cut off although the file says so, and one that is although the file does not. */
function checkRoom(
  { problems, paths }: Places,
  topology: Topology,
  { client, from, to, pause, hangup }: Sleep,
  list: readonly Operation[],
): void {
  const waiting = list.filter(
    ({ top, expected: { recipients, may = [] } }) =>
      from < top && top < to && (recipients.includes(client) || may.includes(client)),
  );
  const { room, have } = isNative(topology, client)
    ? inMessages(waiting.length)
    : inBytes(topology, client, waiting);
  if (have > room.most === (hangup !== undefined)) return;
  const path = paths.get((hangup ?? pause).id) ?? [];
  const fact = `${have} ${room.unit} wait for "${client}" while it sleeps, and the bus keeps ${room.most}`;
  if (hangup)
    problems.warning([...path, 'expect', 'hangup'], {
      ...{ code: 'impossible', message: `this cannot happen here: ${fact}` },
      hint: 'Send more signals for it while it is paused.',
    });
  else
    problems.error([...path, 'fault'], {
      ...{ code: 'unsaid', message: `${fact}: it may be cut off` },
      hint: `Send less, or write - expect: { client: ${client}, hangup: true } after its resume.`,
    });
}

interface Waiting {
  readonly room: { readonly most: number; readonly unit: string };
  readonly have: number;
}

const inMessages = (have: number): Waiting => ({ room: { most: NATIVE_QUEUE, unit: 'messages' }, have });

/** Its socket holds some bytes more, but how many is up to the kernel. */
function inBytes({ messageBuses }: Topology, client: string, waiting: readonly Operation[]): Waiting {
  const name = messageBuses?.clients.find((each) => each.name === client)?.bus;
  const most = messageBuses?.buses.find((bus) => bus.name === name)?.limits.max_outgoing_bytes;
  const length = ({ message }: Operation) => marshal({ ...message, endian: 'little' }, 1).length;
  const have = waiting.reduce((sum, operation) => sum + length(operation), 0);
  return { room: { most: most ?? DEFAULT_LIMITS.max_outgoing_bytes, unit: 'bytes' }, have };
}

const isNative = ({ messageBuses }: Topology, client: string): boolean =>
  messageBuses?.clients.find(({ name }) => name === client)?.connect === 'native';

/** Reports what would be before or after the end of the connection, whenever that is. */
function checkMeanwhile(
  { problems, paths }: Places,
  { steps }: Topology,
  { client, from, to }: Sleep,
  sleeps: readonly Sleep[],
): void {
  for (const step of flat(steps.slice(from + 1, to))) {
    if (step.kind !== 'dbus') continue;
    const { action } = step;
    const other = sleeps.find(({ pause, hangup }) => pause === step && hangup !== undefined);
    const isToIt = 'to' in action && action.to === client;
    if (!CHANGES.includes(action.do) && other === undefined && !isToIt) continue;
    problems.error(paths.get(step.id) ?? [], {
      code: 'impossible',
      message: `"${client}" is cut off at some moment of its sleep, which may be before this step or after it`,
      hint: `Put this step before its pause, or after - expect: { client: ${client}, hangup: true }.`,
    });
  }
}
