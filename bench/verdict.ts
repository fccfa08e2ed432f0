// SPDX-License-Identifier: MIT
/** How fast a verdict is: `node bench/verdict.ts [deliveries] [receivers]`. */

import { performance } from 'node:perf_hooks';
import { judge } from '../runner/verdict/index.ts';
import { makeRun } from '../specs/unit/verdict/helpers/make-run.ts';
import type { OpenDelivery, Run } from '../specs/unit/verdict/helpers/story.ts';

const SENDERS = 4;
const [deliveries = 1_000_000, receivers = 8] = process.argv.slice(2).map(Number);

/** Senders that take turns, receivers that all get everything. */
function busy(messages: number): Run {
  const lanes = Array.from({ length: receivers }, (_, i) => `r${i}`);
  const names = [...Array.from({ length: SENDERS }, (_, i) => `s${i}`), ...lanes];
  const run = makeRun({ clients: names.map((name) => ({ name })), sent: [], lanes: {} });
  const expected = { kind: 'delivered', lanes } as const;
  const place = { file: 'bench.topo.yaml', line: 1, column: 1 };
  for (let number = 0; number < messages; number++) {
    const from = `s${number % SENDERS}`;
    const name = `${from}#${Math.floor(number / SENDERS)}`;
    const message = {
      number,
      name,
      step: '1',
      from: { kind: 'client', name: from },
      length: 64,
      fds: 0,
      expected,
      place,
    };
    run.plan.messages.push(message as never);
    run.trace.sends.push({ agent: from, message: number, t0: number * 10, t1: number * 10 + 35 });
  }
  for (const lane of lanes)
    run.trace.deliveries.set(
      lane,
      Array.from({ length: messages }, (_, i) => delivery(run, lane, i)),
    );
  return run;
}

function delivery(run: Run, lane: string, i: number): OpenDelivery {
  const { address, pid } = run.trace.attaches[i % SENDERS] as Run['trace']['attaches'][number];
  const uid = 1000 + (i % SENDERS);
  const body = { length: 64, intact: true, truncated: false, controlTruncated: false, fds: 0, lost: 0 };
  return {
    lane,
    position: i,
    t: i * 10 + 40,
    message: i,
    fence: false,
    sequence: i,
    from: address,
    ...body,
    credentials: { pid, uid, gid: uid },
  };
}

function measure(what: string, run: Run): void {
  const begin = performance.now();
  const { result, checks } = judge(run.plan, run.trace);
  const seconds = (performance.now() - begin) / 1000;
  const failed = checks.reduce((sum, c) => sum + c.failed, 0);
  const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(`${what.padEnd(28)} ${seconds.toFixed(2)} s  ${result}, ${failed} failures, ${memory} MiB`);
}

const run = busy(Math.ceil(deliveries / receivers));
console.log(
  `${deliveries} deliveries in ${receivers} lanes, ${run.plan.messages.length} messages of ${SENDERS} senders`,
);
measure('a right run', run);

const first = run.trace.deliveries.get('r0') as OpenDelivery[];
const middle = Math.floor(first.length / 2);
const [a, b] = [first[middle] as OpenDelivery, first[middle + 1] as OpenDelivery];
[first[middle], first[middle + 1]] = [
  { ...b, position: a.position },
  { ...a, position: b.position },
];
measure('two neighbours swapped', run);

run.trace.deliveries.set(
  'r1',
  [...(run.trace.deliveries.get('r1') as OpenDelivery[])]
    .reverse()
    .map((d, position) => ({ ...d, position })),
);
measure('a lane backwards', run);

for (const log of run.trace.deliveries.values()) for (const d of log) d.intact = false;
measure('and everything corrupted', run);
