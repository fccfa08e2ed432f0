// SPDX-License-Identifier: MIT
// The machine in which an image is built, with a QEMU of the spec's own: who can connect to it, and what ends with it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { after, before, describe, it } from 'mocha';
import { accessIn } from '../../../runner/host/access.ts';
import { BuilderVm } from '../../../runner/host/builder-vm.ts';
import { inProject } from '../../../runner/host/paths.ts';
import { identify } from '../../../runner/host/process.ts';
import { folder } from '../../helpers/cli.ts';

/** Has booted at once; its guest lets in the owner, and each of its commands succeeds. */
const QEMU = `#!${process.execPath}
const { readFileSync, writeFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { createServer } = require('node:tls');
const words = process.argv.join('\\n');
const [, console_] = /file,id=console,path=(.*)/.exec(words);
const [, port] = /127\\.0\\.0\\.1:(\\d+)-:2377/.exec(words);
const key = (name) => readFileSync(console_.replace('console.log', 'keys/server/' + name));
const keys = { ca: key('ca.pem'), cert: key('cert.pem'), key: key('key.pem') };
createServer({ ...keys, requestCert: true, rejectUnauthorized: true, allowHalfOpen: true }, (socket) => {
  socket.once('data', () => socket.end('exit 0\\n'));
}).listen(Number(port), '127.0.0.1', () => writeFileSync(console_, 'afbus-host: booted ' + process.pid));
createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write('{"return":{}}\\n');
  if (line.includes('"quit"')) process.exit();
});
`;

describe('the machine in which an image is built', () => {
  const { PATH: path } = process.env;
  const files = folder({ 'qemu-system-x86_64': QEMU });
  before(() => {
    chmodSync(files.path('qemu-system-x86_64'), 0o755);
    execFileSync(inProject('images/host/keys'), [files.path('keys')]);
    process.env.PATH = `${files.path('')}:${path}`;
  });
  after(() => {
    process.env.PATH = path;
    files[Symbol.dispose]();
  });

  const boot = () =>
    BuilderVm.boot({
      machine: { accelerator: 'tcg', memory: null, disk: 'none' },
      ...{ folder: files.path(''), release: '6.12', initrd: 'none', certDir: files.path('keys/client') },
    });
  const pid = () => Number(readFileSync(files.path('console.log'), 'utf8').split(' ').at(-1));
  const networkOf = (process: string | number) => readlinkSync(`/proc/${process}/ns/net`);
  const sockets = () => readdirSync(files.path('')).filter((name) => name.endsWith('.sock'));

  it('is reached by its builder, and by nobody in the network of this machine', async function () {
    if ((await accessIn(files.path(''), ''))?.exposed) this.skip(); // SECURITY.md says what that means
    const vm = await boot();
    await vm.run('/run/afbus/load');
    assert.notEqual(networkOf(pid()), networkOf('self'));
    assert.deepEqual(sockets(), ['channel.sock', 'docker.sock']);
    await vm.quit();
    assert.deepEqual(sockets(), []);
    assert.equal(identify(pid()), null);
  });
});
