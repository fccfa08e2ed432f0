// SPDX-License-Identifier: MIT
/**
 * A folder with a topology file of a stranger, the same for the same seed. Each drawing starts from a topology that can
 * be played, of its own or of the project, and spoils a few of its places, so that many of them get as far as the
 * reports.
 */

import { mix } from '../../runner/common/envelope.ts';
import { knownText } from './known.ts';
import { document, name, Spoiler, spoiled, type Value } from './spoiler.ts';
import { FORGING, hostileText } from './strings.ts';

export type Entry =
  | { readonly path: string; readonly text: string | Uint8Array }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly fifo: true };

export interface Drawn {
  /** The file that is played, in the stranger's folder. */
  readonly main: string;
  readonly entries: readonly Entry[];
  /** What lies in the folder of artifacts before the run. */
  readonly left: readonly Entry[];
}

export function draw(seed: number, run: number): Drawn {
  const random = new Spoiler(mix(seed, run));
  const main = nameOf(random);
  const fair = random.oneIn(3) ? knownText : topologyText;
  const text = random.oneIn(12) ? excess(random) : spoilText(random, fair(random));
  return { main, entries: [{ path: main, text }, ...around(random)], left: leftOvers(random) };
}

const NAMES = [
  'a # SKIP.topo.yaml',
  '::error file=evil::x.topo.yaml',
  '--help.yaml',
  '<b>&amp;.topo.yaml',
  '%0Ax.yaml',
  '"]; x.yaml',
  '##[error]x.yaml',
  'ok 99 forged.topo.yaml',
];

function nameOf(random: Spoiler): string {
  if (!random.oneIn(6)) return 'a.topo.yaml';
  if (random.oneIn(2)) return random.pick(NAMES);
  const name = hostileText(random).replaceAll('/', '').replaceAll('\0', '').toWellFormed().slice(0, 60);
  return `x${name}.topo.yaml`;
}

/** What the file may name in its `include`, and what must not be reached by it. */
function around(random: Spoiler): readonly Entry[] {
  const part = spoilText(random, document({ clients: { [name(random, 'extra')]: {} } }));
  return [
    { path: 'part.yaml', text: part },
    {
      path: 'below/part.yaml',
      text: `include: [../part.yaml${random.oneIn(3) ? ', ../a.topo.yaml' : ''}]\n`,
    },
    { path: 'link', link: '../secret' },
    { path: 'up', link: '..' },
    { path: 'loop', link: 'loop' },
    { path: 'environ', link: '/proc/self/environ' },
    { path: 'zero', link: '/dev/zero' },
    ...(random.oneIn(8) ? [{ path: 'fifo', fifo: true } as const] : []),
    { path: 'binary', text: Uint8Array.from({ length: 40 }, () => random.below(256)) },
  ];
}

const INCLUDES = ['part.yaml', 'below/part.yaml', 'loop', 'environ', 'zero', 'binary', './part.yaml'];
const ARTIFACTS = ['verdict.json', 'report.txt', 'trace.jsonl', 'sequence.mmd', 'a.x=b', '.new'];

const leftOvers = (random: Spoiler): readonly Entry[] =>
  ARTIFACTS.filter(() => random.oneIn(6)).map((path) => ({
    path,
    link: random.pick(['../secret', '..', '../mine']),
  }));

function topologyText(random: Spoiler): string {
  const [camera, lidar] = [name(random, 'camera'), name(random, 'lidar')];
  return document({
    ...(random.oneIn(3) && { name: spoiled(random, 'fair') }),
    ...(random.oneIn(2) && { description: hostileText(random) }),
    ...(random.oneIn(3) && { matrix: matrix(random) }),
    ...(random.oneIn(4) && { include: include(random) }),
    ...(random.oneIn(6) && { defaults: spoiled(random, { sends: { size: '64B..128B' } }, 3) }),
    nodes: { [name(random, 'ecu')]: { env: env(random) } },
    buses: { [name(random, 'cabin')]: bus(random) },
    groups: { [name(random, 'sensors')]: { prefix: spoiled(random, 1) } },
    clients: {
      [camera]: spoiled(random, { groups: ['sensors'] }, 30),
      [lidar]: { groups: ['sensors'], ...(random.oneIn(6) && { user: spoiled(random, '1000:1000', 2) }) },
      ...(random.oneIn(4) && { slow: { receive: spoiled(random, 'manual', 5) } }),
      ...(random.oneIn(6) && { filtered: { filter: { bpf: spoiled(random, 'ret #64', 2) } } }),
      ...(random.oneIn(6) && { more: { replicas: spoiled(random, 3, 3), join: false } }),
    },
    traffic: Array.from({ length: 1 + random.below(4) }, () => step(random)),
    ...(random.oneIn(4) && {
      expect: spoiled(random, { latency: { p99: '1us' }, delivery: 'exactly-once' }, 4),
    }),
    ...(random.spoils(20) && { [hostileText(random)]: spoiled(random, 1, 2) }),
  });
}

const bus = (random: Spoiler): Value => ({
  ...(random.oneIn(3) && { path: spoiled(random, '/run/bus/cabin', 3) }),
  ...(random.oneIn(5) && { queueLength: spoiled(random, 4, 3) }),
  ...(random.oneIn(5) && { protocol: spoiled(random, 'none', 3) }),
});

const env = (random: Spoiler): Value => ({
  LOG: hostileText(random).replaceAll('\0', ''),
  ...(random.spoils(8) && { [hostileText(random)]: spoiled(random, 'x', 2) }),
});

const matrix = (random: Spoiler): Value => ({
  [name(random, 'x')]: Array.from({ length: 1 + random.below(3) }, (_, n) =>
    spoiled(random, `${random.pick(FORGING)}${n}`, 3),
  ),
});

const include = (random: Spoiler): Value =>
  Array.from({ length: 1 + random.below(2) }, () =>
    random.spoils() ? (random.oneIn(2) ? random.pick(INCLUDES) : hostileText(random)) : 'part.yaml',
  );

function step(random: Spoiler): Value {
  const payload = random.oneIn(2) ? hostileText(random) : '${x:-y}';
  switch (random.below(9)) {
    case 0:
      return { [`camera -> ${name(random, 'lidar')}`]: payload, expect: 'model' };
    case 1:
      return { 'camera -> sensors': payload, expect: 'model' };
    // It plays, and fails: what was expected and what was seen is printed.
    case 2:
      return { send: { from: 'camera', to: 'lidar', payload }, expect: { error: spoiled(random, 'EPERM') } };
    case 3:
      return {
        send: { from: 'lidar', to: 'camera', count: spoiled(random, 5, 4), size: spoiled(random, '64B', 4) },
        expect: 'model',
      };
    case 4:
      return { fault: random.pick(faults)(random) };
    case 5:
      return { parallel: [step(random), step(random)] };
    case 6:
      return {
        send: { from: 'camera', to: 'lidar', payload: binary(random) },
        expect: { recipients: ['lidar'] },
      };
    case 7:
      return {
        send: { from: 'cabin.master', to: 'sensors', via: spoiled(random, 'lidar', 3), payload },
        expect: 'model',
      };
    default:
      return {
        send: { from: 'camera', to: spoiled(random, 'cabin'), as: name(random, 'm1'), payload },
        expect: 'model',
      };
  }
}

const faults: readonly ((random: Spoiler) => Value)[] = [
  (random) => ({ [name(random, 'kill')]: spoiled(random, 'lidar', 3) }),
  (random) => ({ stop: spoiled(random, 'lidar', 3) }),
  (random) => ({ 'close-listener': spoiled(random, 'cabin.master', 3) }),
];

const binary = (random: Spoiler): Value =>
  random.pick<Value>([
    { hex: spoiled(random, '00ff1b5b324a', 3) },
    { base64: spoiled(random, 'GzptCg==', 3) },
    { dbus: { raw: spoiled(random, '6c04', 3) } },
    {
      dbus: {
        path: spoiled(random, '/a', 3),
        interface: 'a.b',
        member: spoiled(random, 'M', 3),
        args: [hostileText(random)],
      },
    },
  ]);

const BITS = [
  '&a ',
  '*a',
  '<<: *a',
  '? ',
  '| ',
  '> ',
  '!!binary ',
  '!<tag:evil> ',
  '---\n',
  '...\n',
  '%YAML 9.9\n',
  '\t',
  '#',
  '\ufeff',
  '@',
  '`',
];

/** The text as it is, or with something raw amid it. */
function spoilText(random: Spoiler, text: string): string {
  let spoilt = text;
  for (let left = random.spoils(6) ? 1 + random.below(2) : 0; left > 0; left--) {
    const at = random.below(spoilt.length);
    const bit = random.oneIn(2) ? random.pick(BITS) : hostileText(random);
    spoilt = spoilt.slice(0, at) + bit + spoilt.slice(at + random.below(4));
  }
  return random.oneIn(20) ? spoilt.replaceAll('\n', '\r\n') : spoilt;
}

const HEAD = 'buses: { b: {} }\n';

/** Files that are small and ask for much, or are big themselves. */
function excess(random: Spoiler): string {
  const times = (most: number, text: string) => text.repeat(1 + random.below(most));
  const two = 'clients: { s: {}, r: {} }\n';
  return random.pick<() => string>([
    () => `${HEAD}clients: { r: { replicas: ${random.pick([20_001, 1e9, 1e15])} } }\n`,
    () => `${HEAD}${two}traffic:\n  - send: { from: s, to: r, count: ${random.pick([1_000_001, 1e12])} }\n`,
    () => `${HEAD}${two}traffic:\n${times(3000, '  - s -> nobody: x\n')}`,
    () => `${HEAD}x: ${'['.repeat(random.below(100_000))}`,
    () => `x: &a [1, 1]\ny: &b [*a, *a, *a]\n${times(30, 'z: &b [*b, *b, *b, *b]\n')}`,
    () => `matrix: { a: [${times(300, '1, ')}2], b: [1, 2, 3] }\n${HEAD}${two}`,
    () => `${times(20_000, '? a\n')}`,
    () => `include: [${times(200, 'part.yaml, ')}a.topo.yaml]\n${HEAD}`,
    () => `description: "${times(100_000, '\\u001b[2J')}"\n${HEAD}`,
    () => `${HEAD}clients: { ${times(2000, 'c: {}, ')} }\n`,
    () =>
      `${HEAD}nodes: { ${Array.from({ length: random.below(3000) }, (_, i) => `n${i}: {}`).join(', ')} }\n`,
    () => times(300_000, '#\n'),
    () => `${HEAD}bad: "${'${a:-'.repeat(random.below(200_000))}"\n`,
    () =>
      `matrix: { n: [${Array.from({ length: 200 }, (_, i) => i).join(', ')}] }\n${HEAD}${two}traffic:\n${times(10_000, '  - s -> r: "${n}"\n')}`,
    () =>
      `${HEAD}clients: { s: {}, r: { replicas: ${random.below(9000)} } }\ntraffic:\n  - parallel:\n${times(9000, '      - s -> r-0: x\n')}`,
  ])();
}
