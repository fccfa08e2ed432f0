// SPDX-License-Identifier: MIT
// Files that are nearly right, by the thousand: whatever is in them, load answers, and every place it names exists.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { mix } from '../../../runner/common/envelope.ts';
import { configOf, load, renderDiagnostics } from '../../../runner/load/index.ts';
import { readBelow } from '../../../runner/load/yaml/read.ts';

const FOLDERS = ['./broken/', '../../../topologies/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const sources = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.topo.yaml'))
    .map((name) => readFileSync(folder + name, 'utf8')),
);
const UNREAD = { words: { code: 'file', message: 'there is no such file' } } as const;
const RUNS = Number(process.env.FUZZ_RUNS ?? 1500);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

const BITS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ' ',
    '\n',
    '\t',
    '-',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '<<: ',
    '? ',
    '| ',
    '!x ',
    ',',
    '\0',
  ],
  ...[
    'null',
    'true',
    '0',
    '-1',
    '1e99',
    '.nan',
    '~',
    'clients',
    'cabin',
    'cabin.master',
    '->',
    'expect',
    '../x',
    'é',
  ],
  ...[
    'send',
    'parallel',
    'fault',
    '0000/000000000000',
    '__proto__',
    'constructor',
    'toString',
    '9'.repeat(400),
  ],
  ...[
    '${n}',
    '"${HOME:-x}"',
    '${',
    '$$',
    'matrix: { n: [1, 2] }',
    'include: [parts/clients.yaml]',
    'include: [fuzz.topo.yaml]',
    'defaults: { clients: ',
    'defaults: { sends: { size: 1KiB } }',
    'launcher: { process: { pack: 2 } }',
    'filter: { bpf: "ret #0" }',
    'jeq #1, drop',
    'latency: { p50: 1ms }',
    'throughput: { min: 1/s }',
  ],
  ...[
    '- fault: { restart: camera }',
    '- fault: { kill-node: clients }',
    'fill: camera',
    'at: 5ms, for: 1s',
    'restart: ',
    'replicas: "${n}"',
  ],
];

function mutate(source: string, seed: number): string {
  let [text, state] = [source, seed];
  const next = (below: number): number => {
    state = mix(state, 1);
    return below === 0 ? 0 : state % below;
  };
  for (let n = next(4) + 1; n > 0; n--) {
    const [at, length] = [next(text.length), next(12)];
    const kind = next(4);
    const bit = BITS[next(BITS.length)] ?? '';
    const lines = text.split('\n');
    if (kind === 0) text = text.slice(0, at) + bit + text.slice(at);
    else if (kind === 1) text = text.slice(0, at) + text.slice(at + length);
    else if (kind === 2) text = text.slice(0, at) + bit + text.slice(at + length);
    else text = lines.toSpliced(next(lines.length), next(2), lines[next(lines.length)] ?? '').join('\n');
  }
  return text;
}

describe('mutated files', function () {
  this.timeout(60_000 + RUNS * 30);

  it('never throw, and every diagnostic has a place in the file', () => {
    for (let run = 0; run < RUNS; run++) {
      const seed = mix(SEED, run);
      const source = mutate(sources[run % sources.length] ?? '', seed);
      try {
        check(source);
      } catch (error) {
        throw new Error(`FUZZ_SEED=${SEED}, run ${run}:\n${source}`, { cause: error });
      }
    }
  });
});

function check(source: string): void {
  const {
    topology,
    diagnostics,
    sources: texts,
  } = load('fuzz.topo.yaml', {
    source,
    set: { SIZE: '12' },
    read: (name) => readBelow(FOLDERS[0] ?? '')(`${FOLDERS[0]}${name}`),
  });
  for (const { file, line, column, endColumn, message, severity } of diagnostics) {
    const lines = (texts.get(file) ?? '').split(/\r\n|\r|\n/);
    assert.ok(line <= lines.length && (line === 0) === (column === 0), `${line}:${column}`);
    assert.ok(endColumn > column || line === 0);
    assert.ok(message.length > 0 && !/undefined|\[object/.test(message), message);
    assert.ok(topology === undefined || severity === 'warning');
  }
  assert.ok(topology !== undefined || diagnostics.length > 0);
  const written = configOf('fuzz.topo.yaml', { source, read: () => UNREAD }).written;
  for (const { yaml } of written) assert.ok(yaml.startsWith('name: '));
  const text = renderDiagnostics(diagnostics, texts);
  assert.ok(!text.includes('\0') && !text.includes('\u001b'));
}
