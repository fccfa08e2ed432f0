// SPDX-License-Identifier: MIT
/** Random stories of a bus: operations drawn by fast-check, played on the model, and recorded for the checks. */
import fc from 'fast-check';
import * as model from '../../../runner/model/index.ts';
import { Scene } from './scene.ts';

const NAMES = ['a', 'b', 'c', 'd'] as const;
const PREFIXES = [1, 2];
/** Bytes of each message. */
export const LENGTH = 10;

export type Op =
  | { readonly do: 'send'; readonly from: string; readonly to: string | undefined }
  | { readonly do: 'read'; readonly who: string }
  | { readonly do: 'join' | 'expel' | 'close' | 'close-accepted'; readonly who: string }
  | { readonly do: 'add' | 'del'; readonly who: string; readonly address: string }
  | { readonly do: 'eavesdrop'; readonly who: string; readonly on: boolean };

const client = fc.constantFrom(...NAMES);
const endpoint = fc.constantFrom(...NAMES, ...NAMES.map((name) => `@${name}`));
const held = fc
  .tuple(fc.constantFrom(...PREFIXES), fc.integer({ min: 1, max: 3 }))
  .map(([prefix, n]) => `000${prefix}/00000000000${n}`);
const destination = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom(model.MASTER, model.EVERYONE, ...PREFIXES.map(model.groupAddress)),
  fc.integer({ min: 1, max: 5 }).map(model.clientAddress),
  held,
);

/** Sends and reads mostly; the end of a client seldom, or nobody is left to talk. */
export const operations: fc.Arbitrary<readonly Op[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ do: fc.constant('send' as const), from: endpoint, to: destination }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('read' as const), who: endpoint }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('join' as const), who: client }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('add' as const, 'del' as const),
        who: client,
        address: held,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('eavesdrop' as const), who: client, on: fc.boolean() }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom('expel' as const, 'close' as const, 'close-accepted' as const),
        who: client,
      }),
    },
  ),
  { maxLength: 60 },
);

/** A send that was tried, and what was true just before it. */
export interface Tried {
  readonly from: model.Endpoint;
  readonly to: string | undefined;
  readonly outcome: model.Outcome;
  /** Who had joined. */
  readonly joined: ReadonlySet<model.Endpoint>;
  /** Queue lengths by endpoint, before and after. */
  readonly before: ReadonlyMap<model.Endpoint, number>;
  readonly after: ReadonlyMap<model.Endpoint, number>;
  /** What the heaviest queue weighed after it, and what its sender was charged with. */
  readonly heaviest: number;
  readonly charged: number;
}

export interface Story {
  readonly scene: Scene;
  readonly sends: readonly Tried[];
  /** What each endpoint has read, and still holds. */
  readonly got: ReadonlyMap<model.Endpoint, readonly model.Copy[]>;
}

export function play(ops: readonly Op[], options: model.BusOptions = {}): Story {
  const scene = new Scene({ queueLength: 2, ...options }).add('a', 'b', 'c', 'd?');
  const sends: Tried[] = [];
  const got = new Map(scene.endpoints().map((each): [model.Endpoint, model.Copy[]] => [each, []]));
  const read = (from: model.Endpoint) => {
    const copy = model.receive(from);
    if (copy) got.get(from)?.push(copy);
    return copy !== undefined;
  };
  for (const op of ops) {
    if (op.do === 'send') sends.push(trySend(scene, op.from, op.to));
    else if (op.do === 'read') read(scene.at(op.who));
    else change(scene, op);
  }
  for (const each of scene.endpoints()) while (read(each));
  return { scene, sends, got };
}

function trySend(scene: Scene, who: string, to: string | undefined): Tried {
  const from = scene.at(who);
  const lengths = () => new Map(scene.endpoints().map((each) => [each, each.queue.length]));
  const joined = new Set(scene.bus.joined);
  const before = lengths();
  const outcome = model.send(from, { length: LENGTH, ...(to !== undefined && { to }) });
  const heaviest = Math.max(...scene.endpoints().map(({ queued }) => queued));
  return { from, to, outcome, joined, before, after: lengths(), heaviest, charged: from.charged };
}

function change(scene: Scene, op: Exclude<Op, { do: 'send' | 'read' }>): void {
  const accepted = scene.accepted(op.who);
  switch (op.do) {
    case 'join':
      model.join(accepted);
      break;
    case 'expel':
      model.expel(accepted);
      break;
    case 'close':
      model.close(scene.client(op.who));
      break;
    case 'close-accepted':
      model.close(accepted);
      break;
    case 'add':
      model.addAddress(accepted, op.address);
      break;
    case 'del':
      model.delAddress(accepted, op.address);
      break;
    case 'eavesdrop':
      model.setEavesdrop(accepted, op.on);
      break;
  }
}
