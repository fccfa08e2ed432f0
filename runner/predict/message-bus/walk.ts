// SPDX-License-Identifier: MIT
/** Plays the steps of message buses on the model: the messages that clients send, and what must come of each. */

import { DRIVER } from '../../dbus/index.ts';
import type { MessageBus, RuleUse } from '../../model/index.ts';
import {
  type DbusAction,
  type DbusClientSpec,
  type DbusExpect,
  dbusText,
  type RuleChange,
} from '../../topology/message-bus.ts';
import type { Visit } from '../../topology/steps.ts';
import type { Place, Topology } from '../../topology/topology.ts';
import { written } from './expected.ts';
import { HeardSignals } from './heard.ts';
import { lengthOfSignal, string, toBus } from './message.ts';
import type { DbusExpected, Early, Operation, RuleStep, Start } from './operation.ts';
import {
  answered,
  backIn,
  ENDED,
  fails,
  LATE,
  NO_FDS,
  NOTHING,
  type Outcome,
  returns,
  UNKNOWN,
} from './outcome.ts';
import { Parties } from './parties.ts';
import { Sleepers } from './sleepers.ts';

/** A message before it is known for which sleeping clients there is room. */
interface Draft extends Omit<Operation, 'expected'> {
  readonly action: DbusAction;
  readonly expect: DbusExpect;
  /** Recipients that are cut off in this sleep, at some moment. */
  readonly asleep: readonly string[];
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

export class Walk {
  readonly #parties: Parties;
  readonly #drafts: Draft[] = [];
  readonly sleepers: Sleepers;
  readonly heard: HeardSignals;
  readonly uses: RuleStep[] = [];
  readonly starts: Start[] = [];
  readonly early: Early[] = [];

  constructor({ messageBuses, steps }: Topology) {
    this.#parties = new Parties(messageBuses);
    this.sleepers = new Sleepers(steps);
    this.heard = new HeardSignals(this.#parties, this.sleepers);
  }

  /** It connects in this top-level step, or (-1) before the first one. */
  arrive(client: DbusClientSpec, top: number): void {
    const { name, match, names, place } = client;
    this.heard.connect(name);
    this.#parties.connect(client);
    this.heard.add(top, this.#parties.busOf(name).join(name));
    const where = { top, place };
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
      const isUnsure = (name: string) => asleep.includes(name) && this.sleepers.isUnsure(name, draft.number);
      const may = draft.modelled.recipients.filter(isUnsure);
      const recipients = draft.modelled.recipients.filter((name) => !isUnsure(name));
      const modelled = may.length > 0 ? { ...draft.modelled, recipients, may } : draft.modelled;
      return { ...draft, modelled, expected: written(action, expect, modelled, asleep) };
    });
  }

  #act(action: DbusAction, where: Where): void {
    const early = this.#parties.notStarted(action);
    if (early !== undefined) {
      this.early.push({ step: where.step ?? '', client: early });
      return;
    }
    const bus = this.#parties.busOf(action.client);
    switch (action.do) {
      case 'own':
        this.#own(action, where, bus);
        break;
      case 'release':
        this.#release(action, where, bus);
        break;
      case 'start':
        this.#startByName(action, where, bus);
        break;
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
        this.heard.add(where.top, bus.leave(action.client));
        break;
      case 'pause':
        this.#pause(action.client, where);
        break;
      case 'resume':
        this.sleepers.resume(action.client);
        break;
      case 'hangup':
        this.#cutOff(action.client, where, bus);
        break;
      case 'hears':
        this.heard.cover(action.client, where.step ?? '');
        break;
    }
  }

  #own(action: DbusAction & { do: 'own' }, where: Where, bus: MessageBus): void {
    const holder = bus.ownerOf(action.name);
    const { result, heard } = bus.request(action.client, action.name, action.flags);
    this.heard.add(where.top, heard);
    const args = [string(action.name), { type: 'u', value: action.flags }];
    const isInVain = bus.ownerOf(action.name) !== action.client;
    const modelled: DbusExpected = { outcome: returns(result), by: DRIVER, recipients: [] };
    const message = toBus('RequestName', args);
    this.#add(action, where, message, modelled, DRIVER, isInVain && holder !== undefined ? { holder } : {});
  }

  #release(action: DbusAction & { do: 'release' }, where: Where, bus: MessageBus): void {
    const { result, heard } = bus.release(action.client, action.name);
    this.heard.add(where.top, heard);
    this.#ask(action, where, toBus('ReleaseName', [string(action.name)]), returns(result));
  }

  #pause(client: string, { step }: Where): void {
    const { outgoing } = this.#parties.limitsOf(client);
    this.sleepers.pause(this.#parties.client(client), step, outgoing);
  }

  /** The bus has removed it at some moment of its sleep. */
  #cutOff(client: string, { top }: Where, bus: MessageBus): void {
    this.heard.add(top, bus.leave(client), this.sleepers.cutOffSince(client, top));
  }

  #use(action: RuleChange, { step, nth }: Where, use: RuleUse): void {
    const { do: verb, client, rule: text } = action;
    const which = { ...(step !== undefined && { step }), ...(nth !== undefined && { nth }) };
    this.uses.push({ verb, client, text, use, ...which });
  }

  #ask(action: DbusAction, where: Where, message: Operation['message'], outcome: Outcome): void {
    this.#add(action, where, message, { outcome, by: DRIVER, recipients: [] }, DRIVER);
  }

  #startByName(action: DbusAction & { do: 'start' }, where: Where, bus: MessageBus): void {
    const { client, name } = action;
    const wasRunning = bus.ownerOf(name) !== undefined;
    const failure = this.#parties.serviceOf(client, name) ? this.#start(name, action, where) : UNKNOWN;
    const args = [string(name), { type: 'u', value: 0 }];
    this.#ask(
      action,
      where,
      toBus('StartServiceByName', args),
      failure?.outcome ?? returns(wasRunning ? 2 : 1),
    );
  }

  #signal(action: DbusAction & { do: 'signal' }, where: Where, bus: MessageBus): void {
    const { content, client, count, to } = action;
    const message = { type: 'signal', ...content } as const;
    const failure = to === undefined ? undefined : this.#start(to, action, where);
    const owner = to === undefined ? undefined : this.#parties.holderOf(bus, to);
    const addressed = owner === undefined ? [] : [owner];
    const recipients = to === undefined ? bus.receivers(client, message) : addressed;
    const lost = to !== undefined && owner === undefined;
    const modelled: DbusExpected = lost ? (failure ?? UNKNOWN) : { outcome: { kind: 'sent' }, recipients };
    const { top, concurrent = false } = where;
    const asleep = this.sleepers.cutOffAround(recipients, top);
    const sleepers = recipients.filter((name) => this.sleepers.sleeps(name));
    const bytes = sleepers.length > 0 ? lengthOfSignal(action, message, this.#parties) : 0;
    for (let n = 0; n < count; n++) {
      const number = this.#drafts.length;
      for (const name of sleepers) this.sleepers.add(name, { top, number, bytes, concurrent });
      for (const name of asleep) this.sleepers.doubt(name, number);
      this.#add(action, where, message, modelled, to, { nth: count > 1 ? n + 1 : 0, asleep });
    }
  }

  #call(action: DbusAction & { do: 'call' }, where: Where, bus: MessageBus): void {
    const { content, to } = action;
    const message = { type: 'method_call', ...content } as const;
    const failure = this.#start(to, action, where);
    const callee = this.#parties.holderOf(bus, to);
    if (callee === undefined) {
      this.#add(action, where, message, failure ?? UNKNOWN, to);
      return;
    }
    const { answers } = this.#parties.client(callee);
    const answer = Object.hasOwn(answers, content.member) ? answers[content.member] : undefined;
    const outcome = answered(answer, content.args);
    const modelled: DbusExpected = { outcome, by: callee, recipients: [callee] };
    this.#add(action, where, message, modelled, to, { back: backIn(answer, action) });
  }

  /** Starts the service of a name without an owner, if it has one; returns what the bus answers if that fails. */
  #start(name: string, { client: caller }: DbusAction, { top, step = '' }: Where): DbusExpected | undefined {
    const service = this.#parties.serviceOf(caller, name);
    const bus = this.#parties.busOf(caller);
    if (service === undefined || bus.ownerOf(name) !== undefined) return undefined;
    const client = 'client' in service ? service.client : undefined;
    const again = client !== undefined && this.#parties.uniqueOf(client) !== undefined;
    const { within } = this.#parties.limitsOf(caller);
    this.starts.push({ step, top, name, again, within, ...(client !== undefined && { client }) });
    if (again || ('exit' in service && service.exit !== 0)) return ENDED;
    if (client !== undefined) this.arrive(this.#parties.client(client), top);
    return bus.ownerOf(name) === undefined ? LATE : undefined;
  }

  #add(
    action: DbusAction,
    { top, step, expect = {}, place }: Where,
    message: Operation['message'],
    modelled: DbusExpected,
    to: string | undefined,
    {
      nth = 0,
      back = NO_FDS,
      asleep = [],
      ...more
    }: Partial<Pick<Draft, 'back' | 'asleep' | 'holder'>> & {
      nth?: number;
    } = {},
  ): void {
    const { client } = action;
    const fds = 'fds' in action ? action.fds.length : 0;
    this.#drafts.push({
      number: this.#drafts.length,
      ...(step !== undefined && { step }),
      ...{ top, client, place, message, modelled, fds, back, action, expect, asleep, ...more },
      bus: this.#parties.client(client).bus,
      name: `${dbusText(action)}${nth > 0 ? ` #${nth}` : ''}`,
      ...(to !== undefined && { to }),
    });
  }
}
