// SPDX-License-Identifier: MIT
/** Draws a run as a Mermaid sequence diagram: who sent what to whom, in the order of the sends. */

import { neutralBlank } from '../common/neutral.ts';
import { count } from '../common/text.ts';
import type { Plan, PlannedMessage } from '../plan/plan.ts';
import { parseLane } from '../topology/lane.ts';
import type { SendEvent, Trace } from '../trace/trace.ts';

/** Maximum number of arrows in a readable diagram. */
const MAX_SENDS = 60;

/** The diagram; its last note says what it leaves out. */
export function renderSequence(plan: Plan, trace: Trace): string {
  const participants = new Map(plan.agents.map((a, i) => [a.name, `p${i}`]));
  const sends = [...trace.sends].sort((a, b) => a.t0 - b.t0).filter((s) => plan.messages[s.message]);
  const receipts = receiptsOf(trace, new Set(sends.slice(0, MAX_SENDS + 1).map(({ message }) => message)));
  const lines: string[] = [];
  let arrows = 0;
  let shown = 0;
  let step: string | undefined;
  for (const send of sends) {
    const message = plan.messages[send.message] as PlannedMessage;
    const own = arrowsOf(send, message, receipts.get(send.message) ?? [], participants);
    if (arrows + own.length > MAX_SENDS && shown > 0) break;
    if (message.step !== step) lines.push(note(plan, participants, `step ${message.step}`));
    step = message.step;
    lines.push(...own.slice(0, MAX_SENDS));
    arrows += own.length;
    shown++;
  }
  const left = sends.length - shown;
  if (left > 0)
    lines.push(note(plan, participants, `${count(left, 'send')} more of ${sends.length} are not shown`));
  return ['sequenceDiagram', ...boxes(plan, participants), ...lines]
    .map((l, i) => (i === 0 ? l : `  ${l}`))
    .join('\n')
    .concat('\n');
}

/** Message → the agents that received it, in order of receipt. */
function receiptsOf(trace: Trace, messages: ReadonlySet<number>): Map<number, string[]> {
  const receipts = new Map<number, { agent: string; t: number }[]>();
  for (const [lane, deliveries] of trace.deliveries) {
    const { agent } = parseLane(lane);
    for (const d of deliveries) {
      if (d.fence || d.message === null || !messages.has(d.message)) continue;
      const list = receipts.get(d.message);
      if (list) list.push({ agent, t: d.t });
      else receipts.set(d.message, [{ agent, t: d.t }]);
    }
  }
  return new Map([...receipts].map(([m, list]) => [m, list.sort((a, b) => a.t - b.t).map((r) => r.agent)]));
}

/** The nodes, with the processes in them. */
function boxes(plan: Plan, participants: ReadonlyMap<string, string>): string[] {
  const nodes = new Map<string, string[]>();
  for (const { name, node } of plan.agents) nodes.set(node, [...(nodes.get(node) ?? []), name]);
  return [...nodes].flatMap(([node, agents]) => [
    `box ${node}`,
    ...agents.map((a) => `  participant ${participants.get(a)} as ${a}`),
    'end',
  ]);
}

function arrowsOf(
  send: SendEvent,
  message: PlannedMessage,
  receivers: readonly string[],
  participants: ReadonlyMap<string, string>,
): string[] {
  const from = participants.get(send.agent);
  const label = entities(message.name);
  if (send.error !== undefined) return [`${from}-x${from}: ${label} ${entities(send.error)}`];
  if (receivers.length === 0) return [`Note over ${from}: ${label} reached nobody`];
  return receivers.map((r) => `${from}->>${participants.get(r) ?? from}: ${label}`);
}

function note(plan: Plan, participants: ReadonlyMap<string, string>, text: string): string {
  const [first, last] = [plan.agents[0], plan.agents.at(-1)].map((a) => participants.get(a?.name ?? ''));
  return `Note over ${first === last ? first : `${first},${last}`}: ${entities(text)}`;
}

/** In Mermaid, `#` begins an entity, `;` and a line break end a statement. Nodes choose the texts of their errors. */
const entities = (text: string): string =>
  neutralBlank(text).replace(/[#;<>&"]/g, (char) => `#${char.charCodeAt(0)};`);
