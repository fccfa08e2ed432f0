// SPDX-License-Identifier: MIT
/** Steps of message buses, from their written form. */
import type { Path } from '../../../common/diagnostic.ts';
import { DRIVER, isWellKnown } from '../../../dbus/index.ts';
import {
  ALLOW_REPLACEMENT,
  type DbusAction,
  type DbusExpect,
  type DbusStep,
  DO_NOT_QUEUE,
  REPLACE_EXISTING,
  type RuleChange,
} from '../../../topology/message-bus.ts';
import { fdsOf } from '../bodies.ts';
import { argsOf } from '../dbus-args.ts';
import {
  DBUS_VERBS,
  type DbusVerb,
  type Scope,
  type WrittenDbusExpect,
  type WrittenDbusStep,
  type WrittenFault,
  type WrittenHears,
  type WrittenStep,
} from '../scope.ts';
import type { StepContext } from '../step-context.ts';
import { warnOfTwins } from '../twins.ts';
import { DBUS_CLIENT, isForClients, isPredicted } from './parties.ts';

type Content = NonNullable<WrittenDbusStep['signal']> | NonNullable<WrittenDbusStep['call']>;

export const isDbusStep = (written: WrittenStep): boolean =>
  Object.keys(written).some((key) => DBUS_VERBS.includes(key));

export function dbusStep(where: StepContext, written: WrittenDbusStep): DbusStep | undefined {
  const verb = Object.keys(written).find((key) => DBUS_VERBS.includes(key)) as DbusVerb;
  const action = actionOf(where, written, verb);
  if (action === undefined || !mayStand(where, action, verb)) return undefined;
  const { expect: said = {} } = written;
  const expect: DbusExpect = said === 'model' ? { model: true } : expectOf(where, said);
  return stepOf(where, action, expect);
}

/** `expect: { client, hears }` */
export function hearsStep(where: StepContext, { client, hears }: WrittenHears): DbusStep | undefined {
  const at = [...where.path, 'expect', 'client'];
  if (!isThere(where, client, at)) return undefined;
  const action = { do: 'hears', client, heard: hears } as const;
  return mayStand(where, action, 'expect') ? stepOf(where, action, {}) : undefined;
}

/** `expect: { client, hangup: true }` */
export function hangupStep(where: StepContext, client: string, within: number): DbusStep | undefined {
  const { scope, path } = where;
  const at = [...path, 'expect', 'client'];
  const action = { do: 'hangup', client, within } as const;
  if (!isThere(where, client, at) || !mayStand(where, action, 'expect')) return undefined;
  if (!scope.rested.has(client)) {
    const message = `nothing makes the bus cut "${client}" off: it has read all the time`;
    const hint = `Write - fault: { pause: ${client} }, signals for it, and - fault: { resume: ${client} } before it.`;
    scope.problems.error(at, { code: 'impossible', message, hint });
    return undefined;
  }
  scope.away.set(client, { how: 'cut off', path });
  return stepOf(where, action, {});
}

/** `fault: { kill: player }`, or `pause`, or `resume`. Reports an error for any other fault of such a client. */
export function faultStep(where: StepContext, fault: WrittenFault): DbusStep | undefined {
  const [verb, client] = faultOf(where, fault, ['kill', 'pause', 'resume']) ?? [];
  if (verb === undefined || client === undefined) return undefined;
  const { scope, path } = where;
  const at = [...path, 'fault', verb];
  const action = { do: verb, client };
  const isIt = verb === 'resume' ? isPaused(where, client, at) : isThere(where, client, at);
  if (!isIt || !mayStand(where, action, 'fault')) return undefined;
  if (verb === 'resume') {
    scope.away.delete(client);
    scope.rested.add(client);
  } else scope.away.set(client, { how: verb === 'kill' ? 'killed' : 'paused', path });
  return stepOf(where, action, {});
}

/** The fault and its client; reports an error for any fault that is not one of `known`. */
export function faultOf<const Verb extends string>(
  { scope, path }: StepContext,
  fault: WrittenFault,
  known: readonly Verb[],
): readonly [verb: Verb, client: string] | undefined {
  const [first = '', ...more] = Object.keys(fault);
  const verb = known.find((each) => each === first);
  if (verb !== undefined && more.length === 0) return [verb, String(fault[first])];
  const odd = more[0] ?? first;
  const message = `\`${odd}\` is not for clients of a message bus`;
  const hint =
    known.length > 1
      ? `The faults for them are ${known.map((each) => `{ ${each}: … }`).join(', ')}.`
      : `The only fault for a program is { ${known[0]}: … }.`;
  scope.problems.error([...path, 'fault', odd], { code: 'impossible', message, hint, onKey: true });
  return undefined;
}

/** After the last step: reports clients that are paused, since what they have not read is not judged. */
export function checkPaused({ away, problems }: Scope): void {
  for (const [client, { how, path }] of away) {
    if (how !== 'paused') continue;
    const message = `"${client}" stays paused to the end, so nothing shows what it receives`;
    const hint = `Write - fault: { resume: ${client} } after the last step for which it must be paused.`;
    problems.error([...path, 'fault'], { code: 'impossible', message, hint });
  }
}

function isPaused({ scope }: StepContext, client: string, at: Path): boolean {
  if (scope.names.find(client, [DBUS_CLIENT], at) === undefined) return false;
  if (scope.away.get(client)?.how === 'paused') return true;
  const message = `"${client}" is not paused`;
  scope.problems.error(at, { code: 'impossible', message, hint: 'Remove this step.' });
  return false;
}

/** Whether the fault concerns a client of a message bus. */
export const isAboutDbus = ({ names }: Scope, fault: WrittenFault): boolean =>
  Object.values(fault).some((value) => [DBUS_CLIENT, 'program'].includes(names.kindOf(String(value)) ?? ''));

function stepOf({ scope, id, path }: StepContext, action: DbusAction, expect: DbusExpect): DbusStep {
  return { kind: 'dbus', id, action, expect, place: scope.tree.place(path) };
}

function actionOf(where: StepContext, written: WrittenDbusStep, verb: DbusVerb): DbusAction | undefined {
  const { scope, path } = where;
  const at = (key: string): Path => [...path, verb, key];
  const { own, release, start, signal, call } = written;
  if (own) {
    const { client, name } = own;
    const flags = flagsOf(own);
    if (!isThere(where, client, at('client')) || !isForClients(scope, name, at('name'))) return undefined;
    return { do: 'own', client, name, flags };
  }
  if (release) {
    const { client, name } = release;
    if (!isThere(where, client, at('client')) || !isForClients(scope, name, at('name'))) return undefined;
    return { do: 'release', ...release };
  }
  if (start) {
    const { client, name } = start;
    if (!isThere(where, client, at('client')) || !isForClients(scope, name, at('name'))) return undefined;
    return { do: 'start', ...start };
  }
  if (signal) {
    const { from: client, to, count = 1 } = signal;
    const content = contentOf(scope, signal, [...path, verb]);
    if (!isThere(where, client, at('from')) || !mayReceive(where, to, client, at('to'))) return undefined;
    const fds = fdsOf(scope, signal, at);
    return { do: 'signal', client, content, count, fds, ...(to !== undefined && { to }) };
  }
  if (call) {
    const { from: client, to } = call;
    const content = contentOf(scope, call, [...path, verb]);
    if (!isThere(where, client, at('from')) || !mayReceive(where, to, client, at('to'))) return undefined;
    // A call of one that was killed fails at once; one that is paused never answers.
    if (scope.away.get(to)?.how === 'paused' && !isThere(where, to, at('to'))) return undefined;
    return { do: 'call', client, content, to, fds: fdsOf(scope, call, at) };
  }
  const change = verb as RuleChange['do'];
  const rule = written[change];
  if (rule === undefined || !isThere(where, rule.client, at('client'))) return undefined;
  return isPredicted(scope, rule.rule, at('rule')) ? { do: change, ...rule } : undefined;
}

function flagsOf(own: NonNullable<WrittenDbusStep['own']>): number {
  const { replace, queue } = own;
  const allow = own['allow-replacement'] ? ALLOW_REPLACEMENT : 0;
  return allow | (replace ? REPLACE_EXISTING : 0) | (queue === false ? DO_NOT_QUEUE : 0);
}

function contentOf(scope: Scope, written: Content, at: Path) {
  const { path, interface: iface, member } = written;
  return {
    path,
    ...(iface !== undefined && { interface: iface }),
    member,
    args: argsOf(scope.problems, written, written.fds?.length ?? 0, at),
  };
}

/** Reports an error if the client was killed, or is paused. */
function isThere({ scope }: StepContext, client: string, at: Path): boolean {
  if (scope.names.find(client, [DBUS_CLIENT], at) === undefined) return false;
  const away = scope.away.get(client);
  if (away === undefined) return true;
  const { line } = scope.tree.place(away.path);
  const [message, hint] =
    away.how !== 'paused'
      ? [`"${client}" was ${away.how} at line ${line}`, 'Put this before that step.']
      : [
          `"${client}" has been paused since line ${line}`,
          `Write - fault: { resume: ${client} } before this step.`,
        ];
  scope.problems.error(at, { code: 'impossible', message, hint });
  return false;
}

/** Reports an error unless the destination is a client of the same bus, or a well-known name. */
function mayReceive({ scope }: StepContext, to: string | undefined, from: string, at: Path): boolean {
  if (to === DRIVER) {
    const message = 'a step cannot call the bus itself';
    const hint = 'Write own, release, start, add-match or remove-match instead: these steps call it.';
    scope.problems.error(at, { code: 'impossible', message, hint });
    return false;
  }
  if (to === undefined || isWellKnown(to)) return true;
  if (scope.names.find(to, [DBUS_CLIENT], at) === undefined) return false;
  const [bus, other] = [from, to].map((name) => scope.dbusClients.get(name)?.bus);
  if (bus === other || bus === undefined || other === undefined) return true;
  const message = `"${to}" is on bus "${other}", the sender on "${bus}"`;
  scope.problems.error(at, { code: 'impossible', message, hint: 'Buses do not reach each other.' });
  return false;
}

/**
 * Reports steps in a branch that change which client gets what: their timing would decide, and nothing could be
 * expected.
 */
export function mayStand(
  { scope, parties, path }: StepContext,
  { do: verb }: { readonly do: string },
  key: string,
  why = 'which client gets what would depend on which branch is first',
): boolean {
  if (!parties.concurrent || verb === 'signal' || verb === 'call') return true;
  const message = `\`${verb}\` cannot be played in \`parallel\`: ${why}`;
  const hint = 'Put it before the parallel step, or after it.';
  scope.problems.error([...path, key], { code: 'impossible', message, hint, onKey: true });
  return false;
}

/** The model knows how many descriptors an answer has. */
const ANY_NUMBER = Number.POSITIVE_INFINITY;

function expectOf({ scope, path }: StepContext, written: WrittenDbusExpect): DbusExpect {
  const { result, error, reply, signature, by, recipients } = written;
  const at = [...path, 'expect'];
  if (error !== undefined && (reply !== undefined || result !== undefined)) {
    const message = 'a call is answered with a result or with an error';
    scope.problems.error([...at, 'error'], {
      code: 'impossible',
      message,
      hint: 'Remove one of them.',
      onKey: true,
    });
  }
  const isClient = (name: string, where: Path) => scope.names.find(name, [DBUS_CLIENT], where) !== undefined;
  if (by !== undefined) isClient(by, [...at, 'by']);
  if (recipients !== undefined) warnOfTwins(scope, recipients, [...at, 'recipients']);
  return {
    ...(result !== undefined && { result }),
    ...(error !== undefined && { error }),
    ...(reply !== undefined && {
      reply: argsOf(scope.problems, { signature, args: reply }, ANY_NUMBER, at, 'reply'),
    }),
    ...(by !== undefined && { by }),
    ...(recipients !== undefined && {
      recipients: [...new Set(recipients)].filter((name, n) => isClient(name, [...at, 'recipients', n])),
    }),
  };
}
