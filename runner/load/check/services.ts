// SPDX-License-Identifier: MIT
/** Clients of message buses that their bus starts: whether it does so once, and before a step needs them. */
import { predictOperations } from '../../predict/index.ts';
import { startedByBus } from '../../topology/message-bus.ts';
import { areConcurrent, type Visit, walk } from '../../topology/steps.ts';
import type { Step, Topology } from '../../topology/topology.ts';
import { type Places, warnUnshown } from './places.ts';

/** Reports steps that need a client too early, that would start it twice, or beside which it would start. */
export function checkServices({ problems, paths }: Places, topology: Topology): void {
  if (topology.messageBuses === undefined) return;
  const { early, starts } = predictOperations(topology);
  const names = namesOf(topology);
  const services = servicesOf(topology);
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
  const started = new Map(starts.flatMap((each) => (each.client === undefined ? [] : [[each.step, each]])));
  const visits = [...walk(topology.steps)];
  for (const visit of visits) {
    const start = started.get(visit.step.id);
    if (start?.client === undefined) continue;
    const { client, name } = start;
    const meets = ({ step }: Visit) =>
      started.has(step.id) || isTouching(step, client, (to) => to !== name && services.get(to) === client);
    const other = visits.find((each) => areConcurrent(each, visit) && meets(each));
    if (other === undefined) continue;
    problems.error(paths.get(visit.step.id) ?? [], {
      code: 'impossible',
      message: `this starts "${client}" beside line ${other.step.place.line}, in another branch: either may come first`,
      hint: `Write - start: { client: …, name: ${name} } before the parallel step.`,
    });
  }
}

/** Whether a step ends in another way if it comes before the start of a client. `another`: names a service of it. */
function isTouching(step: Step, client: string, another: (name: string) => boolean): boolean {
  if (step.kind !== 'dbus') return false;
  const { action } = step;
  if (action.do === 'signal' || action.client === client) return true;
  return 'to' in action && action.to !== undefined && (action.to === client || another(action.to));
}

/** Reports clients that the bus never starts, and a limit of its starts if it has no services. */
export function checkStarted(places: Places, topology: Topology): void {
  const { problems } = places;
  const { buses } = topology.messageBuses ?? { buses: [] };
  if (buses.length === 0) return;
  const starting = new Set(buses.filter(({ services }) => services.length > 0).map(({ name }) => name));
  const isShown = (name: string) => starting.has(name);
  warnUnshown(places, buses, 'service_start_timeout', isShown, (name) => ({
    message: `nothing shows this limit: bus "${name}" starts no services`,
    hint: 'Give it one: services: { org.example.Player: player }; or remove the limit.',
  }));
  const started = new Set(predictOperations(topology).starts.map(({ client }) => client));
  const names = namesOf(topology);
  for (const client of startedByBus({ buses }))
    if (!started.has(client))
      problems.warning(['clients', client], {
        ...{ code: 'unused', message: `the bus never starts "${client}"`, onKey: true },
        hint: `Call ${names.get(client)}, or write - start: { client: …, name: ${names.get(client)} }.`,
      });
}

/** In ms: in less, a client that is started for its name may not have it yet, on a machine that is busy or emulated. */
const ENOUGH = 1000;

/** Warns of limits in which services start or not, as the machine is fast or slow. */
export function checkPatience({ problems }: Places, { messageBuses }: Topology): void {
  const { buses, clients } = messageBuses ?? { buses: [], clients: [] };
  const owners = new Map(clients.map(({ name, names }) => [name, names]));
  for (const { name: bus, limits, services } of buses) {
    if ((limits.service_start_timeout ?? ENOUGH) >= ENOUGH) continue;
    const hasName = (each: (typeof services)[number]) =>
      'client' in each && owners.get(each.client)?.includes(each.name);
    const service = services.find(hasName);
    if (service === undefined || !('client' in service)) continue;
    problems.warning(['buses', bus, 'master', 'limits', 'service_start_timeout'], {
      code: 'impossible',
      message: `"${service.client}" might not own ${service.name} in time: it first connects and adds its rules`,
      hint: 'Set the limit to 1s or more. If a service is late, its callers get TimedOut.',
    });
  }
}

/** Client → the first name that it is started for. */
const namesOf = (topology: Topology): ReadonlyMap<string, string> =>
  new Map([...servicesOf(topology)].toReversed().map(([name, client]) => [client, name]));

/** Name → the client that is started for it. */
function servicesOf({ messageBuses }: Topology): ReadonlyMap<string, string> {
  const services = messageBuses?.buses.flatMap((bus) => bus.services) ?? [];
  return new Map(services.flatMap((each) => ('client' in each ? [[each.name, each.client]] : [])));
}
