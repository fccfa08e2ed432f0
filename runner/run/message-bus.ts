// SPDX-License-Identifier: MIT
/** Message buses of D-Bus: brings them up, plays their steps, and proves that all messages of a step have arrived. */
import type { AnswerOrder, ServiceOrder } from '../agent/protocol.ts';
import { DRIVER, marshal } from '../dbus/index.ts';
import { isAnswered, type Operation } from '../plan/plan.ts';
import { masterOf } from '../topology/lane.ts';
import {
  type Answer,
  type DbusAction,
  type DbusClientSpec,
  type DbusStep,
  LEGACY,
  type ServiceSpec,
  startedByBus,
} from '../topology/message-bus.ts';
import type { Step } from '../topology/topology.ts';
import type { StepEvent } from '../trace/trace.ts';
import type { RunContext } from './context.ts';

/** An upper limit that a correct bus never needs: an answer that is later is treated as missing. */
const WITHIN = 10_000;

/** Serials are never 0. */
const serialOf = ({ number }: Operation): number => number + 1;

export class MessageBuses {
  readonly #context: RunContext;
  /** Client → unique name. */
  readonly #unique = new Map<string, string>();
  /** Clients that were killed, and that their bus may still know. */
  readonly #gone = new Set<string>();
  /** Clients that are asked nothing until they go on. */
  readonly #paused = new Set<string>();

  constructor(context: RunContext) {
    this.#context = context;
  }

  /**
   * Starts the daemons. Then clients connect one after another, each with its rules and names; those that the bus
   * starts wait for that.
   */
  async attach(): Promise<void> {
    const { agents, plan } = this.#context;
    const { buses = [], clients = [] } = plan.topology.messageBuses ?? {};
    await Promise.all(
      buses.map(({ name, path, limits, services }) =>
        agents.call(
          masterOf(name),
          {
            ...{ do: 'serve-dbus', path, unixPath: unixPathOf(path), limits },
            services: services.map((each) => this.#serviceOrder(each)),
          },
          { what: `the D-Bus daemon of ${name} to listen at ${path}` },
        ),
      ),
    );
    const late = startedByBus({ buses });
    for (const client of clients)
      if (late.has(client.name)) await this.#wait(client);
      else await this.#arrive(client);
    await this.settle();
  }

  /** The unique names of the clients of a bus, and the clients. */
  namesOn(bus: string): readonly (readonly [unique: string, client: string])[] {
    const { clients = [] } = this.#context.plan.topology.messageBuses ?? {};
    return clients.flatMap((client) => {
      const unique = client.bus === bus ? this.#unique.get(client.name) : undefined;
      return unique === undefined ? [] : [[unique, client.name] as const];
    });
  }

  async play({ id, action }: DbusStep): Promise<StepEvent['failure']> {
    const { agents } = this.#context;
    const { client } = action;
    if (action.do === 'kill') {
      await agents.signal(client, 'SIGKILL', { what: `${client} to end` });
      this.#gone.add(client);
    } else if (action.do === 'pause') {
      await agents.signal(client, 'SIGSTOP', { what: `${client} to stop` });
      this.#paused.add(client);
    } else if (action.do === 'resume') {
      await agents.signal(client, 'SIGCONT', { what: `${client} to go on` });
      this.#paused.delete(client);
    } else if (action.do === 'hangup') return this.#hangup(action);
    else if (action.do !== 'hears') await this.#sendAll(id);
    return undefined;
  }

  /** Sends the messages of a step. A client that the bus has to start for it arrives meanwhile. */
  async #sendAll(step: string): Promise<void> {
    const { starts = [] } = this.#context.plan.operations ?? {};
    const own = this.#operations.filter((each) => each.step === step);
    // Another branch may wait for a start of this one.
    const beside = starts.filter(({ top }) => top === own[0]?.top);
    const within = beside.reduce((sum, start) => sum + start.within, WITHIN);
    await Promise.all([
      this.#send(own, within),
      ...beside.map(({ client, step: its }) =>
        client === undefined || its !== step ? undefined : this.#started(client, within),
      ),
    ]);
  }

  /** A client that the bus will start. */
  async #wait({ name, bus, place }: DbusClientSpec): Promise<void> {
    const at = this.#startPathOf(name);
    const what = `${name} to wait until ${bus} starts it`;
    await this.#context.agents.call(name, { do: 'be-startable', at }, { what, place });
  }

  /** If the bus does not start it, what it must answer does not come. */
  async #started(name: string, within: number): Promise<void> {
    const client = this.#context.plan.topology.messageBuses?.clients.find((each) => each.name === name);
    if (client === undefined) return;
    const what = `${client.bus} to start ${name}`;
    const { started } = await this.#context.agents.call(name, { do: 'await-start', within }, { what });
    if (started) await this.#arrive(client);
  }

  #serviceOrder(service: ServiceSpec): ServiceOrder {
    const { name } = service;
    return 'client' in service ? { name, at: this.#startPathOf(service.client) } : service;
  }

  /** Where a client waits until its bus starts it: apart from all buses, since none has its AF_UNIX socket there. */
  #startPathOf(client: string): string {
    const { clients = [] } = this.#context.plan.topology.messageBuses ?? {};
    return `@afbus-start.${clients.findIndex(({ name }) => name === client)}`;
  }

  #pathOf(bus: string): string {
    const { buses = [] } = this.#context.plan.topology.messageBuses ?? {};
    return buses.find(({ name }) => name === bus)?.path ?? '';
  }

  /** After it, the bus must forget the client. */
  async #hangup({ client, within }: DbusAction & { do: 'hangup' }): Promise<StepEvent['failure']> {
    const what = `the connection of ${client} to end`;
    const { ended } = await this.#context.agents.call(client, { do: 'await-end', within }, { what });
    if (!ended)
      return {
        check: 'lifetime',
        expected: `the bus cuts ${client} off within ${within} ms`,
        observed: 'it is still connected',
      };
    this.#gone.add(client);
    return undefined;
  }

  /**
   * Waits until all messages of a step have arrived. The answer to a call of the bus comes after everything that the
   * bus has sent before. The first round of calls waits until the bus has each message, or the end, of a client; the
   * second until the clients have what the bus sent.
   */
  async settle(step?: Step): Promise<void> {
    const { agents, plan } = this.#context;
    const clients = (plan.topology.messageBuses?.clients ?? []).filter(
      ({ name }) => agents.alive(name) && this.#unique.has(name) && !this.#paused.has(name),
    );
    const purpose = (client: string) => ({
      what: `${client} to get all that is for it`,
      ...(step && { step }),
    });
    for (let round = 0; round < 2; round++) {
      await Promise.all(
        clients.map(({ name, bus }) =>
          agents.call(name, { do: 'settle-dbus', gone: this.#goneFrom(bus), within: WITHIN }, purpose(name)),
        ),
      );
    }
    this.#gone.clear();
  }

  #goneFrom(bus: string): string[] {
    const { clients = [] } = this.#context.plan.topology.messageBuses ?? {};
    return clients
      .filter((client) => client.bus === bus && this.#gone.has(client.name))
      .flatMap(({ name }) => this.#unique.get(name) ?? []);
  }

  get #operations(): readonly Operation[] {
    return this.#context.plan.operations?.list ?? [];
  }

  async #arrive({ name, bus, connect, answers, place }: DbusClientSpec): Promise<void> {
    const { agents, collector } = this.#context;
    const path = this.#pathOf(bus);
    const { unique } = await agents.call(
      name,
      {
        ...{ do: 'join-dbus', client: name, connect, answers: marshalled(answers) },
        path: connect === 'native' ? path : unixPathOf(path),
      },
      { what: `${name} to join ${bus}`, place },
    );
    if (unique === undefined) return;
    this.#unique.set(name, unique);
    collector.join({ client: name, unique });
    for (const operation of this.#operations)
      if (operation.client === name && operation.step === undefined) await this.#send([operation]);
  }

  /** Sends the messages of one step, which differ only in their serials. */
  async #send(operations: readonly Operation[], within = WITHIN): Promise<void> {
    const [first] = operations;
    if (!first) return;
    const { client, message, to, name, place, fds: pipes } = first;
    const bytes = marshal({ ...message, endian: 'little' }, serialOf(first));
    const destination = to === undefined ? undefined : (this.#unique.get(to) ?? to);
    await this.#context.agents.call(
      client,
      {
        ...{ do: 'send-dbus', message: bytes.toString('base64'), serial: serialOf(first) },
        ...{ count: operations.length, pipes, answered: isAnswered(first), within },
        ...(destination !== undefined && { destination }),
      },
      { what: `${name} to be done`, place },
    );
  }
}

export const unixPathOf = (path: string): string => `${path}${LEGACY}`;

/** The answers in the form for agents: without the serials that are not known yet. */
function marshalled(answers: DbusClientSpec['answers']): Record<string, AnswerOrder> {
  const order = (answer: Answer): AnswerOrder => {
    const rest = { endian: 'little', destination: DRIVER, replySerial: 1 } as const;
    const message =
      answer.kind === 'error'
        ? ({ ...rest, type: 'error', errorName: answer.name, args: [] } as const)
        : ({ ...rest, type: 'method_return', args: answer.args } as const);
    const pipes = answer.kind === 'reply' ? answer.fds.length : 0;
    return { message: marshal(message, 1).toString('base64'), pipes };
  };
  return Object.fromEntries(Object.entries(answers).map(([member, answer]) => [member, order(answer)]));
}
