// SPDX-License-Identifier: MIT
/** Plays the steps about programs: starts them, and waits for their output and their ends. */
import type { ProgramState } from '../agent/protocol.ts';
import { EnvironmentError } from '../common/errors.ts';
import { formatAddress } from '../dbus/index.ts';
import { needsEnd, type ProgramSpec, type ProgramStep } from '../topology/program.ts';
import type { RunContext } from './context.ts';
import { type MessageBuses, unixPathOf } from './message-bus.ts';
import { OrderFailed } from './order-failed.ts';

/** Debian packages that bring the programs which are asked for most. */
const PACKAGES: ReadonlyMap<string, string> = new Map([
  ['busctl', 'systemd'],
  ['dbus-monitor', 'dbus-bin'],
  ['dbus-send', 'dbus-bin'],
  ['dbus-test-tool', 'dbus-tests'],
  ['gdbus', 'libglib2.0-bin'],
  ['gsettings', 'libglib2.0-bin'],
  ['python3', 'python3'],
]);

export class Programs {
  readonly #context: RunContext;
  readonly #messageBuses: MessageBuses;
  /** Programs whose end no step has waited for → the id of the last step about each. */
  readonly #open = new Map<string, string>();

  constructor(context: RunContext, messageBuses: MessageBuses) {
    this.#context = context;
    this.#messageBuses = messageBuses;
  }

  async play(step: ProgramStep): Promise<void> {
    const { agents, collector } = this.#context;
    const { id, client, expect } = step;
    let state: ProgramState | undefined;
    if (step.do === 'run') state = await this.#run(step);
    if (step.do === 'kill') state = await this.#kill(client);
    if (expect) {
      const { output, within } = expect;
      const texts = Array.isArray(output) ? (output as readonly string[]) : [];
      const order = { do: 'await-program', end: needsEnd(expect), texts, within } as const;
      ({ program: state } = await agents.call(client, order, {
        what: `${client} to do what is expected of it`,
        step,
      }));
    }
    if (state === undefined) return;
    const isEndAwaited = step.do === 'kill' || (expect !== undefined && needsEnd(expect));
    if (isEndAwaited) this.#open.delete(client);
    else this.#open.set(client, id);
    collector.program({ step: id, ...state });
  }

  /**
   * Reports how the programs have ended that no step has waited for. It kills what still runs, so that no program
   * outlives its bus; or it lets them run, if all is kept.
   */
  async end(keep: boolean): Promise<void> {
    const { collector } = this.#context;
    await Promise.all(
      Array.from(this.#open, async ([client, step]) => {
        const state = await (keep ? this.#look(client) : this.#kill(client));
        if (state !== undefined) collector.program({ step, atEnd: true, ...state });
      }),
    );
  }

  async #run(step: ProgramStep): Promise<ProgramState | undefined> {
    const { agents, plan } = this.#context;
    const spec = plan.topology.messageBuses?.programs.find(({ name }) => name === step.client);
    if (spec === undefined) throw new Error(`no program: ${step.client}`);
    const { name, bus, argv } = spec;
    const names = this.#messageBuses.namesOn(bus);
    const order = { do: 'run-program', argv, address: this.#addressOf(bus), names } as const;
    try {
      return (await agents.call(name, order, { what: `${argv[0]} to start`, step })).program;
    } catch (error) {
      throw error instanceof OrderFailed ? notStarted(spec, error) : error;
    }
  }

  async #kill(client: string): Promise<ProgramState | undefined> {
    const answer = await this.#context.agents.call(
      client,
      { do: 'kill-program' },
      { what: `${client} to end` },
    );
    return answer.program;
  }

  async #look(client: string): Promise<ProgramState | undefined> {
    const order = { do: 'await-program', end: false, texts: [], within: 0 } as const;
    const answer = await this.#context.agents.call(client, order, { what: `${client} to tell how it is` });
    return answer.program;
  }

  /** The AF_UNIX listener of a bus. */
  #addressOf(bus: string): string {
    const { buses = [] } = this.#context.plan.topology.messageBuses ?? {};
    const path = unixPathOf(buses.find(({ name }) => name === bus)?.path ?? '');
    const [key, value] = path.startsWith('@') ? ['abstract', path.slice(1)] : ['path', path];
    return formatAddress({ transport: 'unix', options: new Map([[key, value]]) });
  }
}

function notStarted({ argv: [program], node, place }: ProgramSpec, error: OrderFailed): Error {
  const { file, line, column } = place;
  const where = `${file}:${line}:${column}`;
  if (error.code !== 'ENOENT')
    return new EnvironmentError(
      `${where}: node "${node}" cannot start ${program}: ${error.message}`,
      'look at the program in the node',
      { cause: error },
    );
  const bringer = PACKAGES.get(program);
  return new EnvironmentError(
    `${where}: node "${node}" has no program ${program}`,
    bringer === undefined
      ? 'give its path; nodes of launcher: process have the packages of images/host/packages'
      : `Debian's package ${bringer} brings it; nodes of launcher: process have the packages of images/host/packages`,
    { cause: error },
  );
}
