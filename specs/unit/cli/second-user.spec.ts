// SPDX-License-Identifier: MIT
// Folders that another user of the machine has made or can read, and backends that would give a stranger the machine.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { isUntrusted } from '../../../runner/cli/options.ts';
import { ownFolder } from '../../../runner/common/folder.ts';
import { tryLock } from '../../../runner/host/lock.ts';
import { inProject, privateFolder } from '../../../runner/host/paths.ts';
import { identify } from '../../../runner/host/process.ts';
import { cli, folder } from '../../helpers/cli.ts';

const FILE = 'buses: { b: {} }\nclients: { x: {}, y: {} }\ntraffic:\n  - x -> y: hi\n';
const ANOTHER = 65534;
/** The folder of temporary files may be one's own. */
const OPEN_TO_ALL = '/var/tmp';

describe('another user of the machine', () => {
  it('reads no run: the folder of runs is closed', async () => {
    using files = folder({ 'a.topo.yaml': FILE });
    mkdirSync(files.path('state/afbus-topo/runs'), { recursive: true });
    chmodSync(files.path('state/afbus-topo/runs'), 0o777);
    const said = await cli(['run', '-q', '--backend', 'sim', files.path('a.topo.yaml')], {
      env: { XDG_STATE_HOME: files.path('state') },
    });
    assert.equal(said.code, 0, said.stderr);
    assert.equal(statSync(files.path('state/afbus-topo/runs')).mode & 0o777, 0o700);
  });

  it('finds no run in a folder where a command was started: a variable without a value is none', async () => {
    using files = folder({ 'a.topo.yaml': FILE });
    mkdirSync(files.path('checkout'));
    const said = await cli(['run', '-q', '--backend', 'sim', files.path('a.topo.yaml')], {
      cwd: files.path('checkout'),
      env: { XDG_STATE_HOME: '', HOME: files.path('home') },
    });
    assert.equal(said.code, 0, said.stderr);
    assert.deepEqual(readdirSync(files.path('checkout')), []);
    assert.equal(readdirSync(files.path('home/.local/state/afbus-topo/runs')).length, 1);
  });

  it('could not have made any temporary file of a run in advance', async () => {
    using files = folder({ 'a.topo.yaml': FILE });
    const said = await cli(['run', '-q', '--backend', 'sim', files.path('a.topo.yaml')], {
      env: { XDG_STATE_HOME: files.path('state'), TMPDIR: files.path('none') },
    });
    assert.equal(said.code, 0, said.stderr);
    assert.equal(said.stderr, '');
  });

  it('cannot predict temporary names of builds and runs', () => {
    const places = ['bin', 'images', 'native', 'runner', 'daemon', 'dbus', 'kernel/Makefile'];
    const uses = execFileSync(
      'git',
      ['grep', '-nE', 'TMPDIR|tmpdir\\(|/tmp/|/var/tmp|/dev/shm/', '--', ...places],
      {
        cwd: inProject('.'),
        encoding: 'utf8',
      },
    );
    const fixed = uses
      .split('\n')
      .filter((line) => line !== '' && !/mk(d)?temp|\|TMPDIR\||:\d+: *(#|\/?\*)/i.test(line));
    assert.deepEqual(fixed, []);
  });

  // Only root can be, or make a folder of, another user.
  if (process.getuid?.() === 0) {
    it('cannot prepare a folder that is then used', async () => {
      using files = folder({ 'a.topo.yaml': FILE });
      const runs = files.path('state/afbus-topo/runs');
      mkdirSync(runs, { recursive: true });
      chownSync(runs, ANOTHER, ANOTHER);
      assert.throws(() => ownFolder(runs), /it belongs to the user 65534/);
      const said = await cli(['run', '-q', '--backend', 'sim', files.path('a.topo.yaml')], {
        env: { XDG_STATE_HOME: files.path('state') },
      });
      assert.match(said.stderr, /the artifacts of this run are not kept: it belongs to the user 65534/);
      assert.deepEqual(readdirSync(runs), []);
    });

    it('cannot pass off a process or an engine as a host: what lies in a folder of his is not believed', async () => {
      using files = folder({});
      const state = files.path('state/afbus-topo/host-6.12');
      mkdirSync(state, { recursive: true });
      const us = { pid: process.pid, process: identify(process.pid) };
      const docker = { host: 'tcp://127.0.0.1:1', certDir: files.path('') };
      writeFileSync(join(state, 'host.json'), JSON.stringify({ kernel: '6.12', docker, ...us }));
      writeFileSync(join(state, 'lock'), '');
      chownSync(state, ANOTHER, ANOTHER);
      const env = { XDG_STATE_HOME: files.path('state'), XDG_CACHE_HOME: files.path('cache') };
      assert.equal((await cli(['host', 'status'], { env })).stdout, 'absent\n');
      const stopped = await cli(['host', 'stop'], { env });
      assert.equal(stopped.code, 4);
      assert.match(stopped.stderr, /host-6\.12 cannot be used: it belongs to the user 65534/);
    });

    it('opens nothing of a run, of the compiled code, or of a place of locks and keys', async () => {
      using files = folder({ 'a.topo.yaml': FILE }, OPEN_TO_ALL);
      chmodSync(files.path(''), 0o755);
      const env = { XDG_STATE_HOME: files.path('state'), XDG_CACHE_HOME: files.path('cache') };
      const said = await cli(['run', '-q', '--backend', 'sim', files.path('a.topo.yaml')], { env });
      assert.equal(said.code, 0, said.stderr);
      privateFolder(files.path('cache/afbus-topo/keys'));
      assert.equal(asAnother(['cat', files.path('a.topo.yaml')]).stdout, FILE, 'it reads what is open');
      const all = readdirSync(files.path(''), { recursive: true, encoding: 'utf8', withFileTypes: true })
        .map(({ parentPath, name }) => join(parentPath, name))
        .filter((path) => path.includes('/afbus-topo/'));
      assert.ok(all.some((path) => path.endsWith('verdict.json')));
      assert.ok(all.some((path) => path.includes('/compile/')));
      const seen = asAnother([
        'sh',
        '-c',
        'for path; do [ ! -e "$path" ] || echo "$path"; done',
        'sh',
        ...all,
      ]);
      assert.deepEqual({ status: seen.status, stdout: seen.stdout }, { status: 0, stdout: '' });
    });

    it('reads neither the environment nor an open file of a command', async () => {
      const env = { ...process.env, SECRET: 'hunter2' };
      // It waits for its topology.
      const command = spawn(inProject('bin/afbus-topo'), ['validate', '-'], { env, stdio: 'pipe' });
      try {
        await once(command, 'spawn');
        const own = `/proc/${command.pid}`;
        assert.match(readFileSync(`${own}/environ`, 'utf8'), /hunter2/);
        assert.equal(asAnother(['cat', `${own}/cmdline`]).status, 0, 'it sees that it is there');
        for (const asked of [
          ['cat', `${own}/environ`],
          ['cat', `${own}/mem`],
          ['cat', `${own}/fd/0`],
          ['ls', `${own}/fd`],
          ['ls', `${own}/cwd/`],
        ]) {
          const { status, stdout } = asAnother(asked);
          assert.notEqual(status, 0, `${asked}`);
          assert.equal(stdout, '');
        }
      } finally {
        command.stdin.end();
        await once(command, 'exit');
      }
    });

    it('holds up no command by a lock, and writes nothing among images and keys', async () => {
      using files = folder({}, OPEN_TO_ALL);
      chmodSync(files.path(''), 0o755);
      const [place, lock] = [files.path('cache'), files.path('cache/lock')];
      privateFolder(place);
      assert.notEqual(asAnother(['flock', '--nonblock', lock, 'true']).status, 0);
      writeFileSync(lock, '');
      chownSync(lock, ANOTHER, ANOTHER);
      const held = openSync(lock, 'r');
      assert.equal(
        spawnSync('flock', ['--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', held] }).status,
        0,
      );
      const ours = await tryLock(lock);
      closeSync(held);
      assert.ok(ours, 'a lock file of another user is not waited for');
      await ours.release();
      chmodSync(place, 0o777);
      assert.equal(asAnother(['touch', join(place, 'planted')]).status, 0);
      assert.throws(() => privateFolder(place), /cannot be used: other users could write it; remove it/);
    });
  }
});

const asAnother = (command: readonly string[]) =>
  spawnSync('setpriv', [`--reuid=${ANOTHER}`, `--regid=${ANOTHER}`, '--clear-groups', ...command], {
    encoding: 'utf8',
  });

describe('another machine that shares the home', () => {
  it('keeps its host: nothing of it is removed', async () => {
    using files = folder({});
    const state = privateFolder(files.path('state/afbus-topo/host-6.12'));
    const elsewhere = { kernel: '6.12', release: '6.12.1', channel: 'unix:///gone', machine: 'another' };
    const ended = { pid: 1, process: { ticks: '', boot: '' } };
    writeFileSync(join(state, 'host.json'), JSON.stringify({ ...elsewhere, ...ended }));
    writeFileSync(join(state, 'disk.qcow2'), 'alive');
    const stopped = await cli(['host', 'stop'], { env: { XDG_STATE_HOME: files.path('state') } });
    assert.equal(stopped.code, 4);
    assert.match(stopped.stderr, /belongs to another machine that shares this home/);
    assert.equal(readFileSync(join(state, 'disk.qcow2'), 'utf8'), 'alive');
  });
});

describe('a file that is not trusted', () => {
  it('is every file in CI, unless the user says otherwise', () => {
    const { CI, AFBUS_TRUSTED } = process.env;
    const answers = (env: object, flags = {}) => {
      delete process.env.CI;
      delete process.env.AFBUS_TRUSTED;
      Object.assign(process.env, env);
      return isUntrusted(flags);
    };
    try {
      assert.deepEqual(
        [
          answers({}),
          answers({ CI: 'true' }),
          answers({ CI: 'true', AFBUS_TRUSTED: '1' }),
          answers({ CI: 'true' }, { untrusted: false }),
          answers({}, { untrusted: true }),
        ],
        [false, true, false, false, true],
      );
    } finally {
      delete process.env.CI;
      delete process.env.AFBUS_TRUSTED;
      Object.assign(
        process.env,
        CI !== undefined && { CI },
        AFBUS_TRUSTED !== undefined && { AFBUS_TRUSTED },
      );
    }
  });

  it('gets no engine that is not its own', async () => {
    using files = folder({ 'a.topo.yaml': FILE });
    const said = await cli(['run', '--backend', 'docker', '--untrusted', files.path('a.topo.yaml')]);
    assert.equal(said.code, 2);
    assert.match(said.stderr, /files that are not trusted are not played with --backend docker/);
  });
});
