// SPDX-License-Identifier: MIT
/**
 * Random topologies, the same for the same seed: small buses with what is hard for a kernel, such as short queues that
 * nobody reads, overlapping groups, members that come and go while others send, masters that leave.
 *
 * Parts are drawn without regard to whether they make sense together: what the loader refuses is drawn again.
 */

import type { Random } from '../common/random.ts';
import { load } from '../load/index.ts';
import { busOfMaster, masterOf } from '../topology/lane.ts';
import { randomMessage, randomRule, randomRules } from './dbus.ts';
import { type BusPart, type Part, type Scenario, textOf, type Written } from './scenario.ts';

/** Maximum number of draws for one step. */
const TRIES = 12;
const MAX_MORE_STEPS = 9;

/** Draws that many buses that make sense together. */
export const generate = (random: Random, buses: number): readonly BusPart[] =>
  Array.from({ length: buses }, (_, i) => new BusMaker(random, i).make());

/** Whether the loader accepts it, and it ends in every order of its branches. */
export function makesSense(scenario: Scenario): boolean {
  const { topology, diagnostics } = load(`${scenario.name}.topo.yaml`, { source: textOf(scenario) });
  return topology !== undefined && !diagnostics.some(({ code }) => code === 'order-dependent');
}

/** Keeps messages of up to 64 bytes, cuts longer ones, and drops those from 200 bytes. */
const SHORT_ONES = 'ld #len\njgt #64, long\nret #-1\nlong: jlt #200, cut\nret #0\ncut: ret #48';

const ABSENT = ['0009/000000000001', '0009/ffffffffffff', '0000/000000000000', '0000/000000000001'];

class BusMaker {
  readonly #random: Random;
  readonly #suffix: string;
  readonly #bus: string;
  /** Whether the bus has the D-Bus protocol. */
  readonly #dbus: boolean;
  readonly #groups: readonly Part[];
  readonly #clients: readonly Part[];
  readonly #addresses: string[] = [];
  #pipes = 0;

  constructor(random: Random, index: number) {
    this.#random = random;
    this.#suffix = String(index);
    this.#bus = `bus${index}`;
    this.#dbus = random.oneIn(8);
    this.#groups = this.#make(1 + random.below(3), 'g', (_, i) => ({ bus: this.#bus, prefix: i + 1 }));
    this.#clients = this.#make(2 + random.below(3), '', (_, i) => this.#client(i));
  }

  make(): BusPart {
    const { below } = this.#rng;
    const overflow = this.#random.pick(['block', 'block', 'block', 'fail', 'evict']);
    let part: BusPart = {
      name: this.#bus,
      settings: {
        ...(this.#dbus && { protocol: 'dbus' }),
        ...(below(5) > 0 && { queueLength: 1 + below(3) }),
        ...(overflow !== 'block' && { overflow }),
        ...(this.#random.oneIn(6) && { sendBuffer: '6KiB' }),
      },
      groups: this.#groups,
      clients: this.#clients,
      steps: [{ send: { from: masterOf(this.#bus), to: this.#bus }, expect: 'model' }],
    };
    const wanted = 3 + below(MAX_MORE_STEPS);
    while (part.steps.length < wanted) {
      const longer = this.#another(part);
      if (!longer) break;
      part = longer;
    }
    return part;
  }

  get #rng() {
    return { below: (n: number) => this.#random.below(n), once: (n: number) => this.#random.oneIn(n) };
  }

  /** Adds a step that the loader accepts. */
  #another(part: BusPart): BusPart | undefined {
    for (let i = 0; i < TRIES; i++) {
      const longer = { ...part, steps: [...part.steps, this.#step()] };
      if (makesSense({ name: 'draft', about: [], buses: [longer] })) return longer;
    }
    return undefined;
  }

  #make(
    count: number,
    letters: string,
    settings: (name: string, index: number) => { readonly [key: string]: Written },
  ): Part[] {
    return Array.from({ length: count }, (_, i) => {
      const name = `${letters || 'abcdefgh'[i]}${letters ? i : ''}-${this.#suffix}`;
      return { name, settings: settings(name, i) };
    });
  }

  #client(index: number): { readonly [key: string]: Written } {
    const { once } = this.#rng;
    const groups = this.#groups.filter(() => once(2)).map(({ name }) => name);
    const address = `0007/00000000000${index + 1}`;
    const given = once(4);
    if (given) this.#addresses.push(address);
    return {
      bus: this.#bus,
      ...(groups.length > 0 && { groups }),
      ...(given && { addresses: [address] }),
      ...(once(6) && { eavesdrop: true }),
      ...(once(7) && { join: false }),
      ...(once(3) && { receive: 'manual' }),
      ...(once(8) && { user: '1000:1000' }),
      ...(once(9) && { filter: this.#filter() }),
      ...(!this.#dbus && once(12) && { buffer: this.#random.pick<Written>(['40B', '1KiB']) }),
      ...(this.#dbus && this.#rulesAndNames(index)),
    };
  }

  /** A D-Bus message is identified by its end, so no filter may cut it. */
  #filter(): Written {
    if (this.#dbus) return { drop: true };
    return this.#random.pick<Written>([{ drop: true }, { keep: '40B' }, { bpf: SHORT_ONES }]);
  }

  #rulesAndNames(index: number): { readonly [key: string]: Written } {
    const match = randomRules(this.#random);
    const owns = index === 0 && this.#random.oneIn(2);
    return { ...(match.length > 0 && { match }), ...(owns && { names: ['org.example.Name'] }) };
  }

  #step(): Written {
    const kind = this.#random.below(10);
    if (kind < 6) return this.#send();
    return kind < 8 ? this.#fault() : this.#parallel();
  }

  /** Sends one message; one time in `single`, several. */
  #send(client = this.#someone(), single = 3): Written {
    const { below, once } = this.#rng;
    const master = once(5);
    const from = master ? masterOf(this.#bus) : client;
    const to = this.#destination();
    return {
      send: {
        from,
        to,
        ...(once(single) && { count: 2 + below(4) }),
        ...this.#body(),
        ...(once(10) && { fds: Array.from({ length: 1 + below(3) }, () => this.#pipe()) }),
        ...(once(3) && { nonblocking: true }),
        ...(master && once(2) && { via: this.#someone() }),
      },
      // A drawn expectation would mean nothing: whatever the model predicts is right.
      expect: 'model',
    };
  }

  #body(): { readonly [key: string]: Written } {
    if (this.#dbus && !this.#random.oneIn(4)) return { payload: randomMessage(this.#random) };
    return this.#random.oneIn(4) ? { size: this.#random.pick(['64..3KiB', '33..200B', '2KiB..8KiB']) } : {};
  }

  #pipe(): Written {
    return { pipe: `p${this.#pipes++}-${this.#suffix}` };
  }

  #destination(): string {
    const pick = this.#random.below(10);
    if (pick < 4) return this.#someone();
    if (pick < 7) return this.#random.pick(this.#groups).name;
    if (pick < 8) return this.#bus;
    if (pick < 9) return masterOf(this.#bus);
    return this.#random.pick([...ABSENT, ...this.#addresses, '0007/0000000000aa', '0007/ffffffffffff']);
  }

  #someone(): string {
    return this.#random.pick(this.#clients).name;
  }

  #fault(): Written {
    const { below, once } = this.#rng;
    const client = this.#someone();
    const outsider = this.#clients.find(({ settings }) => settings.join === false)?.name ?? client;
    const master = masterOf(this.#bus);
    const address = this.#random.pick([...this.#addresses, '0007/0000000000aa', '0001/0000000000bb']);
    const faults: Written[] = [
      { read: client },
      { read: client, count: 1 + below(3) },
      { read: client, count: 1 + below(3) },
      { 'stop-reading': client },
      { 'stop-reading': client },
      { join: outsider },
      { join: outsider },
      { join: outsider },
      { expel: client },
      { 'add-address': client, address },
      { 'del-address': client, address },
      { eavesdrop: client, on: once(2) },
      { eavesdrop: client },
      { pause: client },
      { resume: client },
      { resume: client },
      { kill: client },
      { stop: client },
      { restart: client },
      { restart: client },
      { fill: client },
      { limit: client, fds: below(3) },
      { limit: client, fds: below(3) },
      { limit: client, fds: 'unlimited' },
      ...(this.#dbus ? this.#ruleFaults(client) : []),
      ...(once(4) ? [{ leave: master }, { kill: master }, { 'close-listener': master }] : []),
    ];
    return { fault: this.#random.pick(faults) };
  }

  /**
   * Every other time, the fault is placed among the sends of other branches; the loader refuses an `after` that may
   * never come.
   */
  #placedFault(sender: string): Written {
    const { fault } = this.#fault() as { readonly fault: { readonly [key: string]: Written } };
    const messages = 1 + this.#random.below(3);
    const moments = [
      {},
      {},
      { after: messages },
      { after: { messages, of: sender } },
      { at: '1ms' },
      { for: '2ms' },
      { after: messages, for: '2ms' },
    ];
    return { fault: { ...fault, ...this.#random.pick<{ readonly [key: string]: Written }>(moments) } };
  }

  #ruleFaults(client: string): Written[] {
    const settings = this.#clients.find(({ name }) => name === client)?.settings;
    const own = (settings?.match ?? []) as readonly string[];
    const rule = () => randomRule(this.#random);
    return [
      ...Array.from({ length: 4 }, () => ({ 'add-match': client, rule: rule() })),
      ...own.map((each) => ({ 'remove-match': client, rule: each })),
      { 'remove-match': client, rule: rule() },
    ];
  }

  #parallel(): Written {
    for (;;) {
      const step = this.#branches();
      const about = targets(step);
      const onMaster = about.includes(this.#bus);
      if (new Set(about).size === about.length && !(onMaster && about.length > 1)) return step;
    }
  }

  #branches(): Written {
    const sender = this.#someone();
    const branches = Array.from({ length: 2 + this.#random.below(2) }, (): Written => {
      if (this.#random.oneIn(2)) return this.#send(sender, 1);
      const either = () => (this.#random.oneIn(2) ? this.#send() : this.#placedFault(sender));
      return [either(), either()];
    });
    return { parallel: branches };
  }
}

/** The parties that the faults of a step affect: two concurrent faults of one party would have a random outcome. */
function targets(step: Written): string[] {
  if (typeof step !== 'object') return [];
  if (!Array.isArray(step) && 'fault' in step) {
    const [target] = Object.values(step.fault);
    return [busOfMaster(String(target)) ?? String(target)];
  }
  return Object.values(step).flatMap((each) => targets(each as Written));
}
