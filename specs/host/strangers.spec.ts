// SPDX-License-Identifier: MIT
// A host in which something has changed, or in which a file of a stranger was played, serves nobody afterwards.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { after, describe, it } from 'mocha';
import { LIMITS } from '../../runner/common/limits.ts';
import { consoleLines, type Host, runInHost, start, stop } from '../../runner/host/host.ts';
import { writeHost } from '../../runner/host/state.ts';

const KERNEL = process.env.AFBUS_KERNEL === '6.1' ? '6.1' : '6.12';

describe('the host, after strangers', function () {
  this.timeout(600_000);
  after(() => stop({ kernel: KERNEL }));

  it('has its agent closed to writing, and is replaced if that was changed all the same', async () => {
    const host = await start({ kernel: KERNEL });
    assert.equal((await start({ kernel: KERNEL })).pid, host.pid);
    const plain = await runInHost(host, ['sh', '-c', `echo >> ${AGENT}`]);
    assert.notEqual(plain.code, 0);
    await tamperWith(host);
    assert.notEqual((await start({ kernel: KERNEL })).pid, host.pid);
  });

  it('gets the latest files if it lacks them, and is replaced if it was tampered with besides', async () => {
    const host = await start({ kernel: KERNEL });
    const stale = await outdate(host);
    assert.equal((await start({ kernel: KERNEL })).pid, host.pid);
    assert.deepEqual((await start({ kernel: KERNEL })).payloadSums, host.payloadSums);
    await outdate(stale);
    await tamperWith(host);
    const busy = '/var/lib/docker/containers/busy';
    await runInHost(host, ['mkdir', busy]);
    await assert.rejects(start({ kernel: KERNEL }), /something in this one has changed.*1 containers/);
    await runInHost(host, ['rmdir', busy]);
    assert.notEqual((await start({ kernel: KERNEL })).pid, host.pid);
  });

  it('is a fresh one for files that are not trusted, and again afterwards', async () => {
    const trusted = await start({ kernel: KERNEL });
    const first = await start({ kernel: KERNEL, untrusted: true });
    const second = await start({ kernel: KERNEL, untrusted: true });
    const again = await start({ kernel: KERNEL });
    assert.equal(new Set([trusted, first, second, again].map(({ pid }) => pid)).size, 4);
    assert.equal((await start({ kernel: KERNEL })).pid, again.pid);
  });

  it('closes connections to its channel that show no certificate, and meanwhile answers its owner', async () => {
    const host = await start({ kernel: KERNEL });
    const closed: Promise<void>[] = [];
    for (let n = 0; n < 80; n++) closed.push((await open(host.channelPort)).closed);
    assert.equal((await runInHost(host, ['docker', 'version'])).code, 0);
    await Promise.all(closed);
    assert.equal((await runInHost(host, ['true'])).code, 0);
  });

  it('fills no disk by its console, whose last lines stay', async () => {
    const host = await start({ kernel: KERNEL });
    const flood = `yes '\u001b[2J::error::forged' | head -c 2500000 >/dev/ttyS0; echo the last >/dev/ttyS0`;
    assert.equal((await runInHost(host, ['sh', '-c', flood])).code, 0);
    while (!consoleLines(host.consoleFile).includes('the last')) await new Promise(setImmediate);
    assert.ok(consoleSize(host) <= LIMITS.consoleBytes.most);
  });
});

const AGENT = '/opt/afbus-topo/agent.js';

async function tamperWith(host: Host): Promise<void> {
  const forced = `mount -o remount,bind,rw /opt/afbus-topo && echo >> ${AGENT}`;
  const { code, stderr } = await runInHost(host, ['sh', '-c', forced]);
  assert.equal(code, 0, stderr);
}

/** As if an earlier build had brought its agent into it. */
async function outdate(host: Host): Promise<Host> {
  await tamperWith(host);
  const { stdout } = await runInHost(host, ['sha256sum', AGENT]);
  const payloadSums = host.payloadSums?.with(2, stdout.slice(0, 64)) ?? [];
  const outdated = { ...host, payloadSums };
  writeHost(outdated);
  return outdated;
}

/** A connection that begins a greeting: without a byte of it, one that nobody has accepted would look open for ever. */
async function open(port: number): Promise<{ closed: Promise<void> }> {
  const socket = connect({ host: '127.0.0.1', port }).on('error', () => {});
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  await once(socket, 'connect');
  socket.resume().write('\x16');
  return { closed };
}

function consoleSize({ consoleFile }: Host): number {
  const folder = dirname(consoleFile);
  const names = readdirSync(folder).filter((name) => /^console\.(1\.)?log$/.test(name));
  return names.reduce((sum, name) => sum + statSync(`${folder}/${name}`).size, 0);
}
