// SPDX-License-Identifier: MIT
/** Removes whatever a scenario does not need to go wrong. */

import { type BusPart, mentions, type Part, type Scenario, type Written } from './scenario.ts';

/**
 * Greedy: removes each part for good if the scenario still goes wrong without it. Ends when nothing more can be
 * removed, or after `most` calls of `wrong`.
 */
export async function shrink(
  scenario: Scenario,
  wrong: (smaller: Scenario) => Promise<boolean>,
  most: number,
): Promise<Scenario> {
  let smallest = scenario;
  let asked = 0;
  for (let found = true; found; ) {
    found = false;
    for (const smaller of candidates(smallest)) {
      if (asked++ >= most) return smallest;
      if (!(await wrong(smaller))) continue;
      smallest = smaller;
      found = true;
      break;
    }
  }
  return smallest;
}

/** All scenarios that lack one part, those that lack the largest parts first. */
export function* candidates(scenario: Scenario): Generator<Scenario> {
  const { buses } = scenario;
  const withBuses = (changed: readonly BusPart[]): Scenario => ({ ...scenario, buses: changed });
  for (const bus of buses) if (buses.length > 1) yield withBuses([bus]);
  if (scenario.packed) yield { ...scenario, packed: false };
  for (const smaller of without(buses)) if (smaller.length > 0) yield withBuses(smaller);
  for (const [i, bus] of buses.entries()) {
    for (const smaller of smallerBuses(bus)) yield withBuses(buses.with(i, smaller));
  }
}

function* without<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let i = list.length - 1; i >= 0; i--) yield list.toSpliced(i, 1);
}

function* smallerBuses(bus: BusPart): Generator<BusPart> {
  const { steps, clients, groups, settings } = bus;
  for (let half = steps.length >> 1; half > 1; half >>= 1) {
    yield { ...bus, steps: steps.slice(0, -half) };
    yield { ...bus, steps: steps.slice(half) };
  }
  for (const fewer of without(steps)) if (fewer.length > 0) yield { ...bus, steps: fewer };
  for (const { name } of clients) yield withoutClient(bus, name);
  for (const [i, step] of steps.entries()) {
    for (const smaller of smallerSteps(step)) yield { ...bus, steps: steps.with(i, smaller) };
  }
  for (const { name } of groups) yield withoutGroup(bus, name);
  for (const smaller of fewerKeys(settings)) yield { ...bus, settings: smaller };
  for (const [i, client] of clients.entries()) {
    for (const smaller of fewerKeys(client.settings, ['bus']))
      yield { ...bus, clients: clients.with(i, { ...client, settings: smaller }) };
  }
}

/** Removes a client and every step that names it. */
const withoutClient = (bus: BusPart, name: string): BusPart => ({
  ...bus,
  clients: bus.clients.filter((c) => c.name !== name),
  steps: bus.steps.filter((step) => !mentions(step, name)),
});

function withoutGroup(bus: BusPart, name: string): BusPart {
  const leave = ({ settings, ...client }: Part): Part => {
    const { groups, ...others } = settings;
    const left = ((groups ?? []) as readonly string[]).filter((group) => group !== name);
    return { ...client, settings: { ...others, ...(left.length > 0 && { groups: left }) } };
  };
  return {
    ...bus,
    groups: bus.groups.filter((g) => g.name !== name),
    clients: bus.clients.map(leave),
    steps: bus.steps.filter((step) => !mentions(step, name)),
  };
}

type Map = { readonly [key: string]: Written };

function* fewerKeys(map: Map, needed: readonly string[] = []): Generator<Map> {
  for (const key of Object.keys(map)) {
    if (needed.includes(key)) continue;
    const { [key]: _, ...others } = map;
    yield others;
  }
}

/** A parallel step without one branch, a branch without one step, a send without one of its keys. */
function* smallerSteps(step: Written): Generator<Written> {
  if (typeof step !== 'object') return;
  if (Array.isArray(step)) {
    for (const fewer of without(step as readonly Written[])) if (fewer.length > 0) yield fewer;
    for (const [i, each] of step.entries())
      for (const smaller of smallerSteps(each)) yield step.with(i, smaller);
  } else if ('parallel' in step) {
    const branches = step.parallel as readonly Written[];
    for (const branch of branches) if (!Array.isArray(branch)) yield branch;
    for (const fewer of without(branches)) if (fewer.length > 0) yield { parallel: fewer };
    for (const [i, each] of branches.entries())
      for (const smaller of smallerSteps(each)) yield { parallel: branches.with(i, smaller) };
  } else if ('send' in step) {
    for (const fewer of fewerKeys(step.send as Map, ['from', 'to'])) yield { send: fewer };
  }
}
