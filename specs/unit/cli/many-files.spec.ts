// SPDX-License-Identifier: MIT
// Thousands of files in one command: what is known is told at once, little of it is kept, and a document has an end.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { DocumentRoom } from '../../../runner/cli/document-room.ts';
import { sarifOfRuns } from '../../../runner/cli/findings.ts';
import { type FileResult, playFile } from '../../../runner/cli/playing.ts';
import { Results } from '../../../runner/cli/results.ts';
import { writeGithub } from '../../../runner/write/github.ts';
import { writeJunit } from '../../../runner/write/junit.ts';
import { writeKtap } from '../../../runner/write/ktap.ts';
import { invalid, type Report } from '../../../runner/write/unplayed.ts';
import { cli, folder, verdictOf } from '../../helpers/cli.ts';
import { collectGarbage } from '../../helpers/garbage.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/afbus-topo', import.meta.url));
const HEAD = 'buses: { b: {} }\nclients: { x: {}, y: {} }\ntraffic:\n';
const FINE = `${HEAD}  - x -> y: hi\n`;
const TEXT_BYTES = 1_900_000;
const MANY = 12;
const FAILING = `${HEAD}  - { send: { from: x, to: y }, expect: { error: EPERM } }\n`;

describe('a command about many files', function () {
  this.timeout(30_000);

  it('says that a file is valid before it has read the next one', async () => {
    using files = folder({ 'a.topo.yaml': FINE });
    const child = spawn(COMMAND, ['validate', files.path('a.topo.yaml'), '-'], { stdio: 'pipe' });
    const all = text(child.stdout);
    // The input ends only after that.
    child.stdout.once('data', () => child.stdin.end(FINE));
    assert.match(
      await all,
      /a\.topo\.yaml: a is valid: .*\n<stdin>: stdin is valid: 1 bus, 2 clients, 1 step\n$/,
    );
  });

  const played = (file: string, format: 'text' | 'json', done: (result: FileResult) => void) =>
    quietly(() =>
      playFile(
        file,
        {
          ...({ backend: 'sim', kernel: '6.12', quiet: true, timeout: 20_000 } as const),
          ...{ format, artifacts: `${file}.out` },
        },
        { keep: false, replace: false, interrupt: UNHANDLED },
        done,
      ),
    );

  for (const format of ['text', 'json'] as const) {
    it(`keeps neither plan nor trace of what it has played (${format})`, async () => {
      using files = folder({ 'a.topo.yaml': FINE });
      const results = new Results(format);
      const traces: WeakRef<object>[] = [];
      await played(files.path('a.topo.yaml'), format, (result) => {
        if (result.played?.trace) traces.push(new WeakRef(result.played.trace));
        results.add(result);
      });
      assert.equal(traces.length, 1);
      await collectGarbage();
      assert.equal(traces[0]?.deref(), undefined);
      assert.equal(results.outlines[0]?.exitCode, 0);
    });

    it(`keeps no text of a file for the sake of the names in it (${format})`, async () => {
      const named = `name: a-name-of-some-length\nmatrix: { x: [a-value-of-some-length] }\n${FINE}  - y -> x: "\${x}"\n`;
      using files = folder({ 'a.topo.yaml': `${named}#${'x'.repeat(TEXT_BYTES)}\n` });
      const results = new Results(format);
      const add = (result: FileResult) => quietly(async () => results.add(result));
      await played(files.path('a.topo.yaml'), format, add);
      const before = await memoryInUse();
      for (let n = 0; n < MANY; n++) await played(files.path('a.topo.yaml'), format, add);
      assert.equal(results.outlines.length, 1 + MANY);
      const more = (await memoryInUse()) - before;
      assert.ok(more < (MANY * TEXT_BYTES) / 2, `${more} bytes`);
    });
  }

  it('says how many files it has not played when it was interrupted', async () => {
    using files = folder({ 'a.topo.yaml': FINE, 'b.topo.yaml': FINE, 'c.topo.yaml': FINE });
    const names = ['a', 'b', 'c'].map((name) => files.path(`${name}.topo.yaml`));
    let interrupts = 0;
    const said = await cli(['run', '--backend', 'sim', '--repeat', '1000', ...names], {
      env: { XDG_STATE_HOME: files.path('state') },
      onStderr: (child, told) => {
        if (told.includes('✓ judge') && interrupts++ === 0) child.kill('SIGINT');
      },
    });
    assert.equal(said.code, 130, said.stderr);
    assert.match(said.stderr, /^warning: interrupted: 2 of 3 files were not played$/m);
  });
});

describe('a document about many files', function () {
  this.timeout(30_000);
  const FULL = 1;
  const MISTAKES = ['a', 'b'].map((message) => ({
    ...({ code: 'syntax', severity: 'error', message, path: '' } as const),
    ...{ file: 'x.topo.yaml', line: 1, column: 1, endColumn: 2 },
  }));

  it('holds all of a report for which it has room', () => {
    const report = invalid('x.topo.yaml', MISTAKES);
    const room = new DocumentRoom(Buffer.byteLength(JSON.stringify(report)));
    assert.deepEqual(room.fit(report), report);
    assert.notDeepEqual(room.fit(report), report);
  });

  it('holds the number of mistakes, and the first, of a file for which it has no room', () => {
    const short = new DocumentRoom(FULL).fit(invalid('x.topo.yaml', MISTAKES));
    for (const written of documentsOf(short)) {
      assert.match(written, /no room for 2 mistakes of the file/);
      assert.doesNotMatch(written, /1:1|startColumn/);
    }
    assert.match(JSON.stringify(short), /"reason":"line 1: a, and 1 more"/);
    const [only, ...more] = new DocumentRoom(FULL).fitAll('x.topo.yaml', MISTAKES);
    assert.deepEqual([only?.severity, only?.file, more], ['error', 'x.topo.yaml', []]);
    assert.deepEqual(new DocumentRoom(FULL).fitAll('x.topo.yaml', []), []);
  });

  it('holds that a check broke, though it has no room for its failures', async () => {
    using files = folder({ 'a.topo.yaml': FAILING });
    const { code, ...verdict } = await verdictOf(['run', '--backend', 'sim', files.path('a.topo.yaml')]);
    assert.equal(code, 1);
    const short = new DocumentRoom(FULL).fit(verdict);
    const [json = '', ...others] = documentsOf(short);
    assert.match(json, /"result":"fail"/);
    for (const written of [json, ...others]) assert.match(written, /no room for 1 failure of the check/);
  });
});

const documentsOf = (report: Report): readonly string[] => [
  JSON.stringify(report),
  writeJunit([report]),
  writeKtap([report]),
  writeGithub([report]),
  sarifOfRuns([report]),
];

const UNHANDLED = { signal: new AbortController().signal, during: async <T>(work: () => T) => work() };

/** What it writes to stdout is not this spec's. */
async function quietly(work: () => Promise<void>): Promise<void> {
  const { write } = process.stdout;
  process.stdout.write = () => true;
  try {
    await work();
  } finally {
    process.stdout.write = write;
  }
}

async function memoryInUse(): Promise<number> {
  await collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
