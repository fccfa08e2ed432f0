// SPDX-License-Identifier: MIT
// AF_UNIX streams with descriptors and credentials.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { closeSync, fstatSync, openSync, rmSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';
import { UnixListener, UnixStream } from '../../native/lib/index.ts';
import { freshName, leaksNothing } from './bus.ts';

/** Reads until that many bytes are there, or the end. */
async function take(stream: UnixStream, bytes: number): Promise<{ data: Buffer; fds: number[] }> {
  const chunks: Buffer[] = [];
  const fds: number[] = [];
  for (let length = 0; length < bytes; ) {
    const chunk = await stream.receive();
    if (chunk.data.length === 0) break;
    chunks.push(chunk.data);
    fds.push(...chunk.fds.map((fd) => fd.take()));
    length += chunk.data.length;
  }
  return { data: Buffer.concat(chunks), fds };
}

describe('a stream of AF_UNIX', () => {
  it('carries bytes and descriptors both ways', async () => {
    const [a, b] = UnixStream.pair();
    const file = openSync('/proc/self/stat', 'r');
    await a.write([Buffer.from('he'), Buffer.from('llo')], { fds: [{ fd: file }, { fd: file }] });
    const { data, fds } = await take(b, 5);
    assert.equal(data.toString(), 'hello');
    assert.equal(fds.length, 2);
    for (const fd of fds) assert.equal(fstatSync(fd).ino, fstatSync(file).ino);
    for (const fd of [...fds, file]) closeSync(fd);
    await b.write(Buffer.from('back'));
    assert.equal((await take(a, 4)).data.toString(), 'back');
    a.close();
    assert.deepEqual(await b.receive(), { data: Buffer.alloc(0), fds: [] });
    await assert.rejects(b.write(Buffer.from('x')), { code: 'EPIPE' });
    b.close();
  });

  it('fails if there is no room for a descriptor: nobody could say which one is lost', async () => {
    const script = `
      import { closeSync, openSync } from 'node:fs';
      import { UnixStream } from '${new URL('../../native/lib/index.ts', import.meta.url)}';
      const [a, b] = UnixStream.pair();
      const fd = openSync('/dev/null');
      await a.write(Buffer.from('x'), { fds: [{ fd }, { fd }] });
      let last;
      try { for (;;) last = openSync('/dev/null'); } catch {}
      closeSync(last);
      const said = await b.receive().then(({ fds }) => fds.length, ({ code }) => code);
      openSync('/dev/null');
      process.stdout.write(String(said));
      process.exit();`;
    const node = [process.execPath, '--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -n 128; exec "$@"', 'sh', ...node]);
    // The one for which there was room is closed again, so that there is room once more.
    assert.equal(stdout, 'EMFILE');
  });

  it('writes the rest in order, as the kernel gets room for it', async () => {
    const [a, b] = UnixStream.pair();
    const file = openSync('/proc/self/stat', 'r');
    const long = Buffer.alloc(3 << 20).map((_, n) => n * 7);
    const first = a.write([long.subarray(0, 100), long.subarray(100)], { fds: [{ fd: file }] });
    const second = a.write(Buffer.from('end'));
    assert.ok(a.pendingBytes > 2 << 20, `${a.pendingBytes}`);
    const { data, fds } = await take(b, long.length + 3);
    await Promise.all([first, second]);
    assert.equal(a.pendingBytes, 0);
    assert.ok(data.subarray(0, long.length).equals(long));
    assert.equal(data.subarray(long.length).toString(), 'end');
    assert.equal(fds.length, 1);
    for (const fd of [...fds, file]) closeSync(fd);
    a.close();
    b.close();
  });

  it('is served in one turn of the event loop, with all others that are ready', async () => {
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const pairs = Array.from({ length: 100 }, () => UnixStream.pair());
    let served = 0;
    const reads = pairs.map(([, b]) => b.receive().then(() => served++));
    await turn();
    for (const [a] of pairs) writeSync(a.fd, 'x');
    await turn();
    assert.equal(served, pairs.length);
    await Promise.all(reads);
    for (const stream of pairs.flat()) stream.close();
  });

  it('makes waiting calls fail when it is closed', async () => {
    const [a, b] = UnixStream.pair();
    const write = a.write(Buffer.alloc(3 << 20));
    const read = a.receive();
    a.close();
    await assert.rejects(write, { code: 'ECANCELED' });
    assert.equal((await read).data.length, 0);
    assert.equal(a.pendingBytes, 0);
    await assert.rejects(a.write(Buffer.from('x')), { code: 'EBADF' });
    b.close();
  });

  it('shows who is at the other end', async () => {
    const path = freshName();
    using listener = UnixListener.listen(path);
    using client = UnixStream.connect(path);
    using accepted = await listener.accept();
    const { pid, uid, gid } = accepted.credentials;
    assert.deepEqual([pid, uid, gid], [process.pid, process.getuid?.(), process.getgid?.()]);
    assert.ok(accepted.groups.every(Number.isInteger));
    const { security } = accepted;
    assert.ok(security === undefined || security.length > 0);
    accepted.pidfd?.close();
    client.end();
    assert.equal((await accepted.receive()).data.length, 0);
    await accepted.write(Buffer.from('still'));
    assert.equal((await client.receive()).data.toString(), 'still');
  });

  it('has a path, abstract or in a folder', async () => {
    const path = `/tmp/afbus-unix-${process.pid}`;
    using listener = UnixListener.listen(path);
    assert.throws(() => UnixListener.listen(path), { code: 'EADDRINUSE' });
    using client = UnixStream.connect(path);
    (await listener.accept()).close();
    assert.equal((await client.receive()).data.length, 0);
    rmSync(path);
    assert.throws(() => UnixStream.connect(path), { code: 'ENOENT' });
    assert.throws(() => UnixStream.connect('/x'.repeat(60)), /more than 107/);
    assert.throws(() => UnixStream.adopt(0), { code: /ENOTSOCK|EAFNOSUPPORT/ });
    const waiting = listener.accept();
    listener.close();
    await assert.rejects(waiting, { code: 'ECANCELED' });
  });

  it('leaves no descriptor open', async () => {
    await leaksNothing(async () => {
      const [a, b] = UnixStream.pair();
      const file = openSync('/proc/self/stat', 'r');
      await a.write(Buffer.from('x'), { fds: [{ fd: file }] });
      closeSync(file);
      for (const fd of (await b.receive()).fds) fd.close();
      a.close();
      b.close();
    });
  });
});
