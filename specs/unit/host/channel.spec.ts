// SPDX-License-Identifier: MIT
// A stranger who opens connections without end has some ended of which the handshake is not done. The owner's may be one.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createServer as createGate, type TLSSocket } from 'node:tls';
import { after, afterEach, before, describe, it } from 'mocha';
import { EnvironmentError } from '../../../runner/common/errors.ts';
import {
  answer,
  certificatesOf,
  channel,
  EngineAgent,
  type Host,
  runInHost,
  watch,
} from '../../../runner/host/host.ts';
import { inProject } from '../../../runner/host/paths.ts';
import { identify } from '../../../runner/host/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'afbus-channel-'));
const keys = (whose: string) => ({
  ca: readFileSync(join(folder, 'keys', whose, 'ca.pem')),
  cert: readFileSync(join(folder, 'keys', whose, 'cert.pem')),
  key: readFileSync(join(folder, 'keys', whose, 'key.pem')),
});

/** The port of a host that ends that many handshakes first, and then does as `serve` says. */
async function gateThatEnds(many: number, serve: (socket: TLSSocket) => void) {
  const gate = createGate({ ...keys('server'), requestCert: true, minVersion: 'TLSv1.3' }, serve);
  let left = many;
  const port = createServer((socket: Socket) => {
    socket.on('error', () => {});
    if (left-- > 0) socket.once('data', () => socket.resetAndDestroy());
    else gate.emit('connection', socket);
  }).listen(0, '127.0.0.1');
  await once(port, 'listening');
  return { port: (port.address() as AddressInfo).port, close: () => port.close() };
}

function* yes() {
  for (;;) yield Buffer.alloc(65_536, 'y');
}

const hostAt = (port: number): Host =>
  ({
    docker: { host: `tcp://127.0.0.1:${port}`, certDir: join(folder, 'keys', 'client') },
    channel: `tcp://127.0.0.1:${port}`,
    consoleFile: join(folder, 'console'),
    pid: process.pid,
    process: identify(process.pid),
  }) as Host;

describe('the way to a host that ends some TLS handshakes', () => {
  const open: { close: () => void }[] = [];
  before(() => execFileSync(inProject('images/host/keys'), [join(folder, 'keys')]));
  afterEach(() => void open.splice(0).map((each) => each.close()));
  after(() => rmSync(folder, { recursive: true }));

  it('leads to its channel all the same', async () => {
    const gate = await gateThatEnds(3, (socket) => socket.end('answered'));
    open.push(gate);
    assert.equal(await text(await channel(hostAt(gate.port), ['true'])), 'answered');
  });

  it('leads to its engine all the same', async () => {
    const gate = await gateThatEnds(3, (socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK'),
    );
    open.push(gate);
    const agent = new EngineAgent(hostAt(gate.port));
    const [answer] = await once(request({ host: '127.0.0.1', port: gate.port, agent }).end(), 'response');
    assert.equal(await text(answer), 'OK');
  });

  it('does not make it dead', async () => {
    const seen = Promise.withResolvers<'answered'>();
    const gate = await gateThatEnds(3, (socket) => {
      socket.on('error', () => {}).resume();
      seen.resolve('answered');
    });
    open.push(gate);
    const guard = watch(hostAt(gate.port));
    open.push({ close: () => guard.stop() });
    const died = guard.died.then(({ message }) => message);
    assert.equal(await Promise.race([seen.promise, died]), 'answered');
  });

  it('takes no answer without end', async () => {
    const gate = await gateThatEnds(0, (socket) => {
      socket.on('error', () => {});
      Readable.from(yes()).pipe(socket);
    });
    open.push(gate);
    const asked = runInHost(hostAt(gate.port), ['true']);
    await assert.rejects(asked, /does not answer: its answer has more than 16777216 bytes/);
    await assert.rejects(answer(new PassThrough(), 1), /does not answer: its answer has no end/);
  });

  it('leads to no impostor: another user who takes the port learns no command', async () => {
    execFileSync(inProject('images/host/keys'), [join(folder, 'others')]);
    const own = (name: string) => readFileSync(join(folder, 'others/server', name));
    const heard: Buffer[] = [];
    const impostor = createGate({ cert: own('cert.pem'), key: own('key.pem') }, (socket) =>
      socket.on('data', (data) => heard.push(data)),
    )
      .on('tlsClientError', () => {})
      .listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    open.push(impostor);
    const { port } = impostor.address() as AddressInfo;
    const asked = channel(hostAt(port), ['echo', 'secret']);
    await assert.rejects(asked, /does not answer: .*(certificate|self-signed)/);
    assert.deepEqual(heard, []);
  });

  it('is given up at once if nobody listens', async () => {
    const gate = await gateThatEnds(0, () => {});
    gate.close();
    await assert.rejects(channel(hostAt(gate.port), ['true']), /does not answer.*ECONNREFUSED/);
  });

  it('says what is left to do if the cache with its certificates was emptied', async () => {
    const host = hostAt(1);
    const gone = { ...host, docker: { ...host.docker, certDir: join(folder, 'emptied') } };
    for (const ask of [async () => certificatesOf(gone), () => channel(gone, ['true'])])
      await assert.rejects(ask, (error: EnvironmentError) => {
        assert.ok(error instanceof EnvironmentError);
        assert.match(error.message, /^cannot read .*\/emptied\/ca\.pem: ENOENT$/);
        assert.match(error.hint ?? '', /"afbus-topo host stop" ends it/);
        return true;
      });
  });
});
