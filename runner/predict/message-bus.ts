// SPDX-License-Identifier: MIT
/** Finds the messages that clients of message buses send, and what must come of each according to the model. Pure. */

import { DEFAULT_LIMITS } from '../../daemon/driver/limits.ts';
import type { Arg, DbusMessage } from '../dbus/index.ts';
import { DRIVER, forwarded, marshal, readHeader, uniqueName } from '../dbus/index.ts';
import { type Heard, MessageBus, type RuleUse } from '../model/index.ts';
import {
  type Answer,
  argsText,
  type BusLimits,
  type DbusAction,
  type DbusClientSpec,
  type DbusExpect,
  dbusText,
  heardText,
  RELEASE_RESULTS,
  REQUEST_RESULTS,
  type RuleChange,
  type ServiceSpec,
  START_RESULTS,
  startedByBus,
} from '../topology/message-bus.ts';
import { mayBeCutOff, type Sleep, sleepsIn } from '../topology/sleeps.ts';
import { type Visit, walk } from '../topology/steps.ts';
import type { Place, Topology } from '../topology/topology.ts';
import { Sleeper, type Waiting } from './sleeper.ts';

/** What must come of a message. */
export interface DbusExpected {
  /**
   * `sent`: a signal, which nobody answers, except for one to a name without an owner. Texts are those of `argsText`.
   */
  readonly outcome:
    | { readonly kind: 'sent' }
    | { readonly kind: 'reply'; readonly args: string }
    | { readonly kind: 'error'; readonly name: string };
  /** Who answers: a client, or `org.freedesktop.DBus`; absent if nobody does, or anybody may. */
  readonly by?: string;
  /** Clients that get the message itself, once each. */
  readonly recipients: readonly string[];
  /** Clients that get it unless the bus has cut them off by then; absent if there are none. */
  readonly may?: readonly string[];
}

/** A message that is sent. Its serial is its number plus 1, by which receivers identify it. */
export interface Operation {
  readonly number: number;
  /** The step's id; absent for what a client does when it connects. */
  readonly step?: string;
  /** Index of its top-level step; -1 before the first step. */
  readonly top: number;
  readonly bus: string;
  readonly client: string;
  /** The name in reports. */
  readonly name: string;
  readonly place: Place;
  /** The message without its destination. That is in `to`: a client, a well-known name, or the bus. */
  readonly message: Pick<DbusMessage, 'type' | 'path' | 'interface' | 'member' | 'args'>;
  readonly to?: string;
  /** How many descriptors go with it. */
  readonly fds: number;
  /** How many come with the answer: those of the call, or new ones. */
  readonly back: Back;
  /** What the model predicts. */
  readonly modelled: DbusExpected;
  /** What the file says, else what the model predicts. */
  readonly expected: DbusExpected;
}

export interface Back {
  readonly fds: number;
  readonly are: 'of the call' | 'new';
}

/** A signal of the bus to a client about a name, as text. */
export interface HeardAt {
  /** The last step in which it may come. */
  readonly top: number;
  /** The first one. */
  readonly since: number;
  readonly text: string;
}

/** A rule that a client adds or removes, and whether it serves any purpose. */
export interface RuleStep {
  readonly verb: RuleChange['do'];
  readonly client: string;
  readonly text: string;
  readonly use: RuleUse;
  /** The step's id; absent for a rule that the client adds when it connects, which `nth` counts. */
  readonly step?: string;
  readonly nth?: number;
}

/** A step that makes the bus start a service. */
export interface Start {
  /** The step's id. */
  readonly step: string;
  /** Index of its top-level step. */
  readonly top: number;
  readonly name: string;
  /** The client that connects; absent if the service is a program that ends. */
  readonly client?: string;
  /** Whether that client was started before. It starts once. */
  readonly again: boolean;
  /** How long the bus waits until the name has an owner, in ms. */
  readonly within: number;
}

/** A step about a client that its bus has not started by then. */
export interface Early {
  readonly step: string;
  readonly client: string;
}

export interface Operations {
  readonly list: readonly Operation[];
  /** Client → the signals of the bus to it, in order. */
  readonly heard: ReadonlyMap<string, readonly HeardAt[]>;
  /** Id of a `hears` step → the signals since the client's last `hears` step. */
  readonly since: ReadonlyMap<string, readonly string[]>;
  readonly uses: readonly RuleStep[];
  readonly starts: readonly Start[];
  readonly early: readonly Early[];
  /** Id of the step that pauses a client → what waits for the client when it goes on. */
  readonly waiting: ReadonlyMap<string, Waiting>;
}

/** A message before it is known for which sleeping clients there is room. */
interface Draft extends Omit<Operation, 'expected'> {
  readonly action: DbusAction;
  readonly expect: DbusExpect;
  /** Recipients that are cut off in this sleep, at some moment. */
  readonly asleep: readonly string[];
}

const ERROR = 'org.freedesktop.DBus.Error.';
const DRIVER_PATH = '/org/freedesktop/DBus';

export function predictOperations(topology: Topology): Operations {
  const walker = new Walk(topology);
  const { clients = [], buses = [] } = topology.messageBuses ?? {};
  const late = startedByBus({ buses });
  for (const client of clients) if (!late.has(client.name)) walker.arrive(client, -1);
  for (const visit of walk(topology.steps)) walker.step(visit);
  const { heard, since, uses, waiting, starts, early } = walker;
  return { list: walker.finish(), heard, since, uses, waiting, starts, early };
}

/** What must come of all messages of a step. */
export function expectedOf(all: readonly DbusExpected[]): DbusExpected | undefined {
  const [first] = all;
  if (first === undefined || all.length === 1) return first;
  const recipients = first.recipients.filter((name) => all.every((each) => each.recipients.includes(name)));
  const others = new Set(all.flatMap((each) => [...each.recipients, ...(each.may ?? [])]));
  const may = [...others].filter((name) => !recipients.includes(name));
  const { outcome, by } = first;
  return { outcome, ...(by !== undefined && { by }), recipients, ...(may.length > 0 && { may }) };
}

const string = (value: string): Arg => ({ type: 's', value });

const toBus = (member: string, args: readonly Arg[]): Operation['message'] => ({
  ...{ type: 'method_call', path: DRIVER_PATH, interface: DRIVER, member, args },
});

class Walk {
  readonly #drafts: Draft[] = [];
  readonly heard = new Map<string, HeardAt[]>();
  readonly since = new Map<string, readonly string[]>();
  readonly uses: RuleStep[] = [];
  readonly starts: Start[] = [];
  readonly early: Early[] = [];
  readonly #clients: ReadonlyMap<string, DbusClientSpec>;
  readonly #buses: ReadonlyMap<string, MessageBus>;
  /** Client → number of its signals that `hears` steps have covered. */
  readonly #looked = new Map<string, number>();

  readonly #sleeps: readonly Sleep[];
  readonly #limits: ReadonlyMap<string, BusLimits>;
  /** Bus → name → its service. */
  readonly #services: ReadonlyMap<string, ReadonlyMap<string, ServiceSpec>>;
  readonly #uniques = new Map<string, string>();
  readonly waiting = new Map<string, Waiting>();
  /** The clients that are paused now. */
  readonly #asleep = new Map<string, Sleeper>();
  /** Client and number of each message for which there may be no room. */
  readonly #unsure = new Set<string>();

  constructor({ messageBuses, steps }: Topology) {
    this.#sleeps = sleepsIn(steps);
    this.#limits = new Map(messageBuses?.buses.map(({ name, limits }) => [name, limits]));
    this.#services = new Map(
      messageBuses?.buses.map(({ name, services }) => [
        name,
        new Map(services.map((each) => [each.name, each])),
      ]),
    );
    this.#clients = new Map(messageBuses?.clients.map((client) => [client.name, client]));
    this.#buses = new Map(messageBuses?.buses.map(({ name }) => [name, new MessageBus()]));
  }

  /** It connects in this top-level step, or (-1) before the first one. */
  arrive({ name, bus, match, names, place }: DbusClientSpec, top: number): void {
    this.heard.set(name, []);
    const before = [...this.#uniques.keys()].filter((each) => this.#client(each).bus === bus).length;
    this.#uniques.set(name, uniqueName(`0000/${(before + 1).toString(16).padStart(12, '0')}`));
    const where = { top, place };
    this.#hear(where.top, this.#bus(bus).join(name));
    for (const [nth, rule] of match.entries())
      this.#act({ do: 'add-match', client: name, rule }, { ...where, nth });
    for (const each of names) this.#act({ do: 'own', client: name, name: each, flags: 0 }, where);
  }

  step({ step, top, trail }: Visit): void {
    if (step.kind !== 'dbus') return;
    const { action, id, expect, place } = step;
    this.#act(action, { top, step: id, expect, place, concurrent: trail.size > 0 });
  }

  finish(): readonly Operation[] {
    return this.#drafts.map(({ action, expect, asleep, ...draft }): Operation => {
      const isUnsure = (name: string) => asleep.includes(name) && this.#unsure.has(`${name} ${draft.number}`);
      const may = draft.modelled.recipients.filter(isUnsure);
      const recipients = draft.modelled.recipients.filter((name) => !isUnsure(name));
      const modelled = may.length > 0 ? { ...draft.modelled, recipients, may } : draft.modelled;
      return { ...draft, modelled, expected: written(action, expect, modelled, asleep) };
    });
  }

  #act(action: DbusAction, where: Where): void {
    const early = this.#notStarted(action);
    if (early !== undefined) {
      this.early.push({ step: where.step ?? '', client: early });
      return;
    }
    const bus = this.#bus(this.#client(action.client).bus);
    switch (action.do) {
      case 'own': {
        const { result, heard } = bus.request(action.client, action.name, action.flags);
        this.#hear(where.top, heard);
        const args = [string(action.name), { type: 'u', value: action.flags }];
        this.#ask(action, where, toBus('RequestName', args), returns(result));
        break;
      }
      case 'release': {
        const { result, heard } = bus.release(action.client, action.name);
        this.#hear(where.top, heard);
        this.#ask(action, where, toBus('ReleaseName', [string(action.name)]), returns(result));
        break;
      }
      case 'start': {
        const wasRunning = bus.ownerOf(action.name) !== undefined;
        const failure = this.#services.get(this.#client(action.client).bus)?.has(action.name)
          ? this.#start(action.name, action, where)
          : UNKNOWN;
        const args = [string(action.name), { type: 'u', value: 0 }];
        const outcome = failure?.outcome ?? returns(wasRunning ? 2 : 1);
        this.#ask(action, where, toBus('StartServiceByName', args), outcome);
        break;
      }
      case 'add-match':
        this.#use(action, where, bus.addRule(action.client, action.rule));
        this.#ask(action, where, toBus('AddMatch', [string(action.rule)]), NOTHING);
        break;
      case 'remove-match': {
        const had = bus.removeRule(action.client, action.rule);
        if (had) this.#use(action, where, had);
        const outcome = had ? NOTHING : fails('MatchRuleNotFound');
        this.#ask(action, where, toBus('RemoveMatch', [string(action.rule)]), outcome);
        break;
      }
      case 'signal':
        this.#signal(action, where, bus);
        break;
      case 'call':
        this.#call(action, where, bus);
        break;
      case 'kill':
        this.#hear(where.top, bus.leave(action.client));
        break;
      case 'pause':
        this.#pause(action.client, where.step);
        break;
      case 'resume':
        this.#resume(action.client);
        break;
      case 'hangup':
        this.#cutOff(action.client, where, bus);
        break;
      case 'hears':
        this.#look(action.client, where);
        break;
    }
  }

  #use(action: RuleChange, { step, nth }: Where, use: RuleUse): void {
    const { do: verb, client, rule: text } = action;
    const which = { ...(step !== undefined && { step }), ...(nth !== undefined && { nth }) };
    this.uses.push({ verb, client, text, use, ...which });
  }

  #ask(action: DbusAction, where: Where, message: Operation['message'], outcome: Outcome): void {
    this.#add(action, where, message, { outcome, by: DRIVER, recipients: [] }, DRIVER);
  }

  #signal(action: DbusAction & { do: 'signal' }, where: Where, bus: MessageBus): void {
    const { content, client, count, to } = action;
    const message = { type: 'signal', ...content } as const;
    const failure = to === undefined ? undefined : this.#start(to, action, where);
    const owner = to === undefined ? undefined : this.#holder(bus, to);
    const addressed = owner === undefined ? [] : [owner];
    const recipients = to === undefined ? bus.receivers(client, message) : addressed;
    const lost = to !== undefined && owner === undefined;
    const modelled: DbusExpected = lost ? (failure ?? UNKNOWN) : { outcome: { kind: 'sent' }, recipients };
    const asleep = recipients.filter((name) => mayBeCutOff(this.#sleeps, name, where.top));
    const sleepers = recipients.flatMap((name) => this.#asleep.get(name) ?? []);
    const bytes = sleepers.length > 0 ? this.#lengthOf(action, message) : 0;
    const { top, concurrent = false } = where;
    for (let n = 0; n < count; n++) {
      const number = this.#drafts.length;
      for (const sleeper of sleepers) sleeper.add({ top, number, bytes, concurrent });
      for (const name of asleep) if (!this.#asleep.has(name)) this.#unsure.add(`${name} ${number}`);
      this.#add(action, where, message, modelled, to, { nth: count > 1 ? n + 1 : 0, asleep });
    }
  }

  /** As the bus passes it on. */
  #lengthOf({ client, to, fds }: DbusAction & { do: 'signal' }, message: Operation['message']): number {
    const destination = to !== undefined && { destination: this.#uniques.get(to) ?? to };
    const unixFds = fds.length > 0 && { unixFds: fds.length };
    const bytes = marshal({ ...message, ...destination, ...unixFds, endian: 'little' }, 1);
    const pieces = forwarded(bytes, readHeader(bytes), this.#uniques.get(client) ?? '');
    return pieces.reduce((sum, { length }) => sum + length, 0);
  }

  #pause(client: string, step: string | undefined): void {
    const sleep = this.#sleeps.find(({ pause }) => pause.id === step);
    const { bus, connect } = this.#client(client);
    if (sleep)
      this.#asleep.set(client, new Sleeper(sleep, connect, this.#limits.get(bus)?.max_outgoing_bytes));
  }

  /** It reads what waits for it; if it was cut off, that is what there was room for. */
  #resume(client: string): void {
    const sleeper = this.#asleep.get(client);
    if (sleeper === undefined) return;
    this.#asleep.delete(client);
    this.waiting.set(sleeper.sleep.pause.id, sleeper.waiting);
    if (sleeper.sleep.hangup) for (const number of sleeper.unsure) this.#unsure.add(`${client} ${number}`);
  }

  #call(action: DbusAction & { do: 'call' }, where: Where, bus: MessageBus): void {
    const { content, to } = action;
    const message = { type: 'method_call', ...content } as const;
    const failure = this.#start(to, action, where);
    const callee = this.#holder(bus, to);
    if (callee === undefined) {
      this.#add(action, where, message, failure ?? UNKNOWN, to);
      return;
    }
    const { answers } = this.#client(callee);
    const answer = Object.hasOwn(answers, content.member) ? answers[content.member] : undefined;
    const outcome = answered(answer, content.args);
    const modelled: DbusExpected = { outcome, by: callee, recipients: [callee] };
    this.#add(action, where, message, modelled, to, { back: backIn(answer, action) });
  }

  /** The client of an action that nothing has started yet. */
  #notStarted(action: DbusAction): string | undefined {
    const parties = 'to' in action && action.to !== undefined ? [action.client, action.to] : [action.client];
    return parties.find((name) => this.#clients.has(name) && !this.#uniques.has(name));
  }

  /** Starts the service of a name without an owner, if it has one; returns what the bus answers if that fails. */
  #start(name: string, { client: caller }: DbusAction, { top, step = '' }: Where): DbusExpected | undefined {
    const { bus } = this.#client(caller);
    const service = this.#services.get(bus)?.get(name);
    if (service === undefined || this.#bus(bus).ownerOf(name) !== undefined) return undefined;
    const client = 'client' in service ? service.client : undefined;
    const again = client !== undefined && this.#uniques.has(client);
    const { service_start_timeout: within = DEFAULT_LIMITS.service_start_timeout } =
      this.#limits.get(bus) ?? {};
    this.starts.push({ step, top, name, again, within, ...(client !== undefined && { client }) });
    if (again || ('exit' in service && service.exit !== 0)) return ENDED;
    if (client !== undefined) this.arrive(this.#client(client), top);
    return this.#bus(bus).ownerOf(name) === undefined ? LATE : undefined;
  }

  /** The client that gets a message to this client or well-known name. */
  #holder(bus: MessageBus, to: string): string | undefined {
    if (!this.#clients.has(to)) return bus.ownerOf(to);
    return bus.has(to) ? to : undefined;
  }

  #add(
    action: DbusAction,
    { top, step, expect = {}, place }: Where,
    message: Operation['message'],
    modelled: DbusExpected,
    to: string | undefined,
    { nth = 0, back = NO_FDS, asleep = [] }: Partial<Pick<Draft, 'back' | 'asleep'>> & { nth?: number } = {},
  ): void {
    const { client } = action;
    const fds = 'fds' in action ? action.fds.length : 0;
    this.#drafts.push({
      number: this.#drafts.length,
      ...(step !== undefined && { step }),
      ...{ top, client, place, message, modelled, fds, back, action, expect, asleep },
      bus: this.#client(client).bus,
      name: `${dbusText(action)}${nth > 0 ? ` #${nth}` : ''}`,
      ...(to !== undefined && { to }),
    });
  }

  /** The bus has removed it at some moment of its sleep. */
  #cutOff(client: string, { top }: Where, bus: MessageBus): void {
    const sleep = this.#sleeps.find((each) => each.client === client && each.to === top);
    this.#hear(top, bus.leave(client), sleep?.from);
  }

  #hear(top: number, heard: readonly Heard[], since = top): void {
    for (const { client, member, args } of heard) {
      this.heard.get(client)?.push({ top, since, text: heardText(member, args.map(shown)) });
      const bytes = this.#heardLength({ client, member, args });
      this.#asleep.get(client)?.add({ top, bytes, concurrent: false });
    }
  }

  #heardLength({ client, member, args }: Heard): number {
    const real = (name: string) => (name.startsWith(':') ? (this.#uniques.get(shown(name)) ?? name) : name);
    const message = {
      ...toBus(
        member,
        args.map((name) => string(real(name))),
      ),
      type: 'signal',
    } as const;
    const destination = member !== 'NameOwnerChanged' && { destination: this.#uniques.get(client) ?? '' };
    return marshal({ ...message, ...destination, sender: DRIVER, endian: 'little' }, 1).length;
  }

  #look(client: string, { step = '' }: Where): void {
    const all = this.heard.get(client) ?? [];
    const from = this.#looked.get(client) ?? 0;
    this.#looked.set(client, all.length);
    this.since.set(
      step,
      all.slice(from).map(({ text }) => text),
    );
  }

  #client(name: string): DbusClientSpec {
    const client = this.#clients.get(name);
    if (!client) throw new Error(`no client of a message bus: ${name}`);
    return client;
  }

  #bus(name: string): MessageBus {
    const bus = this.#buses.get(name);
    if (!bus) throw new Error(`no message bus: ${name}`);
    return bus;
  }
}

interface Where {
  readonly top: number;
  readonly step?: string;
  /** Index among the rules that the client adds when it connects. */
  readonly nth?: number;
  readonly expect?: DbusExpect;
  readonly place: Place;
  /** Whether it is in a branch. */
  readonly concurrent?: boolean;
}

type Outcome = DbusExpected['outcome'];

/** The bus's answer to a message for a name without an owner, even if the message is a signal. */
const unreached = (error: string): DbusExpected => ({
  outcome: { kind: 'error', name: `${ERROR}${error}` },
  by: DRIVER,
  recipients: [],
});
const UNKNOWN = unreached('ServiceUnknown');
/** The service has ended before its name had an owner. */
const ENDED = unreached('Spawn.ChildExited');
/** The name had no owner in time. */
const LATE = unreached('TimedOut');
const NOTHING: Outcome = { kind: 'reply', args: argsText([]) };
const returns = (value: number): Outcome => ({ kind: 'reply', args: argsText([{ type: 'u', value }]) });
const fails = (name: string): Outcome => ({ kind: 'error', name: `${ERROR}${name}` });

/** A client without an answer for a method returns the arguments of the call, and its descriptors. */
function answered(answer: Answer | undefined, sent: readonly Arg[]): Outcome {
  if (answer?.kind === 'error') return { kind: 'error', name: answer.name };
  return { kind: 'reply', args: argsText(answer?.args ?? sent) };
}

const NO_FDS: Back = { fds: 0, are: 'new' };

function backIn(answer: Answer | undefined, { fds }: DbusAction & { do: 'call' }): Back {
  if (answer === undefined) return { fds: fds.length, are: 'of the call' };
  return answer.kind === 'reply' ? { fds: answer.fds.length, are: 'new' } : NO_FDS;
}

/** Unique names are shown without their colon: `:player` is `player`. */
const shown = (name: string): string => name.replace(/^:/, '');

/** What the file says goes first. It does not say whether there is room for a signal to a client that is cut off. */
function written(
  action: DbusAction,
  expect: DbusExpect,
  modelled: DbusExpected,
  asleep: readonly string[],
): DbusExpected {
  const { error, reply, result, by, recipients = modelled.recipients } = expect;
  const outcome =
    (error !== undefined && ({ kind: 'error', name: error } as const)) ||
    (reply !== undefined && ({ kind: 'reply', args: argsText(reply) } as const)) ||
    (result !== undefined && returns(codeOf(action, result))) ||
    modelled.outcome;
  // An error that the model does not predict may come from anybody.
  const who = by ?? (error === undefined || modelled.outcome.kind === 'error' ? modelled.by : undefined);
  const known = modelled.recipients.filter((name) => recipients.includes(name) || asleep.includes(name));
  const may = modelled.may?.filter((name) => !recipients.includes(name)) ?? [];
  return {
    outcome,
    ...(who !== undefined && { by: who }),
    recipients: [...new Set([...known, ...recipients])],
    ...(may.length > 0 && { may }),
  };
}

/** Results of calls of the bus, in the order of their numbers, which count from 1. */
const RESULTS = { own: REQUEST_RESULTS, release: RELEASE_RESULTS, start: START_RESULTS } as const;
export type Asking = keyof typeof RESULTS;

/** Whether the bus answers an action with a result. */
export const isAsking = (verb: string): verb is Asking => Object.hasOwn(RESULTS, verb);

function codeOf({ do: verb }: DbusAction, result: string): number {
  const words: readonly string[] = isAsking(verb) ? RESULTS[verb] : [];
  return words.indexOf(result) + 1;
}

/** The word for a result of the bus: `owner`, `not-owner`. */
export function resultText(verb: Asking, args: string): string {
  const words: readonly string[] = RESULTS[verb];
  return words[Number(args.slice('u '.length)) - 1] ?? args;
}

/** What must come of an action, in words. */
export function expectedText(
  action: DbusAction,
  { outcome, by, recipients, may = [] }: DbusExpected,
): string {
  if (outcome.kind === 'error') return outcome.name;
  if (outcome.kind === 'sent')
    return [...recipients, ...may.map((name) => `perhaps ${name}`)].join(', ') || 'nobody';
  if (isAsking(action.do)) return resultText(action.do, outcome.args);
  return action.do === 'call' ? `${by ?? 'anybody'} answers ${outcome.args}` : 'done';
}
