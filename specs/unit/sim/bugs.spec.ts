// SPDX-License-Identifier: MIT
// Each fault of a simulated kernel is found by the check that exists for it, at its step and message, and by no other,
// unless it does two things wrong.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BUGS, type BugName, parseBug } from '../../../runner/sim/index.ts';
import type { CheckName } from '../../../runner/verdict/verdict.ts';
import { complaints, playText } from './play.ts';

interface Case {
  readonly yaml: string;
  readonly every?: number;
  /** Of the first failure. */
  readonly kind: string;
  readonly step?: string;
  readonly message?: string;
  /** Another check that finds it. */
  readonly also?: CheckName;
}

const PARTIES = `
buses: { cabin: { queueLength: 3 } }
groups: { g: { prefix: 0x0001 } }
clients:
  a: { groups: [g] }
  b: { groups: [g], user: "1000:1000" }
  c: { groups: [g] }
  ear: { eavesdrop: true }
  loner: {}
  out: { join: false }
`;
const ALL = '{ recipients: [a, b, c, ear] }';
const TO_B = '{ recipients: [b, ear] }';

/** Step 1: to the group. Step 2: to one. Step 3: with a descriptor. Step 4: not allowed. */
const TALK = `${PARTIES}
traffic:
  - { send: { from: a, to: g, payload: hello }, expect: ${ALL} }
  - { send: { from: c, to: b, count: 2, size: 64..256B }, expect: ${TO_B} }
  - { send: { from: a, to: b, fds: [{ pipe: p }] }, expect: ${TO_B} }
  - { send: { from: out, to: b }, expect: { error: EHOSTUNREACH } }
`;

const TWO_PIPES = `${PARTIES}
traffic:
  - { send: { from: a, to: b, fds: [{ pipe: p }, { pipe: q }] }, expect: ${TO_B} }
  - { send: { from: a, to: b }, expect: ${TO_B} }
`;

const NONBLOCKING = `
buses: { cabin: { queueLength: 1 } }
clients: { a: {}, deaf: { receive: manual } }
traffic:
  - { send: { from: a, to: deaf, count: 2 }, expect: { recipients: [deaf] } }
  - { send: { from: a, to: deaf, nonblocking: true }, expect: { error: EAGAIN } }
`;

/** What happens beside waiting senders takes its time: 10 ms, on a bus of its own. */
const PAUSED = `
buses: { cabin: { queueLength: 1 }, other: {} }
clients:
  a: { bus: cabin }
  deaf: { bus: cabin, receive: manual }
  left: { bus: cabin }
  right: { bus: cabin }
  p: { bus: other }
  q: { bus: other }
traffic:
  - parallel:
      - { send: { from: a, to: deaf, count: 4 }, expect: { recipients: [deaf] } }
`;
const PAUSE = '{ send: { from: p, to: q, count: 2, rate: 100/s }, expect: { recipients: [q] } }';

const WAITING = `${PAUSED}
      - - ${PAUSE}
        - fault: { read: deaf }
`;

const BYSTANDER = `${PAUSED}
      - { send: { from: left, to: right, count: 30, rate: 10000/s }, expect: { recipients: [right] } }
      - - ${PAUSE}
        - expect: { client: left, blocked: false, within: 1ms }
        - fault: { read: deaf }
`;

const EAR = `
buses: { cabin: { queueLength: 1 }, other: {} }
clients:
  a: { bus: cabin }
  b: { bus: cabin }
  ear: { bus: cabin, eavesdrop: true, receive: manual }
  p: { bus: other }
  q: { bus: other }
traffic:
  - parallel:
      - { send: { from: a, to: b, count: 20 }, expect: { recipients: [b, ear] } }
      - - ${PAUSE}
        - expect: { client: a, blocked: false, within: 50ms }
        - fault: { read: ear }
`;

const EXPEL = `
buses: { cabin: {} }
clients: { a: {}, b: {}, rowdy: {} }
traffic:
  - { send: { from: a, to: b }, expect: { recipients: [b] } }
  - fault: { expel: rowdy }
  - expect: { client: rowdy, hangup: true, within: 100ms }
  - { send: { from: b, to: cabin.master }, expect: { recipients: [cabin.master] } }
`;

const KILL = `
buses: { cabin: {} }
clients: { a: {}, b: {}, c: {} }
traffic:
  - { send: { from: a, to: b }, expect: { recipients: [b] } }
  - fault: { kill: c }
`;

const RIVALS = `
buses: { cabin: {} }
groups: { g: { prefix: 0x0001 } }
clients: { a: {}, b: {}, x: { groups: [g] }, y: { groups: [g] }, z: { groups: [g], receive: manual } }
traffic:
  - parallel:
      - { send: { from: a, to: g, count: 3, rate: 1000/s }, expect: { recipients: [g] } }
      - { send: { from: b, to: g, count: 3, rate: 1000/s }, expect: { recipients: [g] } }
  - fault: { read: z }
`;

const PAIRS = `
buses: { cabin: {} }
groups: { g: { prefix: 0x0001 } }
clients: { a: {}, x: { groups: [g] }, y: { groups: [g] } }
traffic:
  - { send: { from: a, to: g, count: 4 }, expect: { recipients: [g] } }
`;

const ANSWERS = `
buses: { cabin: {} }
groups: { g: { prefix: 0x0001 } }
clients: { x: { groups: [g] }, y: { groups: [g] }, a: {} }
traffic:
  - parallel:
      - - { send: { from: a, to: g }, expect: { recipients: [g] } }
        - { send: { from: x, to: y }, expect: { recipients: [y] } }
`;

const SECOND_LIFE = `
buses: { cabin: {} }
clients: { a: {}, b: {} }
traffic:
  - { send: { from: a, to: b }, expect: { recipients: [b] } }
  - fault: { restart: b }
  - { send: { from: a, to: b }, expect: { recipients: [b] } }
`;

const LIMITED = `
buses: { cabin: {} }
clients: { a: {}, b: {} }
traffic:
  - fault: { limit: b, fds: 1 }
  - { send: { from: a, to: b, fds: [{ pipe: p }, { pipe: q }] }, expect: { recipients: [b] } }
`;

const SMALL = `
buses: { cabin: {} }
clients: { a: {}, b: { buffer: 64B } }
traffic:
  - a -> b: "it fits"
  - send: { from: a, to: b, size: 65B }
`;

const SIGNALS = `
buses: { session: { protocol: dbus } }
clients:
  player: {}
  panel: { match: ["member='Stopped'", "member='Changed'"] }
  other: { match: ["member='Stopped'"] }
  deaf: {}
traffic:
  - send: { from: player, to: session, payload: { dbus: { path: /p, interface: a.P, member: Stopped } } }
    expect: { recipients: [panel, other] }
  - send: { from: player, to: session, payload: { dbus: { path: /p, interface: a.P, member: Changed, endian: big } } }
    expect: { recipients: [panel] }
  - { send: { from: player, to: session }, expect: { recipients: [] } }
  - { send: { from: player, to: deaf }, expect: { recipients: [deaf] } }
`;

const BUS_OF_NAMES = `
buses: { session: { master: { program: dbus-daemon } } }
clients:
  player: { names: [org.example.Player] }
  panel: { match: ["interface='org.example.Player'", "member='NameOwnerChanged',arg0='org.example.Player'"] }
  applet: { connect: legacy, match: ["interface='org.example.Player'"] }
  second: {}
traffic:
  - signal: { from: player, path: /p, interface: org.example.Player, member: Changed, args: [x] }
    expect: { recipients: [panel, applet] }
  - call: { from: panel, to: org.example.Player, path: /p, member: Echo, args: [7] }
    expect: { reply: [7], by: player }
  - release: { client: player, name: org.example.Player }
  - parallel:
      - signal: { from: player, path: /p, interface: org.example.Player, member: Tick, count: 9 }
        expect: { recipients: [panel, applet] }
      - signal: { from: second, path: /p, interface: org.example.Player, member: Tock, count: 9 }
        expect: { recipients: [panel, applet] }
`;

const SERVICE = `
buses: { session: { master: { program: dbus-daemon, services: { org.example.Player: player } } } }
clients:
  panel: {}
  player: { names: [org.example.Player] }
traffic:
  - call: { from: panel, to: org.example.Player, path: /p, member: Seek }
`;

const SLEEPER = `
buses: { session: { master: { program: dbus-daemon } } }
clients:
  sensor: {}
  slow: { match: ["interface='a.B'"] }
  log: { connect: legacy, match: ["interface='a.B'"] }
traffic:
  - fault: { pause: slow }
  - signal: { from: sensor, path: /e, interface: a.B, member: Tick, count: 150 }
    expect: { recipients: [log] }
  - fault: { resume: slow }
  - expect: { client: slow, hangup: true }
`;

const PASSED_ON = `
buses: { session: { master: { program: dbus-daemon } } }
clients:
  camera: { answers: { Open: { signature: h, reply: [0], fds: [{ pipe: p }] } } }
  viewer: { connect: legacy, match: ["interface='org.example.Camera'"] }
traffic:
  - signal: { from: camera, path: /c, interface: org.example.Camera, member: Frame, fds: [{ pipe: p }, { pipe: q }] }
    expect: { recipients: [viewer] }
  - call: { from: viewer, to: camera, path: /c, member: Share, fds: [{ pipe: p }, { pipe: q }] }
    expect: { reply: [], by: camera }
  - call: { from: viewer, to: camera, path: /c, member: Open }
    expect: { signature: h, reply: [0], by: camera }
`;

const CASES: Readonly<Record<BugName, Case>> = {
  lose: { yaml: TALK, every: 3, kind: 'lost', step: '2', message: 'c#2' },
  partial: { yaml: TALK, every: 2, kind: 'lost', step: '1', message: 'a#1' },
  'miss-eavesdrop': { yaml: TALK, every: 2, kind: 'unaccounted', step: '2', message: 'c#1' },
  duplicate: { yaml: TALK, every: 3, kind: 'duplicated', step: '2', message: 'c#2' },
  'ignore-join': { yaml: TALK, every: 2, kind: 'extra', step: '2', message: 'c#2' },
  'wrong-member': { yaml: TALK, kind: 'extra', step: '1', message: 'a#1' },
  'ignore-match': { yaml: SIGNALS, every: 2, kind: 'extra', step: '2', message: 'player#2' },
  'lost-match': { yaml: SIGNALS, kind: 'lost', step: '2', message: 'player#2' },
  'lost-count': { yaml: TALK, every: 2, kind: 'lost-count' },
  truncate: { yaml: TALK, every: 2, kind: 'length', step: '2', message: 'c#1' },
  corrupt: { yaml: TALK, every: 2, kind: 'corrupted', step: '2', message: 'c#1' },
  'wrong-sender': { yaml: TALK, every: 2, kind: 'sender', step: '2', message: 'c#1' },
  'wrong-credentials': { yaml: TALK, every: 2, kind: 'credentials', step: '2', message: 'c#1' },
  'wrong-peer': { yaml: TALK, every: 2, kind: 'peer-credentials' },
  'reuse-address': { yaml: SECOND_LIFE, kind: 'address-taken' },
  'lose-fd': { yaml: TALK, every: 1, kind: 'fds', step: '3', message: 'a#2' },
  'wrong-fd': { yaml: TALK, every: 1, kind: 'token', step: '3', message: 'a#2' },
  'swap-fds': { yaml: TWO_PIPES, kind: 'token', step: '1', message: 'a#1' },
  'leak-fd': { yaml: TALK, every: 1, kind: 'no-eof', step: '3', message: 'a#2' },
  'hide-truncation': { yaml: SMALL, kind: 'silently-truncated', step: '2', message: 'a#2' },
  'hide-cut': { yaml: LIMITED, kind: 'silently-cut', step: '2', message: 'a#1' },
  'cut-short': { yaml: LIMITED, kind: 'fds', step: '2', message: 'a#1' },
  'wrong-errno': { yaml: TALK, kind: 'wrong-errno', step: '4', message: 'out#1' },
  'deliver-though-failed': {
    yaml: TALK,
    every: 2,
    kind: 'delivered-though-failed',
    step: '2',
    message: 'c#2',
  },
  'succeed-though-full': { yaml: NONBLOCKING, kind: 'unexpected-success', step: '2', message: 'a#3' },
  'return-early': { yaml: TALK, every: 2, kind: 'realtime', step: '2' },
  reorder: { yaml: RIVALS, kind: 'contradiction' },
  'sequence-inverted': { yaml: TALK, every: 3, kind: 'sequence-inverted' },
  overtake: { yaml: PAIRS, every: 2, kind: 'inverted', step: '1' },
  // A copy that is early has no number yet.
  'copy-early': { yaml: ANSWERS, kind: 'contradiction', step: '1.b1.2', also: 'integrity' },
  'block-bystander': { yaml: BYSTANDER, kind: 'step', step: '1.b3.2' },
  'block-for-eavesdropper': { yaml: EAR, kind: 'step', step: '1.b2.2' },
  'never-block': { yaml: WAITING, kind: 'unexpected-error', step: '1.b1.1', message: 'a#3' },
  'hide-departure': { yaml: KILL, kind: 'unended', step: '2' },
  'no-hangup': { yaml: EXPEL, kind: 'unended', step: '2' },
  'end-bystander': { yaml: EXPEL, kind: 'ended' },
  leak: { yaml: TALK, every: 3, kind: 'sockets-left' },
  warn: { yaml: TALK, every: 2, kind: 'splat' },
  'lose-signal': { yaml: BUS_OF_NAMES, every: 10, kind: 'lost' },
  'double-signal': { yaml: BUS_OF_NAMES, every: 10, kind: 'duplicated' },
  'alter-signal': { yaml: BUS_OF_NAMES, every: 1, kind: 'altered', step: '1' },
  'double-reply': { yaml: BUS_OF_NAMES, every: 3, kind: 'answered-twice', step: '2' },
  'wrong-reply': { yaml: BUS_OF_NAMES, every: 3, kind: 'wrong-answer', step: '2' },
  'invent-call': { yaml: BUS_OF_NAMES, every: 10, kind: 'invented' },
  'invent-answer': { yaml: BUS_OF_NAMES, every: 10, kind: 'invented' },
  'answer-agent-twice': { yaml: BUS_OF_NAMES, every: 4, kind: 'invented' },
  'invent-signal': { yaml: BUS_OF_NAMES, every: 10, kind: 'invented' },
  'silent-change': { yaml: BUS_OF_NAMES, every: 1, kind: 'not-told', step: '3' },
  'keep-sleeper': { yaml: SLEEPER, kind: 'unended', step: '4' },
  'forget-sleeper': { yaml: SLEEPER, kind: 'lost', step: '2' },
  'forget-start': { yaml: SERVICE, kind: 'wrong-answer', step: '1' },
  'lose-dbus-fd': { yaml: PASSED_ON, kind: 'fds', step: '1' },
  'swap-dbus-fds': { yaml: PASSED_ON, kind: 'token', step: '1' },
  'keep-dbus-fd': { yaml: PASSED_ON, kind: 'no-eof', step: '1' },
  'turned-signals': { yaml: BUS_OF_NAMES, every: 2, kind: 'contradiction' },
};

/** What must happen to its sends is left to the model. */
const unsaid = (yaml: string): string =>
  yaml.replace(/(?:, |\n {4})expect: \{ (?:recipients|error):[^}]*\}/g, '');

const EACH = Object.entries(CASES).flatMap(([name, each]) => [
  { ...each, name, by: 'the file' },
  { ...each, yaml: unsaid(each.yaml), name, by: 'the model' },
]);

/** No schedule hides them. */
const SEEDS = [17, 1, 2];

describe('faults of a simulated kernel', () => {
  for (const { name, by, yaml, every = 1, kind, step, message, also } of EACH) {
    const { check, does } = BUGS[name as BugName];
    it(`${check} finds ${name} by ${by}: ${does}`, async () => {
      for (const seed of SEEDS) {
        const sound = await playText(yaml, { seed });
        assert.deepEqual(complaints(sound.verdict), []);
        const { verdict } = await playText(yaml, { seed, bug: { name: name as BugName, every } });
        const broken = verdict.checks.filter((c) => c.result === 'fail');
        assert.deepEqual(
          new Set(broken.map((c) => c.name)),
          new Set(also === undefined ? [check] : [check, also]),
          complaints(verdict).join('\n'),
        );
        const [failure] = broken.find((c) => c.name === check)?.failures ?? [];
        assert.equal(failure?.kind, kind, complaints(verdict).join('\n'));
        if (step !== undefined) assert.equal(failure?.step, step);
        if (message !== undefined) assert.equal(failure?.message, message);
        assert.equal(verdict.where.bug, every === 1 ? name : `${name}=${every}`);
      }
    });
  }

  for (const [what, client] of Object.entries({
    buffer: 'b: { buffer: 48B }',
    filter: 'b: { filter: { keep: 48B } }',
    'filter, and then by a buffer': 'b: { buffer: 48B, filter: { keep: 60B } }',
  })) {
    it(`integrity finds a flipped bit in a copy that is shortened by a ${what}`, async () => {
      const yaml = `
buses: { cabin: {} }
clients: { a: {}, ${client} }
traffic:
  - send: { from: a, to: b, count: 4, size: 80..200B }
`;
      assert.deepEqual(complaints((await playText(yaml, { seed: 3 })).verdict), []);
      const { verdict } = await playText(yaml, { seed: 3, bug: { name: 'corrupt', every: 3 } });
      assert.deepEqual(complaints(verdict), ['integrity: b got a#3 corrupted (step 1)']);
    });
  }

  it('are asked for by name, and how often', () => {
    assert.deepEqual(parseBug('lose'), { name: 'lose', every: 1 });
    assert.deepEqual(parseBug('lose=3'), { name: 'lose', every: 3 });
    for (const text of ['loose', 'lose=0', 'lose=x', 'constructor', ''])
      assert.throws(() => parseBug(text), /has no bug/);
  });
});
