// SPDX-License-Identifier: MIT
/** Faults that are several steps of the simple kind: undone after a while, done to a whole node, a queue filled, a client started again. */
import { ENVELOPE_SIZE } from '../common/envelope.ts';
import { DEFAULT_QUEUE_LENGTH } from '../predict/index.ts';
import { busOfMaster, masterOf } from '../topology/lane.ts';
import type { ClientSpec, FaultStep, Step } from '../topology/topology.ts';
import { type Context, impossible, needClient, needMaster } from './fault-context.ts';
import { contextOf, resolveFault } from './faults.ts';
import { duration } from './scalars.ts';
import type { WrittenFault } from './schema-faults.ts';
import type { Scope } from './scope.ts';
import type { Where } from './sends.ts';

/** What a fault as written comes to. */
export function resolveFaults(where: Where, fault: WrittenFault): Step[] {
  const steps = compose(where, fault);
  const delay = fault.at === undefined ? undefined : duration(String(fault.at));
  const delayed = delay === undefined ? steps : steps.map((step) => later(step, delay));
  return fault.for === undefined ? delayed : [...delayed, ...undone(where, fault)];
}

function compose(where: Where, fault: WrittenFault): Step[] {
  if ('fill' in fault) return fill(where, String(fault.fill));
  if ('kill-node' in fault) return killNode(where, String(fault['kill-node']));
  if ('restart' in fault) return restart(where, String(fault.restart));
  const step = resolveFault(where, fault);
  return step === undefined ? [] : [step];
}

/** Whatever comes first of the step waits. */
function later(step: Step, at: number): Step {
  if (step.kind === 'fault') return { ...step, at };
  if (step.kind !== 'parallel') return step;
  return { ...step, branches: step.branches.map((branch) => branch.map((each) => later(each, at))) };
}

/** `for:`: the opposite, so much later. */
function undone(where: Where, fault: WrittenFault): Step[] {
  const { scope, id, path } = where;
  const opposite = oppositeOf(fault);
  if (opposite === undefined) {
    const limit = 'memory' in fault ? 'memory' : 'fds: unlimited';
    const verb = 'limit' in fault ? limit : Object.keys(fault)[0];
    const message = `\`${verb}\` cannot be undone, so it lasts for good`;
    const hint =
      'Remove `for`. What can be undone: pause, stop-reading, eavesdrop, add-address, del-address, add-match, remove-match, limit.';
    scope.problems.error([...path, 'fault', 'for'], { code: 'impossible', message, hint, onKey: true });
    return [];
  }
  // The fault itself has a mistake, which has been told.
  if (scope.problems.isBroken(path)) return [];
  const step = resolveFault({ ...where, id: `${id}.end` }, opposite);
  return step === undefined ? [] : [{ ...step, at: duration(String(fault.for)) }];
}

function oppositeOf(fault: WrittenFault): WrittenFault | undefined {
  const { address, rule } = fault;
  if ('pause' in fault) return { resume: fault.pause };
  if ('stop-reading' in fault) return { read: fault['stop-reading'] };
  if ('eavesdrop' in fault) return { eavesdrop: fault.eavesdrop, on: fault.on === false };
  if ('add-address' in fault) return { 'del-address': fault['add-address'], address };
  if ('del-address' in fault) return { 'add-address': fault['del-address'], address };
  if ('add-match' in fault) return { 'remove-match': fault['add-match'], rule };
  if ('remove-match' in fault) return { 'add-match': fault['remove-match'], rule };
  if ('limit' in fault && typeof fault.fds === 'number') return { limit: fault.limit, fds: 'unlimited' };
  return undefined;
}

/** The master sends until the queue is full: one message more than its length. What is there already comes off that. */
function fill(where: Where, target: string): Step[] {
  const { scope, world, id } = where;
  const context = contextOf(where, 'fill');
  const client = scope.incarnation(target);
  const state = needClient(context, client, 'attached');
  if (state === undefined) return [];
  if (needMaster(context, state.bus) === undefined) return [];
  if (state.reading && state.paused === undefined && !world.concurrent) {
    const hint = 'Give it `receive: manual`, or put - fault: { stop-reading: … } before it.';
    impossible(context, `"${target}" reads by itself, so its queue never fills`, hint);
    return [];
  }
  const { overflow, queueLength = DEFAULT_QUEUE_LENGTH } = scope.buses.get(state.bus) ?? {};
  if (overflow === 'evict') {
    impossible(context, `bus "${state.bus}" evicts whoever is full, so no queue stays full`);
    return [];
  }
  return [
    {
      kind: 'send',
      id,
      from: { kind: 'master', bus: state.bus, via: client },
      to: { kind: 'client', name: client },
      count: queueLength + 1,
      size: { min: ENVELOPE_SIZE, max: ENVELOPE_SIZE },
      fds: [],
      nonblocking: true,
      expect: {},
      place: scope.tree.place(where.path),
    },
  ];
}

/** All at once: a branch for each. */
function killNode(where: Where, node: string): Step[] {
  const { scope, world, id, path } = where;
  const context = contextOf(where, 'kill-node');
  const masters = [...scope.buses.values()].filter(({ master }) => master.node === node);
  const clients = [...scope.clients.values()].filter((client) => client.node === node);
  // A node that is made up has no name in the file, but whatever runs on it has.
  const madeUp = scope.written.nodes === undefined ? nodesOf(scope) : [];
  if (!madeUp.includes(node) && scope.names.find(node, ['node'], context.path, madeUp) === undefined)
    return [];
  const alive = [
    ...masters.filter(({ name }) => !isDead(world.master(name)?.gone?.how)).map(({ name }) => masterOf(name)),
    ...clients.filter(({ name }) => !isDead(world.client(name)?.gone?.how)).map(({ name }) => name),
  ];
  if (alive.length === 0) impossible(context, `nothing lives on node "${node}"`);
  const branches = alive.flatMap((party, n): FaultStep[][] => {
    const step = resolveFault({ ...where, id: `${id}.b${n + 1}.1` }, { kill: party });
    return step === undefined ? [] : [[step]];
  });
  return [{ kind: 'parallel', id, branches, place: scope.tree.place(path) }];
}

const nodesOf = ({ buses, clients }: Scope): string[] => [
  ...new Set([
    ...[...buses.values()].map(({ master }) => master.node),
    ...[...clients.values()].map(({ node }) => node),
  ]),
];

const isDead = (how: string | undefined): boolean => how === 'killed' || how === 'stopped';

/** The master is there and listens, so that somebody new can come. */
function letsOn(context: Context, bus: string): boolean {
  const master = needMaster(context, bus);
  if (master?.deaf !== undefined) {
    impossible(context, `bus "${bus}" takes no new clients since line ${master.deaf.line}`);
  } else if (master?.paused !== undefined) {
    const { line } = master.paused;
    impossible(context, `the master of bus "${bus}" is paused since line ${line}, and lets nobody on`);
  } else return master !== undefined;
  return false;
}

/**
 * The process is killed where it still runs, and another takes its place: to the bus that is another client, with a new
 * prefix-0 address, and its messages and sockets are told apart from those of the first.
 */
function restart(where: Where, target: string): Step[] {
  const { scope, world, id, path } = where;
  const context = contextOf(where, 'restart');
  if (busOfMaster(target) !== undefined) {
    const message = 'a master that starts again makes another bus at the same path, and nobody is on it';
    impossible(context, message, 'Kill it, and see what its clients do.');
    return [];
  }
  if (scope.names.find(target, ['client'], context.path) === undefined) return [];
  if (world.concurrent) {
    const message = 'a client starts again between steps, not while others play';
    impossible(context, message, 'Put the step before or behind `parallel`.');
    return [];
  }
  const before = scope.clients.get(scope.incarnation(target));
  const state = before && world.client(before.name);
  if (before === undefined || state === undefined) return [];
  if (!letsOn(context, before.bus) || lacksAddress(context, before)) return [];
  const kill = isDead(state.gone?.how)
    ? undefined
    : resolveFault({ ...where, id: `${id}.end` }, { kill: target });
  const place = scope.tree.place(path);
  const again: ClientSpec = { ...before, name: scope.startAgain(target), late: true };
  scope.clients.set(again.name, again);
  world.apply((later) => later.add(again));
  const start: FaultStep = { kind: 'fault', id, action: { fault: 'start', client: again.name }, place };
  return kill === undefined ? [start] : [kill, start];
}

/** An address of its own may be somebody else's by now. */
function lacksAddress(context: Context, { name, bus, addresses }: ClientSpec): boolean {
  const others = context.world.present(bus).filter((each) => each.name !== name);
  for (const address of addresses) {
    const holder = others.find((each) => each.addresses.has(address));
    if (holder === undefined) continue;
    const hint = `Put - fault: { del-address: ${holder.name}, address: "${address}" } before it.`;
    impossible(context, `${address}, which it gets when it starts, is held by "${holder.name}"`, hint);
    return true;
  }
  return false;
}
