// SPDX-License-Identifier: MIT
/**
 * A plan in short: what runs where, what is sent, and what must come of it. It is the output of `plan --format json`.
 */

import { count } from '../common/text.ts';
import { type Expected, expectedOf, expectedText, type Plan } from '../plan/plan.ts';
import { faultText } from '../topology/faults.ts';
import { type Lane, masterOf, partyOf } from '../topology/lane.ts';
import { lengthsOf } from '../topology/message.ts';
import { type DbusStep, dbusText } from '../topology/message-bus.ts';
import { expectText, programText } from '../topology/program.ts';
import { flat } from '../topology/steps.ts';
import type { Destination, SendStep, Step } from '../topology/topology.ts';

export interface Overview {
  readonly schemaVersion: 1;
  readonly topology: string;
  readonly file: string;
  readonly description?: string;
  readonly nodes: readonly { readonly name: string; readonly processes: readonly Process[] }[];
  /** In file order; the steps of branches follow their `parallel`. */
  readonly steps: readonly StepView[];
  readonly totals: {
    readonly nodes: number;
    readonly processes: number;
    readonly messages: number;
    /** Sum over all messages, including envelopes. */
    readonly bytes: number;
    /** Copies that must arrive, and copies that may arrive as well. */
    readonly deliveries: { readonly must: number; readonly may: number };
    /** Calls and signals of clients of message buses. */
    readonly dbus: number;
  };
}

export interface Process {
  readonly name: string;
  readonly role: 'master' | 'client';
  readonly bus: string;
  /** `uid:gid` */
  readonly user: string;
  /** Agents of one pack share a process. */
  readonly pack?: string;
}

interface Common {
  readonly id: string;
  readonly line: number;
  /** The step in words. */
  readonly text: string;
}

export type StepView = Common &
  (SendView | DbusView | ProgramView | { readonly kind: Exclude<Step['kind'], 'send' | 'dbus' | 'program'> });

/** A step of a message bus. */
export interface DbusView {
  readonly kind: 'dbus';
  /** Messages that its client sends. */
  readonly count: number;
  /** What must come of each message, in words; empty if nothing is sent. */
  readonly must: string;
}

export interface ProgramView {
  readonly kind: 'program';
  /** What must come of it, in words; empty if nothing is expected. */
  readonly must: string;
}

export interface SendView {
  readonly kind: 'send';
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** Length of each message, including its envelope. */
  readonly bytes: { readonly min: number; readonly max: number };
  readonly fds: number;
  /** Numbers of descriptors that may arrive, for clients that may not have room for all. */
  readonly fdsAt?: Readonly<Record<Lane, readonly number[]>>;
  readonly nonblocking: boolean;
  /** Consecutive messages with the same expectation, grouped. */
  readonly expected: readonly Outcome[];
}

/** What must happen to `count` messages, beginning with message `first`, counted from 1. */
export interface Outcome {
  readonly first: number;
  readonly count: number;
  /** Empty if an error is expected. */
  readonly recipients: readonly Lane[];
  /** Lanes that may or may not get a copy. */
  readonly may: readonly Lane[];
  /** Errors with which the send may fail; it must fail if `recipients` and `may` are empty. */
  readonly errors: readonly string[];
  readonly mustFail: boolean;
  /** The rules of the contract from which the model derives this; absent if the file says it. */
  readonly because?: string;
}

export function overviewOf(plan: Plan): Overview {
  const { name, file, description, nodes, steps } = plan.topology;
  return {
    schemaVersion: 1,
    topology: name,
    file,
    ...(description === undefined ? {} : { description }),
    nodes: nodes.map((node) => ({
      name: node.name,
      processes: plan.agents
        .filter((agent) => agent.node === node.name)
        .map(({ name, role, bus, user, pack }) => ({
          name,
          role,
          bus,
          user: `${user.uid}:${user.gid}`,
          ...(pack === undefined ? {} : { pack }),
        })),
    })),
    steps: Array.from(flat(steps), (step) => viewOf(step, plan)),
    totals: {
      nodes: nodes.length,
      processes: new Set(plan.agents.map(({ name, pack }) => pack ?? name)).size,
      messages: plan.messages.length,
      bytes: sum(plan, ({ length }) => length),
      deliveries: {
        must: sum(plan, ({ expected }) => (expected.kind === 'delivered' ? expected.lanes.length : 0)),
        may: sum(plan, ({ expected }) => (expected.kind === 'delivered' ? (expected.may?.length ?? 0) : 0)),
      },
      dbus: plan.operations?.list.length ?? 0,
    },
  };
}

const sum = ({ messages }: Plan, of: (message: Plan['messages'][number]) => number): number =>
  messages.reduce((total, message) => total + of(message), 0);

function viewOf(step: Step, plan: Plan): StepView {
  const common = { id: step.id, line: step.place.line, text: inWords(step) };
  if (step.kind === 'send') return { ...common, ...sendView(step, plan) };
  if (step.kind === 'program') return { ...common, kind: step.kind, must: expectText(step.expect) };
  return { ...common, ...(step.kind === 'dbus' ? dbusView(step, plan) : { kind: step.kind }) };
}

function dbusView({ id, action }: DbusStep, { operations }: Plan): DbusView {
  const those = operations?.list.filter(({ step }) => step === id) ?? [];
  const expected = expectedOf(those.map((each) => each.expected));
  const heard = action.do === 'hears' ? action.heard.join(', then ') || 'nothing' : '';
  return { kind: 'dbus', count: those.length, must: expected ? expectedText(action, expected) : heard };
}

function sendView(step: SendStep, plan: Plan): SendView {
  const { first, count } = plan.messagesOf.get(step.id) ?? { first: 0, count: 0 };
  const messages = plan.messages.slice(first, first + count);
  return {
    kind: 'send',
    from: partyOf(step.from),
    to: destinationOf(step.to),
    count,
    bytes: lengthsOf(step),
    fds: step.fds.length,
    ...(messages[0]?.fdsAt && { fdsAt: Object.fromEntries(messages[0].fdsAt) }),
    nonblocking: step.nonblocking,
    expected: outcomes(messages.map(({ expected }) => expected)),
  };
}

function outcomes(expected: readonly Expected[]): Outcome[] {
  const runs: Outcome[] = [];
  expected.forEach((each, n) => {
    const last = runs.at(-1);
    // Messages with the same expectation usually share one object.
    const same = last !== undefined && (expected[n - 1] === each || keyOf(last) === keyOf(outcomeOf(each)));
    if (same) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ first: n + 1, count: 1, ...outcomeOf(each) });
  });
  return runs;
}

const keyOf = ({ recipients, may, errors, mustFail, because }: Omit<Outcome, 'first' | 'count'>): string =>
  JSON.stringify([recipients, may, errors, mustFail, because]);

function outcomeOf(expected: Expected): Omit<Outcome, 'first' | 'count'> {
  const { or = [], because } = expected;
  const why = because === undefined ? {} : { because };
  if (expected.kind === 'error')
    return { recipients: [], may: [], errors: [expected.errno, ...or], mustFail: true, ...why };
  return { recipients: expected.lanes, may: expected.may ?? [], errors: or, mustFail: false, ...why };
}

function inWords(step: Step): string {
  switch (step.kind) {
    case 'send':
      return `${partyOf(step.from)} -> ${destinationOf(step.to)}`;
    case 'parallel':
      return `parallel, ${count(step.branches.length, 'branch', 'branches')}`;
    case 'fault':
      return faultText(step.action);
    case 'blocked':
      return `expect ${step.client} ${step.blocked ? 'blocked' : 'not blocked'} within ${duration(step.within)}`;
    case 'dbus':
      return dbusText(step.action);
    case 'program':
      return programText(step);
    case 'hangup':
      return `expect ${step.client} to be hung up on within ${duration(step.within)}`;
  }
}

const duration = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`);

function destinationOf(to: Destination): string {
  if (to.kind === 'master') return masterOf(to.bus);
  return to.kind === 'address' ? to.address : to.name;
}
