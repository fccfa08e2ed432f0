// SPDX-License-Identifier: MIT
// A topology whose expectation is wrong must fail, and the report must name the right check, step and message.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { CheckName } from '../../runner/verdict/verdict.ts';
import { failed, folder, verdictOf } from '../helpers/cli.ts';

const BUS = `apiVersion: afbus-topo/v1
name: planted
buses:
  cabin: { master: { admit: [camera, lidar, logger] } }
groups:
  sensors: { bus: cabin, prefix: 0x0001 }
clients:
  camera: { groups: [sensors], user: "1000:1000" }
  lidar: { groups: [sensors] }
  logger: {}
  outsider: {}
traffic:
`;

interface Planted {
  readonly title: string;
  readonly traffic: string;
  readonly check: CheckName;
  /** Text of the line that the failure must point at. */
  readonly at: string;
  readonly message?: string;
  readonly says: RegExp;
}

const planted: readonly Planted[] = [
  {
    title: 'a recipient that the kernel does not serve',
    traffic: `  - camera -> sensors: "frame"
    expect: { recipients: [camera, lidar, logger] }`,
    check: 'recipients',
    at: 'camera -> sensors',
    message: 'camera#1',
    says: /logger/,
  },
  {
    title: 'a recipient too few',
    traffic: `  - camera -> sensors: "frame"
    expect: { recipients: [lidar] }`,
    check: 'recipients',
    at: 'camera -> sensors',
    message: 'camera#1',
    says: /camera/,
  },
  {
    title: 'an error that does not come',
    traffic: `  - camera -> lidar: "first"
    expect: { recipients: [lidar] }
  - send: { from: camera, to: lidar, payload: "second", as: doomed }
    expect: { error: EHOSTUNREACH }`,
    check: 'errors',
    at: 'from: camera, to: lidar',
    message: 'doomed',
    says: /EHOSTUNREACH/,
  },
  {
    title: 'an error that nobody expected',
    traffic: `  - outsider -> lidar: "let me in"
    expect: { recipients: [lidar] }`,
    check: 'errors',
    at: 'outsider -> lidar',
    message: 'outsider#1',
    says: /EHOSTUNREACH/,
  },
  {
    title: 'another errno than the expected one',
    traffic: `  - outsider -> lidar: "let me in"
    expect: { error: ECONNREFUSED }`,
    check: 'errors',
    at: 'outsider -> lidar',
    message: 'outsider#1',
    says: /EHOSTUNREACH/,
  },
  {
    title: 'a client said to be blocked that is not',
    traffic: `  - expect: { client: camera, blocked: true, within: 200ms }`,
    check: 'blocked',
    at: 'client: camera',
    says: /waits for room/,
  },
  {
    title: 'a hang-up that does not come',
    traffic: `  - expect: { client: camera, hangup: true, within: 200ms }`,
    check: 'lifetime',
    at: 'client: camera',
    says: /camera/,
  },
];

const WRITTEN = `  - send: { from: camera, to: lidar, payload: "x", as: hello }
    expect: { recipients: [lidar] }
expect:
  deliveries:
    - LINE
`;

const written: readonly { title: string; line: string; says: RegExp }[] = [
  { title: 'a wrong sender', line: '{ to: lidar, message: hello, from: logger }', says: /logger/ },
  { title: 'wrong credentials', line: '{ to: lidar, message: hello, credentials: { uid: 7 } }', says: /7/ },
  {
    title: 'a descriptor that nobody sent',
    line: '{ to: lidar, message: hello, fds: 1 }',
    says: /descriptor|fd/,
  },
  { title: 'a recipient that the message never had', line: '{ to: logger, message: hello }', says: /logger/ },
];

/** A D-Bus program that crashes when no step waits for it any more; the other program ends when it is gone. */
const CRASHING = `name: planted
buses:
  session: { master: { program: dbus-daemon } }
clients:
  player: {}
  panel: { match: ["interface='org.example.Player'"] }
  fragile: { program: [sh, -c, 'echo $$$$ > /tmp/fragile; exec dbus-monitor --session'] }
  breaker: { program: [sh, -c, 'read p < /tmp/fragile; kill -SEGV $$p; while kill -0 $$p; do :; done'] }
traffic:
  - run: fragile
    expect: { output: [NameLost] }
  - signal: { from: player, path: /p, interface: org.example.Player, member: Changed }
  - run: breaker
    expect: { exit: 0 }
`;

describe('planted violations', function () {
  this.timeout(60_000);

  for (const p of planted) {
    it(`${p.title} fails ${p.check} and is named`, async () => {
      const text = `${BUS}${p.traffic}\n`;
      const verdict = await play(text);
      assert.deepEqual(failed(verdict), [p.check], JSON.stringify(verdict, null, 2));
      const [failure] = verdict.checks.find((c) => c.name === p.check)?.failures ?? [];
      assert.ok(failure, 'no failure in the check');
      const line = text.split('\n').findIndex((l) => l.includes(p.at)) + 1;
      assert.equal(failure.place?.line, line, JSON.stringify(failure));
      if (p.message) assert.equal(failure.message, p.message);
      assert.match(`${failure.summary} ${failure.expected} ${failure.observed}`, p.says);
    });
  }

  it('a program that crashes after the last step about it fails dbus.programs and is named', async () => {
    const verdict = await play(CRASHING);
    assert.deepEqual(failed(verdict), ['dbus.programs'], JSON.stringify(verdict, null, 2));
    const [failure, ...others] = verdict.checks.find(({ name }) => name === 'dbus.programs')?.failures ?? [];
    assert.deepEqual([failure?.place?.line, others], [10, []], JSON.stringify(failure));
    assert.equal(failure?.summary, 'fragile ended after the last expectation of it');
    assert.match(failure?.observed ?? '', /^it was ended by SIGSEGV; /);
  });

  for (const w of written) {
    it(`written delivery with ${w.title} fails recipients`, async () => {
      const text = BUS + WRITTEN.replace('LINE', w.line);
      const verdict = await play(text);
      assert.deepEqual(failed(verdict), ['recipients'], JSON.stringify(verdict, null, 2));
      const [failure] = verdict.checks.find((c) => c.name === 'recipients')?.failures ?? [];
      assert.equal(failure?.message, 'hello');
      assert.match(`${failure?.summary} ${failure?.expected} ${failure?.observed}`, w.says);
    });
  }
});

async function play(text: string) {
  using files = folder({ 'planted.topo.yaml': text });
  const verdict = await verdictOf([
    'run',
    '--quiet',
    '--launcher',
    'process',
    files.path('planted.topo.yaml'),
  ]);
  assert.equal(verdict.result, 'fail', JSON.stringify(verdict, null, 2));
  assert.equal(verdict.code, 1);
  return verdict;
}
