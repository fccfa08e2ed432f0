// SPDX-License-Identifier: MIT
// libafbus-dbus under the sanitizers of addresses and of undefined behaviour: the corpus, damaged messages, dbus-daemon.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import { readCorpus } from '../helpers/corpus.ts';
import { startDaemon } from './daemons.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SANITIZERS = '-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all';
const NAME = 'org.example.Peer';

/** Of a message with a type that nobody knows yet: the library ignores it, as it may come in a later version of D-Bus. */
const isUnknown = (bytes: Buffer): boolean => (bytes[1] as number) > 4;

describe('libafbus-dbus under sanitizers', function () {
  this.timeout(300_000);
  let folder = '';

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'c-library-'));
    await run('make', [
      '-s',
      '-C',
      join(ROOT, 'libafbus-dbus'),
      `OUT=${folder}`,
      `CFLAGS=${SANITIZERS}`,
      'LDFLAGS=',
    ]);
    // It looks inside, so it is compiled with the library's own files.
    await compile('-Ikernel/uapi specs/dbus/judge.c libafbus-dbus/*.c', 'judge');
    await compile(`specs/daemon/fixtures/peer.c ${folder}/libafbus-dbus.a`, 'peer');
  });

  after(() => rmSync(folder, { recursive: true }));

  async function compile(sources: string, program: string): Promise<void> {
    const flags = `-D_GNU_SOURCE -Wall -Wextra -Werror ${SANITIZERS} -Ilibafbus-dbus`;
    await run('sh', ['-c', `cc ${flags} ${sources} -o ${folder}/${program}`], { cwd: ROOT });
  }

  it('takes and refuses the messages of the corpus, and writes what it has read', () => {
    const cases = readCorpus().messages.flatMap((message) =>
      (['little', 'big'] as const).map((endian) => ({ message, endian, bytes: message.bytes(endian) })),
    );
    const input = cases.flatMap(({ bytes }) => [Buffer.from(Uint32Array.of(bytes.length).buffer), bytes]);
    const verdicts = execFileSync(join(folder, 'judge'), {
      input: Buffer.concat(input),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
      .trim()
      .split('\n');
    assert.equal(verdicts.length, cases.length);
    const differences = cases
      .map(({ message, endian, bytes }, n) => {
        const valid = message.verdict === 'valid' && !isUnknown(bytes);
        return verdicts[n] === (valid ? 'valid' : 'bad')
          ? ''
          : `line ${message.number}: ${message.title} (${endian}): ${verdicts[n]}`;
      })
      .filter((line) => line !== '');
    assert.deepEqual(differences, []);
  });

  it('serves, calls, signals and leaves without an error of memory', async () => {
    await using bus = await startDaemon();
    const peer = (...args: string[]) =>
      run(join(folder, 'peer'), [`unix:path=${bus.path}`, ...args], { timeout: 60_000 });
    const service = spawn(join(folder, 'peer'), [`unix:path=${bus.path}`, 'serve', NAME], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(service.stdout, 'data');
    assert.match((await peer('call', NAME, '20000', 'one', 'two')).stdout, /^one :1\.\d+\ntwo :1\.\d+\n$/);
    assert.equal((await peer('calls', NAME, '20000', 'a', 'b')).stdout, 'a: a\nb: b\n');
    await peer('signal', 'x');
    const busctl = ['call', `--address=unix:path=${bus.path}`, NAME, '/p', NAME];
    await run('busctl', [...busctl, 'Echo', 'aa{sv}', '1', '1', 'k', '(tv)', '7', 's', 'text']);
    for (const member of ['Fail', 'Open', 'Quit']) await run('busctl', [...busctl, member]).catch(() => {});
    if (service.exitCode === null) await once(service, 'exit');
    assert.equal(service.exitCode, 0);
  });
});
