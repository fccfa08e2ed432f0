// SPDX-License-Identifier: MIT
// The layout shows which way the data goes: a folder imports itself, `common`, and what earlier folders give.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/**
 * Each folder (or file that stands for one), and what it may import beside itself and `common`: folders or single files.
 * These are all before it, so no import leads back. A folder that is not named belongs to the one around it.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'native/lib': [],
  // What no healthy kernel prints: for the verdict, and for guests that are thrown away.
  'images/scratch/splats.json': [],
  'runner/common': ['images/scratch/splats.json'],
  // Messages, names and rules of D-Bus: bytes and texts in, data out.
  'runner/dbus': [],
  // What a file becomes: its types, the walk over its steps, the names of its sockets, what its faults are.
  'runner/topology': ['runner/dbus'],
  // What decides in a message bus, and does nothing itself.
  'daemon/driver': ['runner/dbus'],
  // The contract, executable: it knows of no file, no plan and no run.
  'runner/model': ['runner/dbus'],
  // What the contract says of a file: the loader points out what cannot be, the plan takes its expectations from it.
  'runner/predict': ['runner/topology', 'runner/model', 'runner/dbus', 'daemon/driver/limits.ts'],
  // The folders of the loader are a column: each is imported by its index.ts only.
  'runner/load/diagnostic': [],
  'runner/load/yaml': ['runner/topology', 'runner/load/diagnostic/index.ts'],
  'runner/load/schema': ['runner/dbus', 'runner/load/diagnostic/index.ts', 'runner/load/yaml/index.ts'],
  'runner/load/schema/publish': ['runner/load/schema'],
  'runner/load/resolve': [
    'runner/topology',
    'runner/predict',
    'runner/dbus',
    'runner/load/diagnostic/index.ts',
    'runner/load/yaml/index.ts',
    'runner/load/schema/index.ts',
  ],
  'runner/load/check': ['runner/topology', 'runner/predict', 'runner/dbus', 'runner/load/resolve/index.ts'],
  'runner/load': [
    'runner/topology',
    'runner/predict',
    'runner/load/diagnostic/index.ts',
    'runner/load/yaml/index.ts',
    'runner/load/schema/index.ts',
    'runner/load/resolve/index.ts',
    'runner/load/check/index.ts',
  ],
  'runner/plan': ['runner/topology', 'runner/predict', 'runner/dbus'],
  // A topology drawn; it needs no plan and no run.
  'runner/graph': ['runner/topology'],
  // The message bus: what tells its driver what it may, and what carries out what the driver wants.
  'daemon/config': ['runner/dbus', 'daemon/driver'],
  'daemon/bus': ['runner/dbus', 'native/lib', 'daemon/driver'],
  daemon: ['runner/dbus', 'native/lib', 'daemon/driver', 'daemon/config', 'daemon/bus'],
  // A client of the bus, for programs.
  dbus: ['runner/dbus', 'native/lib'],
  'runner/host': [],
  // It runs the message bus of D-Bus and its clients, as it runs masters and clients of other buses.
  'runner/agent': [
    'runner/topology',
    'runner/dbus',
    'native/lib',
    'daemon',
    'dbus/connection.ts',
    'dbus/stream.ts',
  ],
  'runner/provision': ['runner/topology', 'runner/plan/plan.ts', 'runner/agent/protocol.ts', 'runner/host'],
  'runner/trace': ['runner/topology', 'runner/plan/plan.ts', 'runner/agent/protocol.ts'],
  'runner/run': [
    'runner/topology',
    'runner/dbus',
    'runner/plan/plan.ts',
    'runner/agent/protocol.ts',
    'runner/provision/lab.ts',
    'runner/trace',
  ],
  // The model explains what was seen: messages as planned, changes where they may have been.
  'runner/verdict': [
    'runner/topology',
    'runner/dbus',
    'runner/predict',
    'runner/plan',
    'runner/provision/where.ts',
    'runner/trace/trace.ts',
  ],
  'runner/write': [
    'runner/provision/where.ts',
    'runner/topology',
    'runner/plan/plan.ts',
    'runner/trace/trace.ts',
    'runner/verdict/verdict.ts',
  ],
  // The same agents on a simulated kernel, so it imports their parts, and the model that this kernel follows.
  'runner/sim': [
    'daemon/driver',
    'runner/topology',
    'runner/dbus',
    'runner/model',
    'runner/plan/plan.ts',
    'runner/agent',
    'runner/provision/lab.ts',
    'runner/provision/site.ts',
    'runner/provision/where.ts',
    'runner/trace/trace.ts',
    'runner/verdict/verdict.ts',
  ],
  // A plan and a place to play it: stages, and what takes each back.
  'runner/pipeline.ts': [
    'runner/plan/plan.ts',
    'runner/provision',
    'runner/trace/trace.ts',
    'runner/run/index.ts',
    'runner/verdict/index.ts',
    'runner/verdict/verdict.ts',
  ],
  // It makes files and plays them, by the whole way from text to verdict.
  'runner/fuzz': [
    'runner/topology',
    'runner/load',
    'runner/plan',
    'runner/provision/site.ts',
    'runner/trace/trace.ts',
    'runner/verdict/verdict.ts',
    'runner/pipeline.ts',
  ],
  'runner/cli': [
    'native/lib',
    'daemon',
    'runner/topology',
    'runner/load/schema/publish',
    'runner/load',
    'runner/plan',
    'runner/graph',
    'runner/host',
    'runner/provision',
    'runner/trace',
    'runner/verdict',
    'runner/write',
    'runner/sim',
    'runner/fuzz',
    'runner/pipeline.ts',
  ],
};

const FOLDERS = Object.keys(MAY_IMPORT);
const isIn = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);
/** The innermost listed folder around a file. */
const folderOf = (path: string): string | undefined =>
  FOLDERS.filter((folder) => isIn(path, folder)).sort((a, b) => b.length - a.length)[0];

const tracked = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns], {
    cwd: ROOT,
    encoding: 'utf8',
  })
    .split('\n')
    .filter(Boolean);

describe('structure', () => {
  it('lists a folder for every file of the runner', () => {
    for (const file of tracked('runner/*.ts')) assert.ok(folderOf(file), `${file} is in no listed folder`);
  });

  it('lets each folder import only folders that are listed before it', () => {
    for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
      for (const each of allowed)
        assert.ok(
          FOLDERS.indexOf(folderOf(each) ?? '') < FOLDERS.indexOf(folder),
          `${folder} is listed before ${each}`,
        );
    }
  });

  it('loads every file after those that it needs: no circle of imports, of types aside', () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      const circle = [...path.slice(path.indexOf(file)), file];
      assert.ok(
        !path.includes(file),
        `${circle.join(' imports ')}: move what both need to a file of its own`,
      );
      if (done.has(file)) return;
      for (const next of valueImports(file)) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of tracked('runner/*.ts', 'daemon/*.ts', 'dbus/*.ts', 'native/lib/*.ts')) visit(file, []);
  });

  it('keeps the folders of the loader apart: 30 imports at most go from one to another', () => {
    const inLoader = (path: string) => /^runner\/load\/(?:(\w+)\/)?/.exec(path);
    const between = tracked('runner/load/*.ts').flatMap((file) =>
      imports(file).filter((target) => inLoader(target) && inLoader(target)?.[1] !== inLoader(file)?.[1]),
    );
    assert.ok(between.length <= 30, `${between.length} imports: let checks have less of what others know`);
  });

  for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
    it(`${folder} imports only what it may`, () => {
      const open = [folder, 'runner/common', ...allowed];
      for (const file of tracked(`${folder}*`)) {
        if (folderOf(file) !== folder) continue;
        for (const target of imports(file)) {
          const fits = open.some(
            (place) => isIn(target, place) && (place === target || folderOf(target) === place),
          );
          assert.ok(fits, `${file} imports ${target}`);
        }
      }
    });
  }
});

const valueImports = (file: string): readonly string[] => relativeIn(file, VALUES);

const imports = (file: string): readonly string[] => relativeIn(file, ALL);

const ALL = /(?:from|import\()\s*'(\.[^']+)'/g;
/** Statements that still stand when the types are gone. */
const VALUES = /^(?:import|export) (?!type )[^;']*from '(\.[^']+\.ts)';/gm;

function relativeIn(file: string, pattern: RegExp): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(pattern)].map((m) => relative(ROOT, resolve(ROOT, dirname(file), m[1] as string)));
}
