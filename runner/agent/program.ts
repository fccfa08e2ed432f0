// SPDX-License-Identifier: MIT
/** A client of a message bus that is an unmodified program: starts it, hears what it writes, waits for its end. */
import { LIMITS } from '../common/limits.ts';
import { firstMissing } from '../topology/program.ts';
import type { Order, ProgramState } from './protocol.ts';
import { DbusRole, notMine, type Result, type Tools } from './roles.ts';
import type { RunningProgram } from './system.ts';
import { Waiters } from './waiters.ts';

type Run = Extract<Order, { do: 'run-program' }>;
type Await = Extract<Order, { do: 'await-program' }>;

/** Lines of standard error that are reported. */
const ERROR_LINES = 10;

const SIMULATED: ProgramState = { state: 'simulated', output: '', errors: [] };

export class Program extends DbusRole {
  readonly #tools: Tools;
  readonly #changes: Waiters;
  #running: RunningProgram | undefined;
  #state: Pick<ProgramState, 'state' | 'exit' | 'signal'> = { state: 'ended' };
  #names: Run['names'] = [];
  #output: Buffer[] = [];
  #bytes = 0;
  #errors = '';

  constructor(tools: Tools) {
    super();
    this.#tools = tools;
    this.#changes = new Waiters(tools.system.clock);
  }

  async handle(order: Order): Promise<Result> {
    switch (order.do) {
      case 'run-program':
        return this.#run(order);
      case 'await-program':
        return this.#await(order);
      case 'kill-program':
        return this.#kill();
      default:
        return notMine(order, 'program');
    }
  }

  async #run({ argv, address, names }: Run): Promise<Result> {
    const { start } = this.#tools.system;
    if (!start) return { program: SIMULATED };
    this.#names = names;
    this.#output = [];
    this.#bytes = 0;
    this.#errors = '';
    const program = await start(
      argv,
      { DBUS_SESSION_BUS_ADDRESS: address },
      { output: (bytes) => this.#hear(bytes), errors: (bytes) => this.#hearError(bytes) },
    );
    this.#running = program;
    this.#state = { state: 'runs' };
    void program.ended.then(({ exit, signal }) => {
      const { state } = this.#state;
      // The kill came too late for a program that had ended by itself.
      const byItself = state === 'runs' || (state === 'killed' && signal !== 'SIGKILL');
      this.#running = undefined;
      this.#state = {
        state: byItself ? 'ended' : state,
        ...(exit !== null && { exit }),
        ...(signal !== null && { signal }),
      };
      this.#changes.settle();
    });
    return this.#report();
  }

  async #await({ end, texts, within }: Await): Promise<Result> {
    if (!this.#tools.system.start) return { program: SIMULATED };
    const { clock } = this.#tools.system;
    const deadline = clock.now() + within;
    const isDone = () =>
      this.#running === undefined || (!end && firstMissing(this.#text(), texts) === undefined);
    while (!isDone()) {
      const left = deadline - clock.now();
      if (left <= 0) break;
      await this.#changes.wait(left);
    }
    if (end) await this.#end('late');
    return this.#report();
  }

  async #kill(): Promise<Result> {
    if (!this.#tools.system.start) return { program: SIMULATED };
    await this.#end('killed');
    return this.#report();
  }

  /** Kills the program if it still runs, for this reason; resolves when it has ended. */
  async #end(state: ProgramState['state']): Promise<void> {
    const program = this.#running;
    if (program === undefined) return;
    if (this.#state.state === 'runs') this.#state = { state };
    program.kill();
    await program.ended;
  }

  #hear(bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= LIMITS.outputBytes.most) this.#output.push(bytes);
    else void this.#end('wordy');
    this.#changes.settle();
  }

  #hearError(bytes: Buffer): void {
    this.#errors = (this.#errors + bytes.toString()).slice(-LIMITS.stderrBytes.most);
  }

  #text(): string {
    const text = Buffer.concat(this.#output).toString();
    return text.replaceAll(/:\d+\.[0-9a-f]+\b/g, (unique) => {
      const known = this.#names.find(([name]) => name === unique);
      return known?.[1] ?? unique;
    });
  }

  #report(): Result {
    const errors = this.#errors.split('\n').filter((line) => line !== '');
    return { program: { ...this.#state, output: this.#text(), errors: errors.slice(-ERROR_LINES) } };
  }
}
