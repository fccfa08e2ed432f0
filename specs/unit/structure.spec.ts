// SPDX-License-Identifier: MIT
// The layout shows the data's way: a stage sees its own folder, `common`, and the types of the stages before it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TYPES = {
  topology: 'runner/load/topology.ts',
  plan: 'runner/plan/plan.ts',
  lab: 'runner/provision/lab.ts',
  trace: 'runner/trace/trace.ts',
  verdict: 'runner/verdict/verdict.ts',
  protocol: 'runner/agent/protocol.ts',
};

/** Folder → what its files may import beside their own folder and runner/common. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  'runner/common': [],
  // Messages, names and rules of D-Bus: bytes and texts in, data out.
  'runner/dbus': [],
  // The contract, executable: it knows of no file, no plan and no run.
  'runner/model': ['runner/dbus/'],
  // What the contract says of a file: the loader points out what cannot be, the plan takes its expectations from it.
  'runner/predict': [TYPES.topology, TYPES.plan, 'runner/model/'],
  'runner/load': ['runner/predict/', 'runner/dbus/'],
  'runner/plan': [TYPES.topology, 'runner/predict/', 'runner/dbus/'],
  'runner/host': [],
  'runner/provision': [TYPES.topology, TYPES.plan, TYPES.protocol, TYPES.verdict, 'runner/host/'],
  'runner/agent': [TYPES.topology, TYPES.plan, TYPES.trace, 'runner/dbus/', 'native/lib/'],
  'runner/run': [TYPES.topology, TYPES.plan, TYPES.lab, TYPES.protocol, 'runner/trace/'],
  // The same agents on a simulated kernel: it may see what they are made of, and the model that it keeps to.
  'runner/sim': [
    TYPES.topology,
    TYPES.plan,
    TYPES.lab,
    TYPES.trace,
    TYPES.verdict,
    'runner/provision/site.ts',
    'runner/agent/',
    'runner/dbus/',
    'runner/model/',
  ],
  // It makes files and plays them, by the whole way from text to verdict.
  'runner/fuzz': [
    'runner/load/',
    'runner/predict/',
    'runner/plan/',
    'runner/provision/',
    'runner/run/',
    'runner/trace/',
    'runner/verdict/',
  ],
  'runner/trace': [TYPES.topology, TYPES.plan, TYPES.protocol],
  // The model explains what was seen: messages as planned, changes where they may have been.
  'runner/verdict': [TYPES.topology, 'runner/plan/', TYPES.trace, 'runner/predict/'],
  // A topology drawn; it needs no plan and no run.
  'runner/graph': [TYPES.topology],
  'runner/write': [TYPES.topology, TYPES.plan, TYPES.trace, TYPES.verdict],
  'native/lib': [],
};

const tracked = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns], {
    cwd: ROOT,
    encoding: 'utf8',
  })
    .split('\n')
    .filter(Boolean);

describe('structure', () => {
  for (const [folder, allowed] of Object.entries(MAY)) {
    it(`${folder} imports only what it may`, () => {
      const open = [`${folder}/`, 'runner/common/', ...allowed];
      for (const file of tracked(`${folder}/*.ts`)) {
        for (const target of imports(file)) {
          assert.ok(
            open.some((p) => target === p || (p.endsWith('/') && target.startsWith(p))),
            `${file} imports ${target}`,
          );
        }
      }
    });
  }

  it('every source file names its licence', () => {
    for (const file of tracked(
      '*.ts',
      '*.js',
      '*.cjs',
      '*.c',
      '*.h',
      '*.cc',
      '*.sh',
      '*.yaml',
      'images/*',
      'bin/*',
      '.ci/run',
    )) {
      if (/\.(md|json|expected\.txt)$/.test(file) || file.includes('/broken/')) continue;
      // Every line of it is a pattern for grep, which knows no comments.
      if (file === 'images/scratch/splats') continue;
      const head = readFileSync(join(ROOT, file), 'utf8').slice(0, 400);
      assert.match(head, /SPDX-License-Identifier: (MIT|GPL-2\.0)/, `${file} has no SPDX line`);
    }
  });
});

function imports(file: string): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((m) =>
    relative(ROOT, resolve(ROOT, dirname(file), m[1] as string)),
  );
}
