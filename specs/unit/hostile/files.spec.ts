// SPDX-License-Identifier: MIT
// Topology files of strangers, drawn: none of them gets out of its folder, forges an output or breaks the command.
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { inProject } from '../../../runner/host/paths.ts';
import { type Drawn, draw } from '../../hostile/draw.ts';
import { playFiles } from '../../hostile/files.ts';
import { violations } from '../../hostile/oracles.ts';
import { type Player, playByCommand, playHere } from '../../hostile/play.ts';
import { makeSandbox, type Sandbox, SECRET } from '../../hostile/sandbox.ts';

const FAIR: Drawn = {
  main: 'a.topo.yaml',
  entries: [
    {
      path: 'a.topo.yaml',
      text: 'buses: { b: {} }\nclients: { x: {}, y: {} }\ntraffic:\n  - x -> y: hi\n',
    },
  ],
  left: [],
};

const spin = (seconds: number) => {
  const from = process.cpuUsage();
  while (process.cpuUsage(from).user / 1e6 < seconds);
};

/** What a careless command would do, and what is found then. */
const PLANTED: Readonly<
  Record<string, { readonly does: (sandbox: Sandbox) => unknown; readonly finds: RegExp }>
> = {
  'writes outside of its folder': {
    does: ({ root }) => writeFileSync(join(root, 'escaped'), ''),
    finds: /it wrote .*escaped/,
  },
  'writes outside of its folder, through a link': {
    does: ({ root, out }) => {
      symlinkSync(root, join(out, 'link'));
      writeFileSync(join(out, 'link', 'escaped'), '');
    },
    finds: /it wrote .*escaped/,
  },
  'changes what lies beside its folder': {
    does: ({ root }) => writeFileSync(join(root, 'secret'), 'other'),
    finds: /it wrote outside of the folder of artifacts/,
  },
  'reads outside of its folder': {
    does: ({ root }) => readFileSync(join(root, 'secret')),
    finds: /it read .*secret \(readFileSync\)/,
  },
  'reads outside of its folder, through a link': {
    does: ({ mine }) => {
      symlinkSync('/proc/self/environ', join(mine, 'environ'));
      return readFileSync(join(mine, 'environ'));
    },
    finds: /it read \/proc\/\d+\/environ/,
  },
  throws: {
    does: () => {
      throw new TypeError('undefined is not a function');
    },
    finds: /it threw: TypeError/,
  },
};

/** What a careless command would print. */
const PRINTED: readonly {
  readonly format: string;
  readonly stdout: string;
  readonly finds: RegExp;
  readonly code?: number;
}[] = [
  ...['text', 'jsonl', 'junit', 'ktap', 'github', 'sarif', 'mermaid', 'dot', 'yaml'].map((format) => ({
    format,
    stdout: '\u001b[2J',
    finds: /run: .*stdout of/,
  })),
  { format: 'text', stdout: 'a\n::error::x\n', finds: /stdout of text/ },
  { format: 'text', stdout: 'a ##[error]x\n', finds: /stdout of text/ },
  { format: 'ktap', stdout: 'ok 99 forged\n', finds: /stdout of ktap/ },
  { format: 'text', stdout: 'TypeError: x\n    at f (a.ts:1:1)\n', finds: /a stack/ },
  { format: 'text', stdout: SECRET, finds: /it shows what is secret/ },
  { format: 'text', stdout: '', code: 3, finds: /the exit code 3/ },
  { format: 'json', stdout: '{', finds: /JSON/ },
  { format: 'junit', stdout: '<a><b></a>', finds: /run: / },
  { format: 'yaml', stdout: 'a: b: c', finds: /run: / },
  { format: 'svg', stdout: '<svg><script/></svg>', finds: /it has <script>/ },
  { format: 'svg', stdout: '<svg onload="x()"/>', finds: /the attribute onload/ },
  { format: 'mermaid', stdout: 'graph\n  click a "javascript:x()"', finds: /it holds/ },
  { format: 'dot', stdout: 'a [label="x" URL="y"]', finds: /it holds/ },
];

/** Of all maps of the language. */
function keysOf(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {} } = schema as { readonly properties?: object };
  return [...Object.keys(properties), ...Object.values(schema).flatMap(keysOf)];
}

describe('a file of a stranger, drawn', function () {
  this.timeout(600_000);

  it('may have any key of the language', () => {
    const keys = new Set(keysOf(JSON.parse(readFileSync(inProject('docs/topology.schema.json'), 'utf8'))));
    for (let run = 0; run < 2000 && keys.size > 0; run++) {
      const texts = draw(1, run).entries.map((entry) => ('text' in entry ? String(entry.text) : ''));
      for (const [, key = ''] of texts.join().matchAll(/"([\w-]+)":/g)) keys.delete(key);
    }
    assert.deepEqual([...keys], []);
  });

  it('stays in its folder, forges nothing and ends, in all formats', async () => {
    assert.deepEqual(await playFiles({ seed: 1, from: 0, to: 200, player: playHere }), []);
  });

  it('does so by the command itself', async () => {
    assert.deepEqual(await playFiles({ seed: 2, from: 0, to: 6, player: playByCommand }), []);
  });
});

describe('the search for a command that allows a stranger too much', function () {
  this.timeout(240_000);

  const findings = async (player: Player) => {
    using sandbox = makeSandbox();
    return (await violations(sandbox.set(FAIR), player, 1)).join('\n');
  };

  it('finds nothing in the command itself', async () => {
    assert.equal(await findings(playHere), '');
  });

  for (const [what, { does, finds }] of Object.entries(PLANTED)) {
    it(`finds one that ${what}`, async () => {
      const player: Player = async (sandbox, seed) => {
        does(sandbox);
        return playHere(sandbox, seed);
      };
      assert.match(await findings(player), finds);
    });
  }

  for (const { format, stdout, code = 0, finds } of PRINTED) {
    it(`finds one that prints as ${format}: ${JSON.stringify(stdout)}, exit code ${code}`, async () => {
      assert.match(await findings(async () => [{ by: 'run', format, code, stdout, stderr: '' }]), finds);
    });
  }

  it('finds one that writes an artifact which steers a terminal', async () => {
    const player: Player = async ({ out }) => {
      writeFileSync(join(out, 'report.txt'), '\u001b[2J');
      return [];
    };
    assert.match(await findings(player), /the artifact report.txt: /);
  });

  it('finds one that takes long to refuse a file', async () => {
    const player: Player = async () => {
      spin(4.1);
      return [{ by: 'run', format: 'text', code: 2, stdout: '', stderr: '' }];
    };
    assert.match(await findings(player), /it took \d+\.\d s of processor/);
  });
});
