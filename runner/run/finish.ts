// SPDX-License-Identifier: MIT
/** After the last step: all parties read what is left, pipes are read, and the agents end or are left running. */

import { wallClock } from '../common/clock.ts';
import type { Operation } from '../plan/plan.ts';
import type { Lab } from '../provision/lab.ts';
import { masterOf, partyOf } from '../topology/lane.ts';
import type { RunContext } from './context.ts';
import type { Settler } from './settle.ts';

/** An upper limit that a correct bus never needs: everything that keeps a pipe open is closed by then. */
const PIPES_MS = 2000;
/** More than the time that nodes give their agents to end. */
const SALVAGE_MS = 4000;
/** Longer than a sender needs to continue when there is room. */
const WAKE_MS = 2000;
const LOOK_MS = 50;
/** Enough for several rounds of reading on a slow machine. */
const READ_OUT_MS = 20_000;

/**
 * Continues paused processes, and lets clients read that did not: messages in a queue were delivered, and must be seen
 * to be judged.
 */
export async function readLeftOvers(context: RunContext, settler: Settler): Promise<void> {
  const { agents, parties } = context;
  for (const bus of parties.buses.values()) {
    if (!bus.paused) continue;
    bus.paused = false;
    await resume(context, masterOf(bus.spec.name));
  }
  for (const client of parties.clients()) {
    if (client.paused) await resume(context, client.spec.name);
    client.paused = false;
    if (client.address === null || !agents.alive(client.spec.name)) continue;
    // Readers are settled with their bus below, unless they are not on one any more.
    if (client.reading && !client.ended) continue;
    const { name } = client.spec;
    const what = `${name} to read what is left`;
    const order = { do: 'read', client: name, count: 'all' } as const;
    await agents.call(name, client.reading ? { do: 'drain' } : order, { what });
    client.reading = true;
  }
  await settler.whole();
}

const resume = ({ agents }: RunContext, agent: string) =>
  agents.signal(agent, 'SIGCONT', { what: `${agent} to go on` });

/**
 * After an error: all parties read until nothing more comes and no sender waits, or the waiting ones have had time to
 * continue. A message that is missing then was lost, and a sender that still waits was not woken.
 */
export async function readOut(context: RunContext, { clock }: Lab): Promise<void> {
  const { agents, collector } = context;
  const what = (agent: string) => ({ what: `${agent} to read all it has` });
  await allRead(context);
  let movedAt = clock.now();
  for (;;) {
    const before = collector.movements;
    await Promise.all(agents.callAll(readers(context), { do: 'drain' }, what));
    if (collector.movements !== before) movedAt = clock.now();
    else if (collector.waiting().length === 0 || clock.now() - movedAt >= WAKE_MS) return;
    await agents.waits.sleep(clock, LOOK_MS, { what: 'senders to go on' });
  }
}

/** Continues each client and master that lives, and lets it read by itself. */
async function allRead(context: RunContext): Promise<void> {
  const { agents, parties } = context;
  const paused = [
    ...[...parties.buses.values()].filter((b) => b.paused).map((b) => masterOf(b.spec.name)),
    ...[...parties.clients()].filter((c) => c.paused).map((c) => c.spec.name),
  ];
  await Promise.all(paused.map((agent) => resume(context, agent)));
  const clients = [...parties.clients()].filter((c) => c.address !== null && agents.alive(c.spec.name));
  await Promise.all(
    clients.map(({ spec: { name } }) =>
      agents.call(name, { do: 'read', client: name, count: 'all' }, { what: `${name} to read what is left` }),
    ),
  );
}

/** The agents that have sockets to read. */
function readers({ agents, parties }: RunContext): readonly string[] {
  const masters = [...parties.buses.values()].filter((b) => !b.left).map((b) => masterOf(b.spec.name));
  const clients = [...parties.clients()].filter((c) => c.address !== null).map((c) => c.spec.name);
  return [...masters, ...clients].filter((agent) => agents.alive(agent));
}

/** Every agent that made pipes reports what receivers wrote to them. */
export async function collectPipes({ plan, agents }: RunContext): Promise<void> {
  const makers = new Set([
    ...plan.messages.filter(({ fds }) => fds > 0).map(({ from }) => partyOf(from)),
    ...(plan.operations?.list ?? []).flatMap((operation) => passedBy(operation)),
  ]);
  await Promise.all(
    [...makers].map((agent) =>
      agents.call(agent, { do: 'collect-pipes', within: PIPES_MS }, { what: `the pipes of ${agent} to end` }),
    ),
  );
}

/** The clients that make descriptors for a message, or for the answer to it. */
function passedBy({ client, fds, back, modelled: { by } }: Operation): string[] {
  const answers = back.are === 'new' && back.fds > 0 && by !== undefined;
  return [...(fds > 0 ? [client] : []), ...(answers ? [by] : [])];
}

/** Ends every agent. The last node that answers counts sockets when no agent of the run is left. */
export async function endAgents({ agents, collector }: RunContext, lab: Lab): Promise<void> {
  agents.expectEnds();
  const ended = Array.from(lab.nodes.values(), (node) => {
    const answer = agents.waits.add(
      { who: node.name, answer: 'ended' },
      { what: `node ${node.name} to end` },
    );
    node.tell({ do: 'end' });
    return answer;
  });
  const counts = (await Promise.all(ended)).map((e) => e.socketsLeft ?? null);
  // All nodes are in one network namespace, where the number of sockets only falls: the lowest count is the last.
  collector.socketsLeft = counts.includes(null) ? null : Math.min(...(counts as number[]));
}

/**
 * After an error that does not mean that the lab is broken: messages in the queues and lines in the kernel's log help
 * to explain the error, if the nodes still answer.
 */
export async function salvage(context: RunContext, lab: Lab): Promise<void> {
  context.agents.waits.reopen();
  context.collector.cutAt = context.collector.now;
  if (await within(lab, READ_OUT_MS, readOut(context, lab))) context.collector.seal();
  await within(lab, SALVAGE_MS, endAgents(context, lab));
}

/**
 * Whether the work was done within `ms`. That time is also limited on the machine's clock, because a simulated clock
 * hardly advances while there is much to simulate. It is decided here, since an agent that has been ended owes no
 * answer later.
 */
async function within({ clock }: Lab, ms: number, work: Promise<void>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timers = [clock, wallClock].map((each) => each.after(ms, () => resolve(false)));
  work.then(
    () => resolve(true),
    () => resolve(false),
  );
  const done = await promise;
  for (const forget of timers) forget();
  return done;
}

/** Leaves the agents running; they report no more. */
export async function leaveAgents({ agents }: RunContext, lab: Lab): Promise<void> {
  const left = Array.from(lab.nodes.values(), (node) => {
    const answer = agents.waits.add(
      { who: node.name, answer: 'detached' },
      { what: `node ${node.name} to detach` },
    );
    node.tell({ do: 'detach' });
    return answer;
  });
  await Promise.all(left);
}
