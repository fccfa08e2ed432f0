// SPDX-License-Identifier: MIT
/** Clients of message buses that sleep: whether what waits for them is enough for their bus to cut them off. */
import { type Operation, type Operations, predictOperations } from '../../predict/index.ts';
import type { MessageBuses } from '../../topology/message-bus.ts';
import { type Sleep, sleepsIn } from '../../topology/sleeps.ts';
import { flat } from '../../topology/steps.ts';
import type { Topology } from '../../topology/topology.ts';
import { type Places, warnUnshown } from './places.ts';

/** Steps that change names, or who has which. */
const CHANGES: readonly string[] = ['own', 'release', 'kill'];

export function checkSleeps(places: Places, topology: Topology): void {
  const { messageBuses } = topology;
  if (messageBuses === undefined) return;
  const sleeps = sleepsIn(topology.steps);
  checkShown(places, messageBuses, sleeps);
  const operations = predictOperations(topology);
  for (const sleep of sleeps) {
    checkRoom(places, sleep, operations);
    if (sleep.hangup) checkMeanwhile(places, topology, { sleep, sleeps, operations });
    else checkCalls(places, sleep, operations);
  }
}

/** Reports a limit of what waits for legacy clients on a bus on which nothing waits for any: none of them is paused. */
function checkShown(places: Places, { buses, clients }: MessageBuses, sleeps: readonly Sleep[]): void {
  const legacy = clients.filter(({ connect }) => connect === 'legacy');
  const asleep = legacy.filter(({ name }) => sleeps.some(({ client }) => client === name));
  const isShown = (name: string) => asleep.some(({ bus }) => bus === name);
  warnUnshown(places, buses, 'max_outgoing_bytes', isShown, (name) => ({
    message: `nothing shows this limit: no legacy client of bus "${name}" is paused`,
    hint: 'Pause one (connect: legacy) while signals are sent to it, or remove the limit.',
  }));
}

/** Reports a client that is not cut off although the file says so, and one that is although the file does not. */
function checkRoom(
  { problems, paths }: Places,
  { client, pause, hangup }: Sleep,
  { waiting }: Operations,
): void {
  const { have, most, held, unit } = waiting.get(pause.id) ?? NOTHING;
  if (hangup === undefined ? have <= most : have - held > most) return;
  const path = paths.get((hangup ?? pause).id) ?? [];
  const fact = `${have} ${unit} wait for "${client}" while it is paused, and the bus keeps ${most}`;
  if (hangup)
    problems.warning([...path, 'expect', 'hangup'], {
      ...(have > most
        ? {
            code: 'unsaid',
            message: `this might not happen: ${fact}, but the socket of "${client}" may hold the rest`,
          }
        : { code: 'impossible', message: `this cannot happen here: ${fact}` }),
      hint: 'Send more signals for it while it is paused.',
    });
  else
    problems.error([...path, 'fault'], {
      ...{ code: 'unsaid', message: `${fact}: it may be cut off` },
      hint: `Send less, or write - expect: { client: ${client}, hangup: true } after its resume.`,
    });
}

/** Reports calls of a name that reach a client which sleeps: it never answers. */
function checkCalls(
  { problems, paths }: Places,
  { client, from, to, pause }: Sleep,
  { list }: Operations,
): void {
  for (const { top, step = '', to: name = '', message, modelled } of list) {
    if (message.type !== 'method_call' || modelled.by !== client || top < from || top > to) continue;
    problems.error([...(paths.get(step) ?? []), 'call', 'to'], {
      code: 'impossible',
      message: `${name} is a name of "${client}", which has been paused since line ${pause.place.line}`,
      hint: `Write - fault: { resume: ${client} } before this step.`,
    });
  }
}

interface Meanwhile {
  readonly sleep: Sleep;
  readonly sleeps: readonly Sleep[];
  readonly operations: Operations;
}

/** Reports what would be before or after the end of the connection, whenever that is. */
function checkMeanwhile(
  { problems, paths }: Places,
  { steps }: Topology,
  { sleep, sleeps, operations }: Meanwhile,
): void {
  const { client, from, to } = sleep;
  const starting = new Set(operations.starts.map(({ step }) => step));
  const ofIt = new Set(operations.list.filter((each) => isToIt(each, client)).map(({ step }) => step));
  for (const step of flat(steps.slice(from + 1, to))) {
    if (step.kind !== 'dbus') continue;
    const { action } = step;
    const other = sleeps.find(({ pause, hangup }) => pause === step && hangup !== undefined);
    const isIts = action.client === client && action.do !== 'resume';
    const changes = CHANGES.includes(action.do) || starting.has(step.id);
    if (!changes && other === undefined && !isIts && !ofIt.has(step.id)) continue;
    problems.error(paths.get(step.id) ?? [], {
      code: 'impossible',
      message: `"${client}" is cut off at some moment of its pause: before this step, or after it`,
      hint: isIts
        ? 'Put this step before its pause.'
        : `Put this step before its pause, or after - expect: { client: ${client}, hangup: true }.`,
    });
  }
}

/** Whether it is for this client alone. */
const isToIt = ({ to, modelled: { recipients, may = [] } }: Operation, client: string): boolean =>
  to !== undefined && [...recipients, ...may].includes(client);

const NOTHING = { have: 0, most: 0, held: 0, unit: 'messages' } as const;
