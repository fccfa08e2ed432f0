// SPDX-License-Identifier: MIT
/** Whether a run showed the bus at work: the checks of a run in which no message arrived prove nothing about delivery. */
import { flat, sends } from '../topology/steps.ts';
import type { SendStep } from '../topology/topology.ts';
import type { Facts } from './facts.ts';

/** Why the run proves nothing, although no check failed; undefined if a message arrived, or the file says that none must. */
export function nothingDelivered({ plan, lanes }: Facts): string | undefined {
  if (lanes.some(({ deliveries }) => deliveries.some(({ fence }) => !fence))) return undefined;
  if ([...flat(plan.topology.steps)].some(({ kind }) => kind === 'dbus')) return undefined;
  const all = [...sends(plan.topology.steps)];
  if (all.length === 0) return 'the file sends no message';
  const open = all.find((step) => !saysNobody(step));
  if (open === undefined) return undefined;
  const { file, line } = open.place;
  return `no message was delivered, and ${file}:${line} does not say that nobody is to get it (expect: { recipients: [] } or { error: … })`;
}

/** The file itself says that nobody gets it; what the model predicts does not count. */
const saysNobody = ({ expect }: SendStep): boolean =>
  expect.error !== undefined || expect.recipients?.length === 0;
