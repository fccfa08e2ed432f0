// SPDX-License-Identifier: MIT
/** A driver with clients that talk to it, and what it wants done, in words. */
import { Driver, type DriverOptions } from '../../../daemon/driver/driver.ts';
import type { Effect, Incoming } from '../../../daemon/driver/effect.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../daemon/driver/limits.ts';
import { Peer } from '../../../daemon/driver/peer.ts';
import { onlyFor, type Policy } from '../../../daemon/driver/policy.ts';
import { type Arg, check, type DbusMessage, DRIVER, marshal } from '../../../runner/dbus/index.ts';
import { plain } from '../../helpers/corpus.ts';

const UID = 1000;

export interface SceneOptions {
  readonly limits?: Partial<Limits>;
  readonly policy?: Policy;
  readonly later?: DriverOptions['later'];
}

export const string = (value: string): Arg => ({ type: 's', value });
export const uint32 = (value: number): Arg => ({ type: 'u', value });

export class Scene {
  readonly driver: Driver;
  #count = 0;
  #serial = 0;

  constructor({ limits = {}, policy = onlyFor(UID), later = () => () => {} }: SceneOptions = {}) {
    this.driver = new Driver({
      ...{ limits: { ...DEFAULT_LIMITS, ...limits }, policy, id: 'id', machineId: 'machine' },
      ...{ self: { pid: 1, uid: UID }, later },
    });
  }

  /** A client that has authenticated. */
  connect({ uid = UID, fds = true, tracked = true } = {}): Peer {
    const address = `0000/${(++this.#count).toString(16).padStart(12, '0')}`;
    const peer = new Peer(address, { pid: 100 + this.#count, uid, groups: [uid] }, { fds, tracked });
    this.driver.connect(peer);
    return peer;
  }

  /** A client that has said Hello. */
  join(options: Parameters<Scene['connect']>[0] = {}): Peer {
    const peer = this.connect(options);
    this.call(peer, 'Hello');
    return peer;
  }

  incoming(message: Partial<DbusMessage>, fds: readonly string[] = []): Incoming {
    this.#serial++;
    const bytes = this.again(message);
    return { header: check(bytes), bytes, fds };
  }

  /** A message with the serial of the last one. */
  again(message: Partial<DbusMessage>): Buffer {
    const whole = { type: 'method_call', endian: 'little', args: [], ...message } as DbusMessage;
    return marshal(whole, this.#serial);
  }

  /** What comes of a message that reaches the driver. */
  handle(peer: Peer, message: Partial<DbusMessage>): string[] {
    return inWords(this.driver.handle(peer, this.incoming(message)));
  }

  /** What comes of a call of the bus. */
  call(peer: Peer, member: string, args: readonly Arg[] = [], more: Partial<DbusMessage> = {}): string[] {
    return this.handle(peer, {
      destination: DRIVER,
      path: '/org/freedesktop/DBus',
      interface: DRIVER,
      member,
      args,
      ...more,
    });
  }
}

/** `:0.1 < NameAcquired ":0.1"` */
export const inWords = (effects: readonly Effect[]): string[] => effects.map(effectInWords);

function effectInWords(effect: Effect): string {
  switch (effect.do) {
    case 'send':
      return `${effect.to.name} < ${messageInWords(effect.message)}`;
    case 'broadcast':
      return `all < ${messageInWords(effect.message)}`;
    case 'forward':
      return `${effect.from.name} > ${effect.to.name} ${effect.message.header.member}`;
    case 'multicast':
      return `${effect.from.name} > all ${effect.message.header.member}`;
    case 'own':
      return `own ${effect.name}: ${effect.from?.name ?? '-'} -> ${effect.to?.name ?? '-'}`;
    case 'add-match':
    case 'remove-match':
      return `${effect.do} ${effect.peer.name} ${effect.rule}`;
    case 'eavesdrop':
      return `${effect.peer.name} eavesdrops: ${effect.on}`;
    case 'disconnect':
      return `disconnect ${effect.peer.name}: ${effect.reason}`;
    case 'start':
      return `start ${effect.service.name} in ${effect.timeout}`;
    case 'discard':
      return `discard ${effect.message.fds.join(' ')}`;
    case 'environment':
      return `environment ${JSON.stringify(effect.variables)}`;
    case 'log':
      return `log ${effect.text}`;
    default:
      return `${effect.do} ${effect.peer.name}`;
  }
}

function messageInWords({
  type,
  member,
  errorName,
  args,
}: {
  type: string;
  member?: string;
  errorName?: string;
  args: readonly Arg[];
}): string {
  const name = errorName?.replace('org.freedesktop.DBus.Error.', '') ?? member ?? 'return';
  const values = args.map(({ value }) => JSON.stringify(plain(value))).join(' ');
  return `${type === 'error' ? '!' : ''}${name}${values === '' ? '' : ` ${values}`}`;
}
