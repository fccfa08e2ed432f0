// SPDX-License-Identifier: MIT
// Files of a few lines or of two megabytes that ask for too much: each is answered at its line, and soon.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { parseDocument } from 'yaml';
import { LIMITS } from '../../../runner/common/limits.ts';
import { load, renderDiagnostics } from '../../../runner/load/index.ts';
import { plan } from '../../../runner/plan/index.ts';

const HEAD = 'buses: { b: {} }\ngroups: { all: { prefix: 1 } }\n';
const clients = (replicas: number) => `clients: { s: {}, r: { replicas: ${replicas}, groups: [all] } }\n`;
const send = (count: number, to = 'all') => `traffic:\n  - send: { from: s, to: ${to}, count: ${count} }\n`;
const slips = (n: number, to: (i: number) => string) =>
  `${HEAD}${clients(10_000)}traffic:\n${Array.from({ length: n }, (_, i) => `  - s -> ${to(i)}: hi\n`).join('')}`;

/** Parts that a file includes, each far within the limits. */
const parts = (n: number) =>
  `include: [${Array.from({ length: n }, (_, i) => `p${i}.yaml`).join(', ')}]\n${HEAD}`;
const MANY = `matrix: { n: [${Array.from({ length: 256 }, (_, i) => i).join(', ')}] }\n${HEAD}${clients(1)}`;

interface Case {
  readonly source: string;
  /** What each file has that it includes. */
  readonly part?: string;
  readonly says: RegExp;
  readonly line?: number;
}

const TOO_MUCH: Readonly<Record<string, Case>> = {
  'clients and messages': {
    source: `${HEAD}clients: { s: {}, r: { replicas: 10000, groups: [all] }, q: { replicas: 10000 } }\n${send(1_000_000)}`,
    says: /20001 clients; the limit is 20000/,
    line: 3,
  },
  'messages, summed up': {
    source: `${HEAD}${clients(1)}${send(600_000, 'r-0')}  - send: { from: s, to: r-0, count: 600000 }\n`,
    says: /1200000 messages; the limit is 1000000/,
    line: 6,
  },
  copies: {
    source: `${HEAD}${clients(10_000)}${send(501)}`,
    says: /5010000 copies of messages; the limit is 5000000/,
    line: 5,
  },
  'signals of a message bus': {
    source: `buses: { b: { master: { program: dbus-daemon } } }\nclients: { s: {}, ${Array.from({ length: 250 }, (_, i) => `c${i}: {}`).join(', ')} }\ntraffic:\n${'  - signal: { from: s, path: /, interface: a.B, member: X, count: 10000 }\n    expect: model\n'.repeat(3)}`,
    says: /5020000 copies of messages; the limit is 5000000/,
    line: 6,
  },
  'bytes on a message bus': {
    source: `buses: { b: { master: { program: dbus-daemon } } }\nclients: { s: {}, r: { match: ["member='X'"] } }\ntraffic:\n  - signal: { from: s, path: /, interface: a.B, member: X, args: [${'x'.repeat(1_900_000)}], count: 100 }\n`,
    says: /\d+ bytes in messages of message buses; the limit is 268435456/,
    line: 4,
  },
  'bytes of answers on a message bus': {
    source: `buses: { b: { master: { program: dbus-daemon } } }\nclients: { s: {}, r: { answers: { X: { reply: [${'x'.repeat(1_900_000)}] } } } }\ntraffic:\n${'  - { call: { from: s, to: r, path: /, member: X }, expect: model }\n'.repeat(200)}`,
    says: /\d+ bytes in messages of message buses; the limit is 268435456/,
    line: 145,
  },
  'descriptors of a step': {
    source: `buses: { b: { master: { program: dbus-daemon } } }\nclients: { s: {}, r: { match: ["member='X'"] } }\ntraffic:\n  - signal: { from: s, path: /, interface: a.B, member: X, count: 2001, fds: [{ pipe: p }, { pipe: q }] }\n`,
    says: /this step passes 4002 descriptors; the limit is 4000/,
    line: 4,
  },
  'instructions of filters': {
    source: `${HEAD}clients: { s: {}, r: { replicas: 200, groups: [all], filter: { bpf: "${'ld #1\\n'.repeat(99)}ret #65535" } } }\n${send(5000)}`,
    says: /instructions of filters and rules for copies to go through; the limit is 50000000/,
    line: 5,
  },
  'rules that messages are compared with': {
    source: `buses: { b: { protocol: nfdbus } }\nclients: { s: {}, r: { replicas: 200, match: [${Array.from({ length: 500 }, (_, i) => `"member='m${i}'"`).join(', ')}] } }\ntraffic:\n  - send: { from: s, to: b, count: 1000, payload: { dbus: { type: signal, path: /, interface: a.B, member: X } } }\n`,
    says: /instructions of filters and rules for copies to go through; the limit is 50000000/,
    line: 4,
  },
  'groups of clients': {
    source: `${HEAD}clients: { s: {}, r: { replicas: 9999, groups: [${Array(50).fill('all').join(', ')}] } }\n`,
    says: /groups, addresses, names, rules and patterns of clients; the limit is 200000/,
    line: 3,
  },
  'patterns that admit clients': {
    source: `buses: { b: { master: { admit: [${Array(300).fill('"r*-*"').join(', ')}] } } }\nclients: { r: { replicas: 9999 } }\n`,
    says: /groups, addresses, names, rules and patterns of clients; the limit is 200000/,
    line: 2,
  },
  'values of a matrix': {
    source: `matrix: { a: [${Array.from({ length: 60_000 }, (_, i) => i).join(',')}] }\n${HEAD}`,
    says: /a file is played in 256 at most/,
    line: 1,
  },
  'clients of all combinations': {
    source: `matrix: { n: [${Array.from({ length: 256 }, (_, i) => 9000 + i).join(', ')}] }\n${HEAD}clients: { r: { replicas: "\${n}" } }\n`,
    says: /clients; the limit is 20000/,
    line: 4,
  },
  combinations: {
    source: `matrix: { a: [${Array.from({ length: 257 }, (_, i) => i).join(', ')}] }\n${HEAD}`,
    says: /257 = 257 combinations; a file is played in 256 at most/,
    line: 1,
  },
  'words of all files': {
    source: parts(90),
    part: `traffic:\n${'  - s -> r: hi\n'.repeat(10_000)}`,
    says: /the topology has more than 250000 words and marks of YAML/,
    line: 1,
  },
  files: {
    source: parts(100),
    part: 'nodes: {}\n',
    says: /a topology is made of 100 files at most/,
    line: 1,
  },
  buffers: {
    source: 'buses: { b: {} }\nclients: { r: { buffer: 257MiB } }\n',
    says: /no message is as long as 269484032 bytes/,
    line: 2,
  },
  'bytes of all files': {
    source: parts(90),
    part: `description: "${'long '.repeat(200_000)}"\n`,
    says: /with all that it includes, a topology has at most 2 MiB/,
    line: 1,
  },
  'values of all combinations': {
    source: `${MANY}traffic:\n${'  - s -> r-0: "${n}"\n'.repeat(4000)}`,
    says: /values in each of 256 combinations are \d+; the limit is 500000/,
    line: 1,
  },
  'aliases of all combinations': {
    source: `${MANY}traffic:\n  - &a { s -> r-0: "\${n}" }\n${'  - *a\n'.repeat(4000)}`,
    says: /values in each of 256 combinations are \d+; the limit is 500000/,
    line: 1,
  },
  'branches that each have thousands of clients': {
    source: `${HEAD}${clients(9000)}traffic:\n  - parallel:\n${'      - s -> r-0: hi\n'.repeat(9000)}`,
    says: /81009000 branches that play at once, each times the clients; the limit is 1000000/,
    line: 5,
  },
  'steps that each ask thousands of clients': {
    source: `${HEAD}${clients(9000)}traffic:\n${'  - s -> r-0: hi\n'.repeat(5700)}`,
    says: /steps, each times the clients; the limit is 50000000/,
    line: 5559,
  },
  'mistakes in one text': { source: `${HEAD}bad: "${'${a:-'.repeat(290_000)}"\n`, says: /never closed/ },
  'unknown keys': {
    source: `${HEAD}${Array.from({ length: 30_000 }, (_, i) => `q${i}: 1\n`).join('')}`,
    says: /unknown key/,
  },
  'expectations that are none': {
    source: `${HEAD}${clients(1)}expect:\n  deliveries:\n${'    - m -> r-0\n'.repeat(4000)}`,
    says: /at least 1500 more/,
  },
  'steps that are none': { source: `${HEAD}traffic:\n${'  - { a: 1 }\n'.repeat(20_000)}`, says: /./ },
  'broken YAML': { source: 'a: b: c\n'.repeat(200_000), says: /more than 250000 words and marks of YAML/ },
  'broken YAML below the limit': {
    source: 'a: b: c\n'.repeat(20_000),
    says: /a map cannot start here/,
    line: 1,
  },
  brackets: { source: '- [ }\n'.repeat(40_000), says: /./ },
  dashes: { source: '- '.repeat(100_000), says: /nested/ },
  'open brackets': { source: '['.repeat(200_000), says: /./ },
  escapes: { source: 'x: "\\q"\n'.repeat(30_000), says: /unknown escape/ },
  'variables without quotes': { source: 'x: { a: ${b} }\n'.repeat(15_000), says: /./ },
  'slips, all the same': { source: slips(20_000, () => 'q17'), says: /unknown/ },
  'slips, all different': { source: slips(20_000, (i) => `q${i}`), says: /unknown/ },
};

/**
 * What a processor that shares its core with another takes longer than one of its own: measured with work of the YAML
 * library alone, which takes 150 ms there.
 */
function slowness(): number {
  const source = Array.from({ length: 3000 }, (_, i) => `k${i}: { b: [c, "d"] }\n`).join('');
  const times = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage();
    parseDocument(source);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times) / 150;
}

describe('a file that asks for too much', function () {
  this.timeout(120_000);

  for (const [what, { source, part = '', says, line }] of Object.entries(TOO_MUCH)) {
    it(`is answered in two seconds of processor: ${what}`, () => {
      const before = process.cpuUsage();
      const { topology, diagnostics } = load('a.topo.yaml', { source, read: () => ({ text: part }) });
      const { user, system } = process.cpuUsage(before);
      assert.equal(topology, undefined);
      const found = diagnostics.find(({ severity, message }) => severity === 'error' && says.test(message));
      assert.ok(found, JSON.stringify(diagnostics.slice(0, 3)));
      if (line !== undefined) assert.equal(found.line, line);
      assert.ok(diagnostics.length <= LIMITS.diagnostics.most + 1);
      const seconds = (user + system) / 1e6;
      assert.ok(seconds < 2 || seconds < 2 * slowness(), `${seconds} s`);
    });
  }

  it('gets short messages, even if they quote something long', () => {
    const key = `"${'k '.repeat(300_000)}"`;
    for (const source of [
      `matrix:\n  ? ${key}\n  : 1\n${HEAD}`,
      `${HEAD}nodes:\n  ? ${key}\n  : { a: 1 }\n`,
      `${HEAD}? ${key}\n: 1\n`,
    ]) {
      const { diagnostics, sources } = load('a.topo.yaml', { source });
      assert.ok(diagnostics.length > 0);
      const said = renderDiagnostics(diagnostics, sources);
      assert.ok(said.length < 4 * LIMITS.wordsLength.most * diagnostics.length, `${said.length} characters`);
      for (const { path, message } of diagnostics)
        assert.ok(Math.max(path.length, message.length) <= LIMITS.wordsLength.most);
    }
  });

  it('is played up to the limits, and planned quickly', () => {
    for (const source of [
      `${HEAD}${clients(1000)}${send(5000)}`,
      `${HEAD}${clients(1)}${send(1_000_000, 'r-0')}`,
      `${HEAD}${clients(1)}traffic:\n  - parallel:\n${'      - s -> r-0: hi\n'.repeat(10_000)}`,
      `${HEAD}${clients(7000)}traffic:\n${Array.from({ length: 7000 }, (_, i) => `  - s -> r-${i}: hi\n`).join('')}`,
    ]) {
      const before = process.cpuUsage();
      const { topology, diagnostics } = load('a.topo.yaml', { source });
      assert.ok(topology, JSON.stringify(diagnostics));
      plan(topology, { seed: 1 });
      const { user, system } = process.cpuUsage(before);
      assert.ok((user + system) / 1e6 < 10, `${(user + system) / 1e6} s`);
    }
  });
});

describe('the page of limits', () => {
  const PAGE = fileURLToPath(new URL('../../../docs/limits.md', import.meta.url));
  const rows = Object.values(LIMITS).map(({ most, what, over }) => `| ${most} | ${what} | ${over} |`);

  it('has the numbers that are checked', () => {
    const page = readFileSync(PAGE, 'utf8');
    const [head = ''] = page.split(/^\| \d/m);
    const made = `${head}${rows.join('\n')}\n`;
    if (process.env.UPDATE === '1') writeFileSync(PAGE, made);
    assert.equal(readFileSync(PAGE, 'utf8'), made, 'docs/limits.md is old: run with UPDATE=1');
  });
});
