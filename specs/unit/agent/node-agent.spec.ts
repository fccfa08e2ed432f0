// SPDX-License-Identifier: MIT
// The real processes, as far as they go without AF_BUS: start, lines, signals, crashes, the end.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { AgentOrder, NodeOrder, NodeReport } from '../../../runner/agent/protocol.ts';

const MAIN = fileURLToPath(new URL('../../../runner/agent/main.ts', import.meta.url));
const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

describe('node agent', () => {
  let child: ChildProcess;
  let reports: NodeReport[];
  let heard: (report: NodeReport) => void;

  beforeEach(() => {
    reports = [];
    heard = () => {};
    child = spawn(process.execPath, [MAIN, 'node', 'n'], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const report = JSON.parse(line) as NodeReport;
      reports.push(report);
      heard(report);
    });
  });

  afterEach(() => {
    child.kill('SIGKILL');
  });

  const tell = (order: NodeOrder) => void child.stdin?.write(`${JSON.stringify(order)}\n`);

  /** Resolves with the first report that fits, past or to come. */
  function report<S extends NodeReport['say']>(
    say: S,
    fits: (r: Extract<NodeReport, { say: S }>) => boolean = () => true,
  ): Promise<Extract<NodeReport, { say: S }>> {
    const find = () =>
      reports.find((r): r is Extract<NodeReport, { say: S }> => r.say === say && fits(r as never));
    return new Promise((resolve) => {
      const look = () => {
        const found = find();
        if (found) resolve(found);
      };
      heard = look;
      look();
    });
  }

  it('holds a pack in one process, and tells its agents apart', async () => {
    for (const agent of ['one', 'two']) tell({ do: 'spawn', agent, user: me, env: {}, pack: 'p' });
    const isReady = (name: string) => report('heard', (r) => r.agent === name && r.report.say === 'ready');
    const one = await isReady('one');
    const two = await isReady('two');
    assert.ok(one.report.say === 'ready' && two.report.say === 'ready');
    assert.equal(one.report.pid, two.report.pid);
    tell({ do: 'tell', agents: ['two'], order: { id: 7, do: 'drain' } });
    await report('heard', (r) => r.agent === 'two' && r.report.say === 'done' && r.report.id === 7);
    tell({ do: 'end' });
    for (const agent of ['one', 'two'])
      await report('exit', (r) => r.agent === agent && r.signal === 'SIGKILL');
    await report('ended');
  });

  const ready = () => report('heard', (r) => r.report.say === 'ready');
  const start = async () => {
    tell({ do: 'spawn', agent: 'camera', user: me, env: {} });
    const { pid } = await report('spawned');
    await ready();
    return pid;
  };

  it('says hello first', async () => {
    const hello = await report('hello');
    assert.equal(reports[0], hello);
    assert.equal(hello.pid, child.pid);
    assert.equal(hello.kernel, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
  });

  it('passes orders down and reports up', async () => {
    const pid = await start();
    const { report: said } = await ready();
    assert.equal(said.say === 'ready' && said.pid, pid);
    tell({ do: 'tell', agents: ['camera'], order: { id: 9, do: 'drain' } });
    const { report: answer } = await report('heard', (r) => r.report.say === 'done');
    assert.equal(answer.say === 'done' && answer.id, 9);
  });

  it('passes on what follows a report that is as long as a whole write', async () => {
    await start();
    await ready();
    const unknown = { id: 1, do: 'x'.repeat(1 << 16) } as unknown as AgentOrder;
    tell({ do: 'tell', agents: ['camera'], order: unknown });
    await report('heard', (r) => r.report.say === 'failed');
    tell({ do: 'tell', agents: ['camera'], order: { id: 2, do: 'drain' } });
    await report('heard', (r) => r.report.say === 'done' && r.report.id === 2);
  });

  it('answers an order that cannot be carried out', async () => {
    await start();
    tell({ do: 'tell', agents: ['camera'], order: { id: 1, do: 'join', client: 'lidar' } });
    const { report: answer } = await report('heard', (r) => r.report.say === 'failed');
    assert.match(answer.say === 'failed' ? answer.error.message : '', /a client has no order "join"/);
  });

  it('reports a signal once it has taken effect', async () => {
    const pid = await start();
    const state = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
    tell({ do: 'signal', agent: 'camera', signal: 'SIGSTOP' });
    const { began, t } = await report('signalled', (r) => r.signal === 'SIGSTOP');
    assert.equal(state(), 'T');
    assert.ok(began < t, `${began} < ${t}`);
    tell({ do: 'signal', agent: 'camera', signal: 'SIGCONT' });
    await report('signalled', (r) => r.signal === 'SIGCONT');
    assert.notEqual(state(), 'T');
    tell({ do: 'signal', agent: 'camera', signal: 'SIGKILL' });
    assert.equal((await report('exit')).signal, 'SIGKILL');
  });

  it('passes on the last words of an agent that crashes', async () => {
    tell({
      do: 'spawn',
      agent: 'camera',
      user: me,
      env: { NODE_OPTIONS: '--import=data:text/javascript,throw(Error("luckless"))' },
    });
    const exit = await report('exit');
    assert.equal(exit.code, 1);
    const stderr = reports.flatMap((r) => (r.say === 'stderr' ? [r.text] : [])).join('');
    assert.match(stderr, /luckless/);
  });

  it('ends its agents, stopped ones too, and answers when they are gone', async () => {
    const pid = await start();
    tell({ do: 'signal', agent: 'camera', signal: 'SIGSTOP' });
    await report('signalled');
    tell({ do: 'end' });
    await report('ended');
    assert.equal((await report('exit')).signal, 'SIGKILL');
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });

  it('ends its agents when the runner goes away', async () => {
    const pid = await start();
    child.stdin?.end();
    await once(child, 'exit');
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });

  it('stays with its agents if it was told to', async () => {
    const pid = await start();
    tell({ do: 'detach' });
    await report('detached');
    child.stdin?.destroy();
    child.stdout?.destroy();
    process.kill(pid, 0);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });
});
