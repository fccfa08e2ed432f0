// SPDX-License-Identifier: MIT
/** After the last step: everyone reads what is left, pipes are read out, and the agents end or are left to themselves. */

import { wallClock } from '../common/clock.ts';
import type { Lab } from '../provision/lab.ts';
import { masterOf, partyOf } from '../topology/lane.ts';
import type { RunContext } from './context.ts';
import type { Settler } from './settle.ts';

/** An upper limit that a sound bus never needs: what holds a pipe open is closed by then. */
const PIPES_MS = 2000;
/** The nodes' own grace for their agents, and some. */
const SALVAGE_MS = 4000;
/** Longer than any sender needs to go on when there is room. */
const WAKE_MS = 2000;
const LOOK_MS = 50;
/** Some rounds of reading, on a slow machine. */
const READ_OUT_MS = 20_000;

/**
 * Paused processes go on, and clients that did not read do: what is in a queue was delivered, and has to be seen to be
 * judged.
 */
export async function readLeftOvers(stage: RunContext, settler: Settler): Promise<void> {
  const { agents, parties } = stage;
  for (const bus of parties.buses.values()) {
    if (!bus.paused) continue;
    bus.paused = false;
    await resume(stage, masterOf(bus.spec.name));
  }
  for (const client of parties.clients()) {
    if (client.paused) await resume(stage, client.spec.name);
    client.paused = false;
    if (client.address === null || !agents.alive(client.spec.name)) continue;
    // A reader is settled with its bus below, unless it is on none any more.
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
 * After an error: everyone reads until nothing moves any more and no sender waits, or those who wait have had time to go
 * on. What is missing then was lost, and a sender that waits still has not been woken.
 */
export async function readOut(stage: RunContext, { clock }: Lab): Promise<void> {
  const { agents, collector } = stage;
  const what = (agent: string) => ({ what: `${agent} to read all it has` });
  await allRead(stage);
  let movedAt = clock.now();
  for (;;) {
    const before = collector.movements;
    await Promise.all(agents.callAll(readers(stage), { do: 'drain' }, what));
    if (collector.movements !== before) movedAt = clock.now();
    else if (collector.waiting().length === 0 || clock.now() - movedAt >= WAKE_MS) return;
    await agents.waits.sleep(clock, LOOK_MS, { what: 'senders to go on' });
  }
}

/** Each client and master that lives goes on and reads by itself. */
async function allRead(stage: RunContext): Promise<void> {
  const { agents, parties } = stage;
  const paused = [
    ...[...parties.buses.values()].filter((b) => b.paused).map((b) => masterOf(b.spec.name)),
    ...[...parties.clients()].filter((c) => c.paused).map((c) => c.spec.name),
  ];
  await Promise.all(paused.map((agent) => resume(stage, agent)));
  const clients = [...parties.clients()].filter((c) => c.address !== null && agents.alive(c.spec.name));
  await Promise.all(
    clients.map(({ spec: { name } }) =>
      agents.call(name, { do: 'read', client: name, count: 'all' }, { what: `${name} to read what is left` }),
    ),
  );
}

/** Those that have sockets to read. */
function readers({ agents, parties }: RunContext): readonly string[] {
  const masters = [...parties.buses.values()].filter((b) => !b.left).map((b) => masterOf(b.spec.name));
  const clients = [...parties.clients()].filter((c) => c.address !== null).map((c) => c.spec.name);
  return [...masters, ...clients].filter((agent) => agents.alive(agent));
}

/** Every agent that made pipes tells what came out of them. */
export async function collectPipes({ plan, agents }: RunContext): Promise<void> {
  const makers = new Set(plan.messages.filter((m) => m.fds > 0).map(({ from }) => partyOf(from)));
  await Promise.all(
    [...makers].map((agent) =>
      agents.call(agent, { do: 'collect-pipes', within: PIPES_MS }, { what: `the pipes of ${agent} to end` }),
    ),
  );
}

/** Ends every agent; the last node to answer counts sockets when no agent of the run is left. */
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
  // Sockets only become fewer here, and all nodes are in one network namespace: the least is the last.
  collector.socketsLeft = counts.includes(null) ? null : Math.min(...(counts as number[]));
}

/**
 * After an error that says nothing of the lab: what is in the queues and in the kernel log belongs to the story, if the
 * nodes still answer.
 */
export async function salvage(stage: RunContext, lab: Lab): Promise<void> {
  stage.agents.waits.reopen();
  stage.collector.cutAt = stage.collector.now;
  if (await within(lab, READ_OUT_MS, readOut(stage, lab))) stage.collector.seal();
  await within(lab, SALVAGE_MS, endAgents(stage, lab));
}

/**
 * Whether it was done by then, on the machine's clock as well: a simulated one hardly moves while there is much to
 * simulate. Later it may seem to be done: an agent that has been ended owes no answer.
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

/** Leaves the agents running, unreported. */
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
