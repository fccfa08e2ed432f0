// SPDX-License-Identifier: MIT
// The program beside QEMU that leads from the owner's sockets to the host's ports.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { after, afterEach, before, describe, it } from 'mocha';
import { ofSocket } from '../../../runner/host/address.ts';
import { channel } from '../../../runner/host/host.ts';
import { inProject } from '../../../runner/host/paths.ts';
import { engineAt } from '../../../runner/provision/engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'afbus-relay-'));
const [docker, sockets] = [join(folder, 'docker.sock'), join(folder, 'channel.sock')];
const certDir = join(folder, 'keys/client');
const key = (name: string) => readFileSync(join(folder, 'keys/server', name));

describe('the relay', () => {
  const open: (Server | ChildProcess)[] = [];
  before(() => execFileSync(inProject('images/host/keys'), [join(folder, 'keys')]));
  after(() => rmSync(folder, { recursive: true }));
  afterEach(async () => {
    for (const one of open.splice(0)) {
      if ('kill' in one) {
        one.kill();
        await once(one, 'exit');
      } else one.close();
    }
    for (const path of [docker, sockets]) rmSync(path, { force: true });
  });

  /** A gate that lets in the owner alone, and serves him so. */
  async function gate(serve: (socket: TLSSocket) => void): Promise<number> {
    const keys = { ca: key('ca.pem'), cert: key('cert.pem'), key: key('key.pem') };
    const server = createServer(
      { ...keys, requestCert: true, rejectUnauthorized: true, allowHalfOpen: true },
      serve,
    );
    open.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  function relay(port: number, starter = process.pid): ChildProcess {
    const relay = JSON.stringify({
      docker,
      channel: sockets,
      certDir,
      ports: { docker: port, channel: port },
    });
    const child = spawn(process.execPath, [inProject('runner/host/relay.ts'), relay, `${starter}`]);
    open.push(child);
    return child;
  }

  /** The channel's is the second that it offers. */
  async function listening(): Promise<void> {
    const isOpen = (socket: Socket) => once(socket, 'connect').then(() => socket.destroy());
    while (!(await isOpen(connect(sockets)).catch(() => null))) await new Promise(setImmediate);
  }

  const host = { docker: { host: ofSocket(docker), certDir }, channel: ofSocket(sockets) };

  it('shows the certificate for a program that asks the engine in plain words', async () => {
    relay(await gate((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK')));
    await listening();
    assert.equal(String(await engineAt(host.docker).docker.ping()), 'OK');
  });

  it('leads to the channel, in which one side may go on after the other has ended', async () => {
    const heard = Promise.withResolvers<string>();
    relay(
      await gate(async (socket) => {
        heard.resolve(await text(socket));
        socket.end('x'.repeat(1_000_000));
      }),
    );
    await listening();
    const stream = await channel(host, ['cat']);
    stream.end('all of it');
    assert.equal((await text(stream)).length, 1_000_000);
    assert.equal(await heard.promise, "'cat'\nall of it");
  });

  it('ends a connection of which the other side is gone, and takes the next', async () => {
    let left = 1;
    relay(await gate((socket) => (left-- > 0 ? socket.destroy() : socket.end('answered'))));
    await listening();
    assert.equal(await text(connect(docker)), '');
    assert.equal(await text(connect(docker)), 'answered');
  });

  it('ends a connection for which the host has no port open', async () => {
    const port = await gate(() => {});
    const [server] = open.splice(0);
    assert.ok(server && 'close' in server);
    server.close();
    await once(server, 'close');
    relay(port);
    await listening();
    for (const path of [docker, sockets]) assert.equal(await text(connect(path)), '');
  });

  it('does not start if its starter has ended meanwhile', async () => {
    const [code] = await once(relay(1, 0), 'exit');
    open.length = 0;
    assert.equal(code, 0);
    assert.equal(existsSync(docker), false);
  });
});
