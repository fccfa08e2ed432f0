// SPDX-License-Identifier: MIT
/** Clients of message buses that their bus starts: whether it does so once, and before a step needs them. */
import { predictOperations } from '../../predict/index.ts';
import { startedByBus } from '../../topology/message-bus.ts';
import { areConcurrent, flat, walk } from '../../topology/steps.ts';
import type { Topology } from '../../topology/topology.ts';
import type { Places } from './places.ts';

/** Reports steps that need a client too early, that would start it twice, or beside which it would start. */
export function checkServices({ problems, paths }: Places, topology: Topology): void {
  if (topology.messageBuses === undefined) return;
  const { early, starts } = predictOperations(topology);
  const names = namesOf(topology);
  for (const { step, client } of early)
    problems.error(paths.get(step) ?? [], {
      code: 'impossible',
      message: `"${client}" is not on its bus yet: the bus starts it when somebody needs ${names.get(client)}`,
      hint: `Call ${names.get(client)}, or write - start: { client: …, name: ${names.get(client)} }, before this step.`,
    });
  for (const { step, name, client, again } of starts)
    if (again)
      problems.error(paths.get(step) ?? [], {
        code: 'impossible',
        message: `nobody owns ${name}, so the bus would start "${client}" a second time; a client starts once`,
        hint: `Let "${client}" keep the name, or let another client own it before this step.`,
      });
  const started = new Map(starts.map((each) => [each.step, each]));
  const visits = [...walk(topology.steps)];
  const signals = visits.filter(({ step }) => step.kind === 'dbus' && step.action.do === 'signal');
  for (const visit of visits) {
    const start = started.get(visit.step.id);
    if (start?.client === undefined || !signals.some((each) => areConcurrent(each, visit))) continue;
    problems.error(paths.get(visit.step.id) ?? [], {
      code: 'impossible',
      message: `this starts "${start.client}" beside a signal of another branch, which it may be in time for or not`,
      hint: `Write - start: { client: …, name: ${start.name} } before the parallel step.`,
    });
  }
}

/** Reports clients that the bus never starts. */
export function checkStarted({ problems }: Places, topology: Topology): void {
  const { buses } = topology.messageBuses ?? { buses: [] };
  // What programs call is in no model.
  const programs = [...flat(topology.steps)].some(({ kind }) => kind === 'program');
  if (programs || buses.length === 0) return;
  const started = new Set(predictOperations(topology).starts.map(({ client }) => client));
  const names = namesOf(topology);
  for (const client of startedByBus({ buses }))
    if (!started.has(client))
      problems.warning(['clients', client], {
        ...{ code: 'unused', message: `the bus never starts "${client}"`, onKey: true },
        hint: `Call ${names.get(client)}, or write - start: { client: …, name: ${names.get(client)} }.`,
      });
}

/** Client → the first name that it is started for. */
function namesOf({ messageBuses }: Topology): ReadonlyMap<string, string> {
  const services = messageBuses?.buses.flatMap((bus) => bus.services) ?? [];
  return new Map(
    services.toReversed().flatMap((each) => ('client' in each ? [[each.client, each.name]] : [])),
  );
}
