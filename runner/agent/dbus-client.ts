// SPDX-License-Identifier: MIT
/**
 * A client of a message bus. It sends the messages that it is ordered to send, with the serials of the orders; it
 * answers every call, and reports every message that it gets. Into the descriptors of a message it writes its name.
 */
import { BusError } from '../../native/lib/errors.ts';
import {
  DRIVER,
  isUnique,
  type MessageType,
  NO_REPLY_EXPECTED,
  parse,
  type ReceivedMessage,
} from '../dbus/index.ts';
import { argsText } from '../topology/message-bus.ts';
import type { Order } from './protocol.ts';
import { DbusRole, notMine, type Result, type Tools } from './roles.ts';
import type { DbusConnection, DbusDraft, DbusGiven } from './system.ts';
import { systemError } from './system-error.ts';
import { leaveTokens } from './tokens.ts';
import { Waiters } from './waiters.ts';

type Join = Extract<Order, { do: 'join-dbus' }>;
type Send = Extract<Order, { do: 'send-dbus' }>;
type Settle = Extract<Order, { do: 'settle-dbus' }>;

/** Orders use the serials below this; messages that the agent sends by itself use those above. */
const OWN_SERIALS = 0x8000_0000;
/** `undefined` if the answer to a call did not come in time, or the connection has ended. */
type Answer = ReceivedMessage | undefined;

export class DbusClient extends DbusRole {
  readonly #tools: Tools;
  #connection: DbusConnection | undefined;
  #name = '';
  #unique = '';
  /** Well-known names that it has asked for. A call to one that it has given up may still be on its way. */
  readonly #names = new Set<string>();
  #answers: Join['answers'] = {};
  #nextSerial = OWN_SERIALS;
  /** Serials of its own calls that are not answered yet. The answers are reported to nobody. */
  readonly #asked = new Set<number>();
  #position = 0;
  readonly #end: Waiters;
  #ended = false;
  readonly #start: Waiters;
  #started = false;
  /** What has stopped it from reading, if it was not the end of its connection: it carries out no more orders. */
  #failure: unknown;
  readonly #waiting = new Map<number, (answer: Answer) => void>();

  constructor(tools: Tools) {
    super();
    this.#tools = tools;
    this.#end = new Waiters(tools.system.clock);
    this.#start = new Waiters(tools.system.clock);
  }

  async handle(order: Order): Promise<Result> {
    const result = await this.#carryOut(order);
    if (this.#failure !== undefined) throw this.#failure;
    return result;
  }

  async #carryOut(order: Order): Promise<Result> {
    switch (order.do) {
      case 'join-dbus':
        return this.#join(order);
      case 'send-dbus':
        await this.#send(order);
        return undefined;
      case 'settle-dbus':
        await this.#settle(order);
        return undefined;
      case 'be-startable':
        await this.#tools.system.startable(order.at, () => {
          this.#started = true;
          this.#start.settle();
        });
        return undefined;
      case 'await-start':
        if (!this.#started) await this.#start.wait(order.within);
        return { started: this.#started };
      case 'await-end':
        if (!this.#ended) await this.#end.wait(order.within);
        return { ended: this.#ended };
      default:
        return notMine(order, 'client of a message bus');
    }
  }

  async #join({ client, path, connect, answers }: Join): Promise<Result> {
    this.#name = client;
    this.#answers = answers;
    this.#connection = await this.#tools.system.joinDbus(path, connect);
    void this.#readAll(this.#connection);
    const answer = await this.#ask('Hello', []);
    if (answer?.type !== 'method_return')
      throw new Error(`the bus refuses it: ${answer?.errorName ?? 'no answer'}`);
    this.#unique = String(answer.args[0]?.value);
    return { unique: this.#unique };
  }

  async #send({ message, serial, count, pipes, destination, answered, within }: Send): Promise<void> {
    const { type, args, ...fields } = parse(Buffer.from(message, 'base64'));
    const draft = {
      ...fieldsOf(fields),
      type: type as MessageType,
      args,
      ...(destination !== undefined && { destination }),
    };
    if (destination === DRIVER && draft.member === 'RequestName') this.#names.add(String(args[0]?.value));
    const ends = await this.#tools.pipes.make(serial, count, pipes);
    const answers: Promise<Answer>[] = [];
    for (let n = 0; n < count; n++) {
      if (answered) answers.push(this.#answer(serial + n, within));
      await this.#write(draft, serial + n, ends[n]);
    }
    await Promise.all(answers);
  }

  /**
   * Asks until the bus has forgotten these names; the last answer comes after everything that the bus sent before it.
   */
  async #settle({ gone, within }: Settle): Promise<void> {
    for (const name of gone) {
      while ((await this.#ask('NameHasOwner', [name], within))?.args[0]?.value === true)
        await this.#tools.system.settled();
    }
    await this.#ask('GetId', [], within);
  }

  /** Calls the bus on the agent's own behalf. */
  async #ask(member: string, names: readonly string[], within = Number.POSITIVE_INFINITY): Promise<Answer> {
    if (this.#ended) return undefined;
    const serial = this.#nextSerial++;
    const answer = this.#answer(serial, within);
    this.#asked.add(serial);
    await this.#connection?.send(
      {
        ...{
          type: 'method_call',
          destination: DRIVER,
          path: '/org/freedesktop/DBus',
          interface: DRIVER,
          member,
        },
        args: names.map((value) => ({ type: 's', value })),
      },
      serial,
    );
    return answer;
  }

  #answer(serial: number, within: number): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    if (this.#ended) return Promise.resolve(undefined);
    const forget = Number.isFinite(within)
      ? this.#tools.system.clock.after(within, () => end(undefined))
      : () => {};
    const end = (answer: Answer) => {
      forget();
      this.#waiting.delete(serial);
      resolve(answer);
    };
    this.#waiting.set(serial, end);
    return promise;
  }

  async #write(draft: DbusDraft, serial: number, ends: readonly number[] = []): Promise<void> {
    const { system, reports, pipes } = this.#tools;
    const t = system.now();
    try {
      await this.#connection?.send(draft, serial, { fds: ends.map((fd) => ({ fd })) });
      reports.dbus({ kind: 'sent', serial, t });
    } catch (error) {
      reports.dbus({ kind: 'sent', serial, t, error: systemError(error).code });
    }
    pipes.sent(ends);
  }

  async #readAll(connection: DbusConnection): Promise<void> {
    try {
      // A client that is expelled reads the error first, then the messages that were queued before it.
      if (!(await this.#readOn(connection))) await this.#readOn(connection);
    } catch (error) {
      this.#fail(error);
    }
    this.#ended = true;
    for (const end of [...this.#waiting.values()]) end(undefined);
    this.#end.settle();
  }

  /** Reads until the connection ends; false if it ended with an error of its socket. */
  async #readOn(connection: DbusConnection): Promise<boolean> {
    try {
      for await (const message of connection.messages()) this.#take(message);
      return true;
    } catch (error) {
      if (error instanceof BusError) return false;
      throw error;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
  }

  #take(message: DbusGiven): void {
    const { replySerial, type } = message;
    const mine = this.#isMine(message);
    const isCall = mine && replySerial === undefined && type === 'method_call';
    try {
      leaveTokens(this.#tools.system, this.#name, message.fds);
      if (replySerial === undefined || !this.#asked.delete(replySerial)) this.#tell(message);
      if (mine && replySerial !== undefined) this.#waiting.get(replySerial)?.(message);
    } catch (error) {
      discard(message);
      throw error;
    }
    if (!isCall) discard(message);
    else
      void this.#reply(message)
        .catch((error) => this.#fail(error))
        .finally(() => discard(message));
  }

  /** Whether it is not for another client; before Hello is answered it gets nothing else. */
  #isMine({ destination }: DbusGiven): boolean {
    if (destination === undefined || this.#unique === '') return true;
    return isUnique(destination) ? destination === this.#unique : this.#names.has(destination);
  }

  #tell({ type, sender = '', serial, args, fds, ...fields }: DbusGiven): void {
    const { path, interface: iface, member, errorName, replySerial } = fields;
    this.#tools.reports.dbus({
      ...{ kind: 'got', position: this.#position++, t: this.#tools.system.now(), type, sender, serial },
      ...(path !== undefined && { path }),
      ...(iface !== undefined && { interface: iface }),
      ...(member !== undefined && { member }),
      ...(errorName !== undefined && { errorName }),
      ...(replySerial !== undefined && { replySerial }),
      args: argsText(args),
      texts: args.flatMap(({ value }) => (typeof value === 'string' ? [value] : [])),
      ...(fds.length > 0 && { fds: fds.length }),
    });
  }

  /** Answers a call with what the file says, else with the arguments of the call and its descriptors. */
  async #reply({ flags, serial: replySerial, sender, member = '', args, fds }: DbusGiven): Promise<void> {
    if ((flags & NO_REPLY_EXPECTED) !== 0 || sender === undefined) return;
    const { pipes } = this.#tools;
    const order = Object.hasOwn(this.#answers, member) ? this.#answers[member] : undefined;
    const answer = order === undefined ? { type: 'method_return' as const, args } : answerIn(order.message);
    const draft = { ...answer, flags: NO_REPLY_EXPECTED, destination: sender, replySerial };
    const ends = await pipes.makeForAnswer(replySerial, order?.pipes ?? 0);
    const back = order === undefined ? fds : ends.map((fd) => ({ fd }));
    try {
      await this.#connection?.send(draft, this.#nextSerial++, { fds: back });
    } catch (error) {
      // A caller that has left gets no answer.
      if (!(error instanceof BusError)) throw error;
    } finally {
      pipes.sent(ends);
    }
  }
}

function discard({ fds }: DbusGiven): void {
  for (const fd of fds) fd.close();
}

function answerIn(base64: string): Pick<DbusDraft, 'type' | 'args' | 'errorName'> {
  const { type, args, errorName } = parse(Buffer.from(base64, 'base64'));
  return { type: type as MessageType, args, ...(errorName !== undefined && { errorName }) };
}

function fieldsOf({
  path,
  interface: iface,
  member,
}: Pick<ReceivedMessage, 'path' | 'interface' | 'member'>) {
  return {
    ...(path !== undefined && { path }),
    ...(iface !== undefined && { interface: iface }),
    ...(member !== undefined && { member }),
  };
}
