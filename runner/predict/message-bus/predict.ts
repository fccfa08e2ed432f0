// SPDX-License-Identifier: MIT
/** Finds the messages that clients of message buses send, and what must come of each according to the model. Pure. */
import { startedByBus } from '../../topology/message-bus.ts';
import { walk } from '../../topology/steps.ts';
import type { Topology } from '../../topology/topology.ts';
import type { Operations } from './operation.ts';
import { Walk } from './walk.ts';

export function predictOperations(topology: Topology): Operations {
  const walker = new Walk(topology);
  const { clients = [], buses = [] } = topology.messageBuses ?? {};
  const late = startedByBus({ buses });
  for (const client of clients) if (!late.has(client.name)) walker.arrive(client, -1);
  for (const visit of walk(topology.steps)) walker.step(visit);
  const list = walker.finish();
  const { heard, sleepers, uses, starts, early } = walker;
  return { list, heard: heard.all, since: heard.since, uses, waiting: sleepers.waiting, starts, early };
}
