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
import { marshal, typesOf } from '../../runner/dbus/index.ts';
import { readCorpus } from '../helpers/corpus.ts';
import { startDaemon } from './daemons.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SANITIZERS = '-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all';
const NAME = 'org.example.Peer';

const SIGNAL = { type: 'signal', endian: 'little', path: '/p', interface: 'a.B', member: 'M' } as const;

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
    await compile(`specs/dbus/careless.c ${folder}/libafbus-dbus.a`, 'careless');
    await compile(`-Wl,--wrap=sendmsg specs/dbus/hostile.c ${folder}/libafbus-dbus.a`, 'hostile');
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

  it('counts brackets and arrays of a signature, and no entries of dictionaries', () => {
    const nested = (entries: number, structures: number): string =>
      `${'a{y'.repeat(entries)}${'('.repeat(structures)}y${')'.repeat(structures)}${'}'.repeat(entries)}`;
    const input = [nested(20, 13), nested(32, 32)].flatMap((type) => {
      assert.ok(typesOf(type));
      const args = [{ type, value: new Map() }];
      const bytes = marshal({ ...SIGNAL, args }, 1);
      return [Buffer.from(Uint32Array.of(bytes.length).buffer), bytes];
    });
    const verdicts = execFileSync(join(folder, 'judge'), { input: Buffer.concat(input), encoding: 'utf8' });
    assert.equal(verdicts, 'valid\nvalid\n');
    for (const wrong of [nested(33, 0), nested(1, 33)]) assert.equal(typesOf(wrong), undefined);
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

  const careless: Record<string, string> = {
    null: 'takes NULL for no message, and for no address, type or callback',
    'write-to-received': 'writes nothing into a message that has come',
    'read-from-made': 'reads nothing from a message that is being made',
    'write-wrong': 'sends no entry outside an array and nothing that is too long',
    'answer-no-call': 'sends no answer to what is no call',
    'disconnect-in-callback': 'can be disconnected within a callback',
    'free-after-failure': 'leaves NULL where a call has failed',
    'late-for-kept': 'takes an answer that came in time, however late it is looked at',
    addresses: 'takes the first address that it can use, and no wrong escapes',
  };
  for (const [scenario, title] of Object.entries(careless))
    it(title, async () => {
      await using bus = await startDaemon();
      await run(join(folder, 'careless'), [scenario, `unix:path=${bus.path}`], { timeout: 60_000 });
    });

  const hostile: Record<string, string> = {
    'lost-descriptors': 'ends when descriptors are lost, and never gives a message those of another',
    'many-descriptors': 'gives each message its own descriptors, as many as there may be',
    'in-pieces': 'puts a message together that comes in pieces after another',
    flood: 'keeps only so much while a call waits',
    'half-sent': 'ends the connection when a message has been sent in part',
    closed: 'says that it is disconnected when it sends',
    interrupted: 'goes on after signals while it connects and calls',
    'large-number': 'takes no number of the bus driver for an errno',
    silent: 'does not wait for ever for a bus that accepts nobody or does not answer',
  };
  for (const [scenario, title] of Object.entries(hostile))
    it(title, async () => {
      await run(join(folder, 'hostile'), [scenario], { timeout: 120_000 });
    });
});
