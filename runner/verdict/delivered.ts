// SPDX-License-Identifier: MIT
/** Whether a run showed the bus at work: if no message arrived, the checks prove nothing about delivery. */
import { DRIVER } from '../dbus/index.ts';
import type { Plan } from '../plan/plan.ts';
import type { DbusStep } from '../topology/message-bus.ts';
import { flat } from '../topology/steps.ts';
import type { SendStep, Step } from '../topology/topology.ts';
import type { Trace } from '../trace/trace.ts';
import type { Facts } from './facts.ts';

/**
 * Why the run proves nothing although no check failed; undefined if a message arrived, or the file says that none must.
 * What a program wrote stands for messages only if the file has none of its own.
 */
export function nothingDelivered({ plan, trace, lanes }: Facts): string | undefined {
  if (lanes.some(({ deliveries }) => deliveries.some(({ fence }) => !fence))) return undefined;
  const all = [...flat(plan.topology.steps)].filter(isMessage);
  const arrived = dbusArrived(plan, trace);
  if (all.some((step) => arrived.has(step.id) || isHeard(step))) return undefined;
  if (all.length === 0) return aProgramWrote(trace) ? undefined : sendsNone(trace);
  const open = all.find((step) => !saysNobody(step));
  if (open === undefined) return undefined;
  const { file, line } = open.place;
  return `no message was delivered, and ${file}:${line} does not say that nobody is to get it (expect: { recipients: [] } or { error: … })`;
}

const sendsNone = ({ programs = [] }: Trace): string =>
  programs.some(({ state }) => state === 'simulated')
    ? 'a program cannot be simulated, and the file itself sends no message'
    : 'the file sends no message';

const aProgramWrote = ({ programs = [] }: Trace): boolean =>
  programs.some(({ state, output }) => state !== 'simulated' && output !== '');

/**
 * Steps on message buses of which a message arrived: a copy is identified by its serial, an answer by its reply serial.
 */
function dbusArrived({ operations }: Plan, { dbus = [] }: Trace): ReadonlySet<string | undefined> {
  const asked = new Map(operations?.list.map(({ step, number }) => [number + 1, step]));
  const got = dbus.filter((event) => event.kind === 'got');
  return new Set(
    got.flatMap(({ sender, serial, replySerial }) =>
      replySerial === undefined && sender === DRIVER ? [] : [asked.get(replySerial ?? serial)],
    ),
  );
}

/** Whether the bus sends signals about names by itself in this step. */
const isHeard = (step: SendStep | DbusStep): boolean =>
  step.kind === 'dbus' && step.action.do === 'hears' && step.action.heard.length > 0;

/** A request for a name has an answer, which is a message; a rule or a kill has none. */
const isMessage = (step: Step): step is SendStep | DbusStep =>
  step.kind === 'send' || (step.kind === 'dbus' && SAID.has(step.action.do));

const SAID = new Set(['signal', 'call', 'own', 'release', 'start', 'hears']);

/** Whether the file itself says that nobody gets it; a prediction does not count. */
function saysNobody(step: SendStep | DbusStep): boolean {
  if (step.kind === 'dbus' && step.action.do === 'hears') return true;
  return step.expect.error !== undefined || step.expect.recipients?.length === 0;
}
