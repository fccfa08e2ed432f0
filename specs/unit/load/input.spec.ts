// SPDX-License-Identifier: MIT
// What is no text, no file, or no end: one clear line, never a stack trace.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { load, renderDiagnostics } from '../../../runner/load/index.ts';

let folder = '';
const put = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const only = (file: string) => {
  const { diagnostics, sources, topology } = load(file);
  assert.equal(topology, undefined);
  assert.equal(diagnostics.length, 1, renderDiagnostics(diagnostics, sources));
  return { ...diagnostics[0], text: renderDiagnostics(diagnostics, sources) };
};

describe('reading a file', function () {
  this.timeout(60_000);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'afbus-load-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('that is a device or a pipe, and may have no end', () => {
    const pipe = join(folder, 'pipe.topo.yaml');
    execFileSync('mkfifo', [pipe]);
    for (const file of [pipe, '/dev/zero']) {
      const says = 'this is not a regular file';
      assert.deepEqual([only(file).code, only(file).message], ['file', says]);
      if (file !== pipe) continue;
      const including = only(put('including.topo.yaml', `include: [${file}]\nbuses: { b: {} }\n`));
      assert.equal(including.code, 'file');
      assert.match(including.text, new RegExp(says));
    }
  });

  it('that is not there', () => {
    const file = join(folder, 'none.topo.yaml');
    const { text, code } = only(file);
    assert.equal(code, 'file');
    assert.equal(
      text,
      `${file}: error: there is no such file\n      = Is the path right? It is relative to the current directory.\n`,
    );
  });

  it('that is a directory', () => assert.match(only(folder).text, /this is a directory/));

  it('that is a link to itself', () => {
    const file = join(folder, 'loop');
    symlinkSync('loop', file);
    assert.match(only(file).text, /symbolic links lead in a circle/);
  });

  it('whose syntax is broken in several places, in their order', () => {
    const source = 'a: { b: 1\nc: [2\nd: "x\n';
    const lines = load('several', { source }).diagnostics.map(({ line }) => line);
    assert.deepEqual(
      lines,
      lines.toSorted((a, b) => a - b),
    );
  });

  it('that is empty', () => assert.equal(only(put('empty', '')).code, 'empty'));

  it('that is not UTF-8', () => {
    assert.equal(only(put('latin1', Buffer.from([0x6e, 0xe4, 0x0a]))).code, 'encoding');
    assert.equal(only(put('utf16', Buffer.from('\ufeffbuses: {}', 'utf16le'))).code, 'encoding');
  });

  it('that is too large', () => assert.equal(only(put('huge', '#'.repeat(9 << 20))).code, 'too-big'));

  it('with a byte order mark and CRLF', () => {
    const { topology } = load(put('bom', '\ufeffbuses: { cabin: {} }\r\nclients:\r\n  camera: {}\r\n'));
    assert.equal(topology?.clients[0]?.place.line, 3);
  });

  it('that is nested too deeply', () => {
    // Mocha has errors keep all of their stack: most of the time would go into thousands of frames each.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 10;
    try {
      for (const open of ['[', '{a: ', '- ', 'a:\n']) {
        const source = open.repeat(5000);
        const { diagnostics, topology } = load('deep', { source });
        assert.equal(topology, undefined);
        assert.ok(diagnostics.length > 0);
      }
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  });

  it('whose aliases multiply', () => {
    const levels = Array.from({ length: 30 }, (_, n) => `a${n}: &a${n} [*a${n - 1}, *a${n - 1}, *a${n - 1}]`);
    const source = ['a: &a-1 [x]', ...levels].join('\n');
    const { diagnostics } = load('bomb', { source });
    assert.ok(diagnostics.some((each) => each.code === 'too-big'));
  });
});
