// SPDX-License-Identifier: MIT
/** What must happen to a message: what the file says, else what the model expects. */

import { type Allowed, isOpen } from '../predict/index.ts';
import { busOfMaster, defaultRoute } from '../topology/lane.ts';
import type { SendStep } from '../topology/topology.ts';
import type { Expected } from './plan.ts';

/** What the file says; undefined if it leaves this to the model. */
export function writtenExpected({ expect, from }: SendStep, contradictedBy?: string): Expected | undefined {
  const contradicted = contradictedBy === undefined ? {} : { contradictedBy };
  if (expect.error !== undefined) return { kind: 'error', errno: expect.error, ...contradicted };
  if (expect.recipients === undefined) return undefined;
  const lanes = expect.recipients.map((name) => {
    const bus = busOfMaster(name);
    return bus === undefined ? name : defaultRoute(from, bus);
  });
  return { kind: 'delivered', lanes: [...new Set(lanes)], ...contradicted };
}

/** What the model says. Messages with the same prediction share one object. */
export function modelled(allowed: Allowed | undefined): Expected {
  if (allowed === undefined) return NEVER_SENT;
  const known = answers.get(allowed) ?? answer(allowed);
  answers.set(allowed, known);
  return known;
}

const answers = new WeakMap<Allowed, Expected>();

const NEVER_SENT: Expected = { kind: 'delivered', lanes: [], because: 'its sender has ended before it' };

function answer(allowed: Allowed): Expected {
  const { delivered, errors, because } = allowed;
  const [errno, ...others] = errors;
  if (delivered === undefined) {
    return { kind: 'error', errno: errno ?? '', ...(others.length > 0 && { or: others }), because };
  }
  const { must, may } = delivered;
  return {
    kind: 'delivered',
    lanes: must,
    ...(may.length > 0 && { may }),
    ...(errors.length > 0 && { or: errors }),
    ...(isOpen(allowed) && { open: true }),
    because,
  };
}
