// SPDX-License-Identifier: MIT
/** One host from its start to its end: what it offers, and to whom. */

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { before, describe, it } from 'mocha';
import { addressOf } from '../../runner/host/address.ts';
import { channel, type Host, runInHost, start, status, stop } from '../../runner/host/host.ts';
import { engineAt } from '../../runner/provision/engine.ts';
import { kernel, ownState } from './scene.ts';

describe('host: life', function () {
  this.timeout(120_000);
  let host: Host;
  ownState();
  const read = (name: string) => readFileSync(join(host.docker.certDir, name));
  const dockerPort = () => Number(new URL(host.docker.host).port);

  before(async function () {
    this.timeout(1_200_000); // may build the image
    host = await start({ kernel });
  });

  it('says that it runs, and on what', async () => {
    const now = await status({ kernel });
    assert.equal(now.state, 'running');
    assert.match(host.release, new RegExp(`^${kernel.replace('.', '\\.')}\\.`));
    assert.match(host.acceleratorReason, /^(KVM|TCG \(emulation\): .+)$/);
  });

  it('is the same host for every later start, also at once', async () => {
    const again = await Promise.all([start({ kernel }), start({ kernel })]);
    assert.deepEqual(
      again.map((h) => h.pid),
      [host.pid, host.pid],
    );
  });

  it('has the module', async () => {
    const { stdout } = await runInHost(host, ['cat', '/proc/modules']);
    assert.match(stdout, /^af_bus /m);
  });

  it('reports exit code and both outputs of a command', async () => {
    const said = await runInHost(host, ['sh', '-c', 'echo out; echo err >&2; exit 7']);
    assert.deepEqual(said, { code: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  it('passes arguments as they are', async () => {
    const words = ['a b', "it's", '"', '$HOME', 'two\nlines', '*', '\\', '', 'é'];
    const { stdout } = await runInHost(host, ['printf', '%s|', ...words]);
    assert.equal(stdout, `${words.join('|')}|`);
  });

  it('gives a stream to a command, in both directions to its end', async () => {
    const stream = await channel(host, ['tr', 'a-z', 'A-Z']);
    const bytes = 'abc\n'.repeat(50_000);
    stream.end(bytes);
    assert.equal(await text(stream), bytes.toUpperCase());
  });

  it('ends a command whose stream is gone', async () => {
    const stream = await channel(host, ['sh', '-c', 'echo $$; exec sleep 1000']);
    const pid = String(await new Promise((resolve) => stream.once('data', resolve))).trim();
    stream.destroy();
    const gone = `while kill -0 ${pid}; do sleep 0.2; done 2>/dev/null`;
    assert.equal((await runInHost(host, ['timeout', '30', 'sh', '-c', gone])).code, 0);
  });

  it('has no instruction that the emulator gets wrong', async () => {
    const { stdout } = await runInHost(host, ['cat', '/proc/cpuinfo']);
    assert.match(stdout, /^flags\s*:.*\bcx8\b/m);
    if (host.accelerator === 'tcg') assert.doesNotMatch(stdout, /\bcx16\b/);
  });

  it('has a clock that is right', async () => {
    const asked = Date.now() / 1000;
    const { stdout } = await runInHost(host, ['date', '+%s.%N']);
    const answered = Date.now() / 1000;
    // It is late by the way of the command that set it, which has 30 s; the saved machine's own is late since it was saved.
    assert.ok(
      Number(stdout) > asked - 30 && Number(stdout) < answered + 3,
      `the host has ${stdout}: ${asked} to ${answered}`,
    );
  });

  it('answers the Docker API to its owner at a socket, without TLS', async function () {
    if (host.exposed) this.skip(); // there are no namespaces here, and ports instead
    assert.equal(String(await engineAt({ host: host.docker.host }).docker.ping()), 'OK');
  });

  it('refuses the channel without a certificate', () => isRefused());

  it('keeps its keys from other users', () => {
    assert.equal(statSync(host.docker.certDir).mode & 0o077, 0);
    assert.equal(statSync(join(host.docker.certDir, 'key.pem')).mode & 0o077, 0);
    assert.equal(statSync(join(host.docker.certDir, '..', '..')).mode & 0o077, 0);
  });

  it('reaches no network', async () => {
    const { code } = await runInHost(host, [
      'socat',
      '-T3',
      '/dev/null',
      'TCP:10.0.2.2:22,connect-timeout=2',
    ]);
    assert.notEqual(code, 0);
  });

  it('stops, once or twice, and starts with other random numbers', async () => {
    const uuid = async (of: Host) => (await runInHost(of, ['cat', '/proc/sys/kernel/random/uuid'])).stdout;
    const first = await start({ kernel }).then(uuid);
    await stop({ kernel });
    await stop({ kernel });
    assert.equal((await status({ kernel })).state, 'stopped');
    host = await start({ kernel });
    assert.notEqual(await uuid(host), first);
  });

  it('names the port that another program has', async () => {
    await stop({ kernel });
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    await assert.rejects(start({ kernel, port }), {
      name: 'EnvironmentError',
      message: new RegExp(`port ${port} `),
    });
    await new Promise((resolve) => other.close(resolve));
    host = await start({ kernel, port });
    assert.equal(dockerPort(), port);
    assert.deepEqual(host.exposed?.why, 'it was started with --port');
  });

  it('answers the Docker API at such a port to its owner', async () => {
    const answer = await ask({ ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') });
    assert.equal(answer, 'OK');
  });

  it('refuses the Docker API there without a certificate', async () => {
    await assert.rejects(ask({ ca: read('ca.pem') }), /alert|certificate|hang up|reset/i);
  });

  it('refuses the channel there without a certificate', () => isRefused());

  async function isRefused(): Promise<void> {
    const stranger = connect({ host: '127.0.0.1', ...addressOf(host.channel), ca: read('ca.pem') });
    const heard: string[] = [];
    stranger.on('data', (data) => heard.push(String(data))).on('error', () => {});
    stranger.write('echo in\n');
    await new Promise((resolve) => stranger.once('close', resolve));
    assert.deepEqual(heard, []);
  }

  function ask(tls: { ca: Buffer; cert?: Buffer; key?: Buffer }): Promise<string> {
    return new Promise((resolve, reject) => {
      request({ ...tls, host: '127.0.0.1', port: dockerPort(), path: '/_ping', agent: false }, (answer) => {
        text(answer).then(resolve, reject);
      })
        .on('error', reject)
        .end();
    });
  }
});
