// SPDX-License-Identifier: MIT
/** A bus with named clients, spoken of in few words. */
import assert from 'node:assert/strict';
import * as model from '../../../runner/model/index.ts';

export interface Party {
  readonly client: model.Endpoint;
  readonly accepted: model.Endpoint;
}

export class Scene {
  readonly bus: model.Bus;
  readonly parties = new Map<string, Party>();

  constructor(options: model.BusOptions = {}) {
    this.bus = model.listen(options);
  }

  /** Connects and is accepted; a name with `?` does not join. */
  add(...names: string[]): this {
    for (const name of names) {
      const party = model.attach(this.bus);
      assert.ok('client' in party);
      this.parties.set(name.replace('?', ''), party);
      if (!name.endsWith('?')) assert.equal(model.join(party.accepted), undefined);
    }
    return this;
  }

  client = (name: string): model.Endpoint => this.#party(name).client;
  accepted = (name: string): model.Endpoint => this.#party(name).accepted;
  address = (name: string): string => this.client(name).address;

  /** `a`: the client's own socket; `@a`: its accepted socket. */
  at = (name: string): model.Endpoint =>
    name.startsWith('@') ? this.accepted(name.slice(1)) : this.client(name);

  #party(name: string): Party {
    const party = this.parties.get(name);
    assert.ok(party, name);
    return party;
  }

  /** Sends `to` a party's own address, an address, or nobody in particular. */
  send(from: string, to?: string, rest: Partial<model.Message> = {}): model.Outcome {
    const address = to === undefined || to.includes('/') ? to : this.address(to);
    return model.send(this.at(from), { length: 10, ...rest, ...(address !== undefined && { to: address }) });
  }

  /** Who got it, or why not: `a b`, `EPIPE`, `wait a`. */
  tell(from: string, to?: string, rest?: Partial<model.Message>): string {
    const outcome = this.send(from, to, rest);
    if ('error' in outcome) return outcome.error;
    if ('wait' in outcome) return `wait ${this.names(outcome.wait)}`;
    return this.names(outcome.copies);
  }

  names(endpoints: readonly model.Endpoint[]): string {
    return endpoints.map((each) => this.nameOf(each)).join(' ') || 'nobody';
  }

  nameOf(endpoint: model.Endpoint): string {
    for (const [name, { client, accepted }] of this.parties) {
      if (endpoint === client) return name;
      if (endpoint === accepted) return `@${name}`;
    }
    throw new Error('a stranger');
  }

  endpoints(): model.Endpoint[] {
    return [...this.parties.values()].flatMap(({ client, accepted }) => [client, accepted]);
  }

  /** Reads everything of everyone. */
  drain(): void {
    for (const endpoint of this.endpoints()) while (model.receive(endpoint));
  }

  /** Fills the queue of a client until it is full. */
  fill(name: string): void {
    while (!model.isFull(this.client(name))) {
      const outcome = model.send(this.accepted(name), { length: 1 });
      assert.ok('sent' in outcome, 'no room to fill it');
    }
  }
}
