// SPDX-License-Identifier: MIT
/** Starts services when a client needs them. */
import type { Arg } from '../../runner/dbus/index.ts';
import { type Call, LATER } from './call.ts';
import type { Driver } from './driver.ts';
import { discarded, type Effect, type Incoming } from './effect.ts';
import { DriverError } from './error.ts';
import { signal, uint32 } from './message.ts';
import type { Peer } from './peer.ts';

/** What a `.service` file says. */
export interface Service {
  readonly name: string;
  /** The program and its arguments. */
  readonly exec: readonly string[];
  readonly user?: string;
}

/** Replies of StartServiceByName. */
const STARTED = 1;
const ALREADY_RUNNING = 2;

/** A call of StartServiceByName, or a message for the service, that waits. */
interface Waiting {
  readonly peer: Peer;
  readonly message: Incoming | undefined;
  readonly header: Incoming['header'];
}

export class Activation {
  readonly #driver: Driver;
  #services: ReadonlyMap<string, Service> = new Map();
  /** Services that were started and do not own their name yet, and what waits for them. */
  readonly #starting = new Map<string, Waiting[]>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  names(): readonly string[] {
    return [...this.#services.keys()];
  }

  setServices(services: readonly Service[]): void {
    this.#services = new Map(services.map((service) => [service.name, service]));
  }

  /** Tells everyone that the services were read again. */
  changed(): readonly Effect[] {
    return [{ do: 'broadcast', message: signal('ActivatableServicesChanged', []) }];
  }

  startByName(call: Call, name: string): readonly Arg[] | typeof LATER {
    this.#serviceOf(name);
    if (this.#driver.ownerOf(name) !== undefined) return [uint32(ALREADY_RUNNING)];
    call.before.push(...this.#wait(name, { peer: call.peer, message: undefined, header: call.header }));
    return LATER;
  }

  /** A message for a name without an owner: waits for the service. Nobody starts it who may not send there. */
  deliver(name: string, peer: Peer, message: Incoming): readonly Effect[] {
    this.#serviceOf(name);
    this.#driver.checkNamed(peer, message.header);
    return this.#wait(name, { peer, message, header: message.header });
  }

  /** The name has an owner: delivers what waited for it. */
  appeared(name: string, owner: Peer): readonly Effect[] {
    const waiting = this.#starting.get(name) ?? [];
    this.#starting.delete(name);
    return waiting.flatMap((each) =>
      each.peer.state === 'active' ? this.#serve(each, owner) : without(each.message),
    );
  }

  #serve({ peer, message, header }: Waiting, owner: Peer): readonly Effect[] {
    if (message === undefined) return this.#driver.reply(peer, header, [uint32(STARTED)]);
    try {
      return this.#driver.deliver(peer, message, owner);
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      return [...this.#driver.refuse(peer, header, error), ...without(message)];
    }
  }

  /** Whether a service was started and does not own its name yet. */
  isStarting(name: string): boolean {
    return this.#starting.has(name);
  }

  /** The service did not start: answers what waited for it. */
  failed(name: string, error: DriverError): readonly Effect[] {
    const waiting = this.#starting.get(name) ?? [];
    this.#starting.delete(name);
    return waiting.flatMap(({ peer, header, message }): readonly Effect[] => [
      ...(peer.state === 'active' ? this.#driver.refuse(peer, header, error) : []),
      ...without(message),
    ]);
  }

  /** A client has left: drops what it has waiting. Otherwise it could connect again and send as much once more. */
  left(peer: Peer): readonly Effect[] {
    const effects: Effect[] = [];
    for (const [name, waiting] of this.#starting) {
      const { gone = [], kept = [] } = Object.groupBy(waiting, (each) =>
        each.peer === peer ? 'gone' : 'kept',
      );
      this.#starting.set(name, kept);
      effects.push(...gone.flatMap(({ message }) => without(message)));
    }
    return effects;
  }

  #serviceOf(name: string): Service {
    const service = this.#services.get(name);
    if (service !== undefined) return service;
    throw new DriverError('ServiceUnknown', `The name ${name} was not provided by any .service files`);
  }

  #wait(name: string, waiting: Waiting): readonly Effect[] {
    this.#checkLimits(name, waiting);
    const before = this.#starting.get(name);
    if (before !== undefined) {
      before.push(waiting);
      return [];
    }
    this.#starting.set(name, [waiting]);
    return [
      { do: 'start', service: this.#serviceOf(name), timeout: this.#driver.limits.service_start_timeout },
    ];
  }

  /** Limits what each client has waiting: the bus holds it, and a client could send without end. */
  #checkLimits(name: string, { peer, message }: Waiting): void {
    const { max_pending_service_starts, max_incoming_bytes, max_incoming_unix_fds } = this.#driver.limits;
    const all = [...this.#starting.values()].flat();
    if (all.length >= max_pending_service_starts)
      throw new DriverError(
        'LimitsExceeded',
        `The maximum number of pending activations has been reached, activation of ${name} failed`,
      );
    if (message === undefined) return;
    const held = [...all.filter((each) => each.peer === peer).flatMap((each) => each.message ?? []), message];
    const bytes = held.reduce((sum, each) => sum + each.bytes.length, 0);
    const fds = held.reduce((sum, each) => sum + each.fds.length, 0);
    if (bytes > max_incoming_bytes || fds > max_incoming_unix_fds)
      throw new DriverError(
        'LimitsExceeded',
        `Messages of "${peer.name}" that wait for services hold ${bytes} bytes and ${fds} descriptors (max_incoming_bytes=${max_incoming_bytes}, max_incoming_unix_fds=${max_incoming_unix_fds})`,
      );
  }
}

const without = (message: Incoming | undefined): readonly Effect[] =>
  message === undefined ? [] : discarded(message);
