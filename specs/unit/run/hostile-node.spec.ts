// SPDX-License-Identifier: MIT
// A node may say anything: the run ends with a verdict, or with an environment error that names the node.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { type NodeReport, PROTOCOL_VERSION } from '../../../runner/agent/protocol.ts';
import { Deadline } from '../../../runner/common/deadline.ts';
import { EnvironmentError } from '../../../runner/common/errors.ts';
import { LIMITS } from '../../../runner/common/limits.ts';
import { connectNode } from '../../../runner/provision/connection.ts';
import { run } from '../../../runner/run/index.ts';
import { judge } from '../../../runner/verdict/index.ts';
import { FakeLab, hi, planOf } from './fake-lab.ts';

const PLAN = planOf(`
nodes: { n: {}, other: {} }
buses: { cabin: { master: { node: n } } }
clients: { camera: { node: n }, lidar: { node: other } }
traffic: [${hi('camera', 'lidar')}, ${hi('lidar', 'camera')}]
`);

/** Plays, while node `n` says these; the error that ended it, or null after a verdict. */
async function play(lines: readonly unknown[]): Promise<unknown> {
  const lab = new FakeLab(['n', 'other'], (agent, order) => {
    if (order.do === 'send' && agent === 'lidar')
      for (const line of lines) lab.nodes.get('n')?.report(line as NodeReport);
    return undefined;
  });
  try {
    const trace = await run(PLAN, lab, { deadline: new Deadline(10_000) });
    judge(PLAN, trace);
    return null;
  } catch (error) {
    return error;
  }
}

const heard = (report: unknown, agent = 'camera') => ({ say: 'heard', agent, report });
/** One delivery in columns, but for what is given. */
const delivery = (lane: unknown, other: object = {}) => ({
  ...{ lane, position: 0, taken: [[1, 1]], message: [0], sequence: [null], length: [64], kind: [0] },
  kinds: [[2, '0000/000000000001', null, 0, 0]],
  checksums: [],
  ...other,
});
const delivered = (lane: unknown, other?: object) =>
  heard({ say: 'deliveries', list: [delivery(lane, other)] });

/** One batch in columns, but for what is given. */
const taken = (taker: unknown, other: object = {}) => {
  const { lane, position, taken, checksums, ...columns } = delivery('');
  return { say: 'batches', list: [{ takers: [taker], ...columns, ...other }] };
};

const WRONG: Readonly<Record<string, unknown>> = {
  'an unknown agent': { say: 'stderr', agent: 'nobody', text: '' },
  'the end of an agent of another node': { say: 'exit', agent: 'lidar', code: 0, signal: null },
  'the end of a socket of another node': heard({ say: 'end', lane: 'lidar', t: 1, why: 'eof' }),
  'a socket of nobody': heard({ say: 'end', lane: 'nobody', t: 1, why: 'eof' }),
  'a missing field': { say: 'exit', agent: 'camera' },
  'a delivery to another': delivered('lidar'),
  'a delivery without its columns': heard({ say: 'deliveries', list: [{ lane: 'camera', position: 0 }] }),
  'a column that is longer than others': delivered('camera', { length: [64, 64] }),
  'a delivery of a kind that is not told': delivered('camera', { kind: [1] }),
  'deliveries without a time': delivered('camera', { taken: [] }),
  'deliveries that are no list': heard({ say: 'deliveries', list: { length: 1e9 } }),
  'a batch of another': taken(['lidar', 0, 1]),
  'a batch of a socket of nobody': taken(['nobody', 0, 1]),
  'a batch of a socket that its master has accepted from nobody': taken(['cabin.master@nobody', 0, 1]),
  'a batch without a time': taken(['camera', 0]),
  'a batch of nobody': { say: 'batches', list: [{ message: [] }] },
  'a batch with a column that is shorter than others': taken(['camera', 0, 1], { sequence: [] }),
  'a batch of a kind that is not told': taken(['camera', 0, 1], { kind: [1] }),
  'a send without a number': heard({ say: 'sends', list: [['0', 1, 2, null]] }),
  'what no node says': { say: 'constructor', agent: 'camera' },
  nothing: null,
};

describe('a node that sends forbidden reports', function () {
  this.timeout(600_000);

  for (const [what, line] of Object.entries(WRONG)) {
    it(`is named: ${what}`, async () => {
      const error = await play([line]);
      assert.ok(error instanceof EnvironmentError, String(error));
      assert.match(error.message, /^node "n" broke the protocol of the agents: /);
    });
  }

  // AFBUS_FUZZ_LINES=100000 is the long run.
  it('ends no run in any other way', async () => {
    const agent = fc.constantFrom('camera', 'cabin.master', 'lidar', 'x', '__proto__', '');
    const lane = fc.constantFrom('camera', 'cabin.master@camera', 'cabin.master@lidar', 'lidar', '@', '');
    const any = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.string(),
      fc.constant(null),
      fc.object({ maxDepth: 1 }),
    );
    const message = fc.oneof(fc.nat(3), fc.constantFrom(null, 1e15, -1));
    const columns = (length: number) => {
      const of = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: length, maxLength: length });
      const kind = fc.tuple(fc.nat(15), fc.string(), fc.constant(null), fc.nat(2), fc.nat(2));
      return fc.record({
        ...{
          lane,
          position: fc.nat(3),
          taken: of(fc.tuple(fc.nat(99), fc.constant(1))),
          message: of(message),
        },
        ...{ sequence: of(fc.option(fc.nat(9))), length: of(fc.nat(99)), kind: of(fc.nat(1)) },
        kinds: fc.array(kind, { minLength: 1, maxLength: 2 }),
      });
    };
    const deliveries = fc.nat(3).chain(columns);
    const taker = fc.tuple(lane, fc.nat(3), fc.nat(99));
    const batch = fc
      .tuple(deliveries, fc.array(taker, { maxLength: 3 }))
      .map(([{ lane, position, taken, ...messages }, takers]) => ({ takers, ...messages }));
    const report = fc.oneof(
      fc.record({ say: fc.constant('deliveries'), list: fc.array(deliveries, { maxLength: 3 }) }),
      fc.record({
        say: fc.constant('sends'),
        list: fc.array(fc.tuple(message, fc.nat(9), fc.option(fc.nat(9)), fc.option(fc.string())), {
          maxLength: 3,
        }),
      }),
      fc.record({
        say: fc.constantFrom('done', 'failed'),
        id: fc.nat(9),
        t: fc.nat(9),
        result: any,
        error: any,
      }),
      fc.record({ say: fc.constant('end'), lane, t: fc.nat(9), why: fc.constantFrom('eof', 'hangup', 'x') }),
      fc.record({
        say: fc.constant('pipe'),
        message,
        index: fc.nat(2),
        answer: any,
        tokens: fc.array(lane),
        eof: fc.boolean(),
      }),
      fc.record({ say: fc.constant('ready'), pid: any, pidNamespace: fc.string() }),
    );
    const line = fc.oneof(
      fc.record({ say: fc.constant('heard'), agent, report: fc.oneof(report, any) }),
      fc.record({ say: fc.constant('batches'), list: fc.array(batch, { maxLength: 3 }) }),
      fc.record({
        say: fc.constantFrom('stderr', 'kernel', 'spawned'),
        agent,
        text: fc.string(),
        level: fc.nat(7),
        pid: fc.nat(),
      }),
      fc.record({
        say: fc.constantFrom('exit', 'ended', 'detached', 'signalled'),
        agent,
        code: any,
        signal: any,
        socketsLeft: any,
      }),
      any,
    );
    const lines = Number(process.env.AFBUS_FUZZ_LINES ?? 1000);
    const each = 5;
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: each, maxLength: each }), async (said) => {
        const error = await play(said);
        assert.ok(error === null || error instanceof EnvironmentError, (error as Error)?.stack);
      }),
      { numRuns: Math.ceil(lines / each) },
    );
  });
});

describe('the line to a node', () => {
  const HELLO = `{"say":"hello","version":${PROTOCOL_VERSION},"kernel":"6","bus":{"family":1},"pid":1}\n`;

  it('ends where a report is too long, whatever it would have been', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const connecting = connectNode('n', { input, output });
    output.write(HELLO);
    const node = await connecting;
    node.onReport(() => {});
    const chunk = Buffer.alloc(1 << 20, 'x');
    for (let sent = 0; sent <= LIMITS.reportBytes.most && !output.destroyed; sent += chunk.length) {
      output.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await node.closed, `it sent a report of more than ${LIMITS.reportBytes.most} bytes`);
    assert.ok(output.destroyed);
  });

  it('refuses an invalid greeting', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const connecting = connectNode('n', { input, output });
    output.end(`{"say":"hello"}\n${HELLO.replace('{"family":1}', 'null')}`);
    await assert.rejects(connecting, /node "n" ended before it was ready/);
  });
});
