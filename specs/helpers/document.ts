// SPDX-License-Identifier: MIT
/**
 * A page of the documentation whose blocks are true: files are written (or are those of the project), commands are run, and
 * what they say is what the page says. With UPDATE=1 the page is brought up to date instead.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const UPDATE = process.env.UPDATE === '1';

/** ```` ```yaml name.topo.yaml ```` holds a file, ```` ```console ```` commands; `kernel` behind it: those need a host. */
interface Block {
  readonly language: string;
  readonly info: string;
  lines: string[];
}

type Part = string | Block;

export interface PlayOptions {
  /** Commands of blocks marked with this word, or of those without a mark. */
  readonly mark?: 'kernel';
  /** `page`: files are those of the page, in a folder of its own; `project`: files and folder are the project's. */
  readonly files: 'page' | 'project';
}

/** Plays one page; fails at the first block that is not true. */
export function playDocument(path: string, { mark, files }: PlayOptions): void {
  const parts = parse(readFileSync(join(ROOT, path), 'utf8'));
  const folder = mkdtempSync(join(tmpdir(), 'afbus-page-'));
  const bin = join(folder, '.bin');
  try {
    spawnSync('mkdir', [bin]);
    symlinkSync(`${ROOT}bin/afbus-topo`, join(bin, 'afbus-topo'));
    const cwd = files === 'page' ? folder : ROOT;
    for (const part of parts) {
      if (typeof part === 'string') continue;
      if (part.language === 'yaml' && part.info !== '') file(part, cwd, files);
      if (part.language === 'console' && part.info === (mark ?? '')) commands(part, cwd, bin);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (UPDATE) writeFileSync(join(ROOT, path), print(parts));
}

function file(block: Block, cwd: string, files: PlayOptions['files']): void {
  const path = join(cwd, block.info);
  if (files === 'page') writeFileSync(path, `${block.lines.join('\n')}\n`);
  else {
    assert.ok(existsSync(path), `${block.info} is not there`);
    const text = readFileSync(path, 'utf8').trimEnd().split('\n');
    // Its head is for tools.
    const lines = text.filter((line) => !/^# (SPDX|yaml-language-server)/.test(line));
    if (UPDATE) block.lines = lines;
    assert.deepEqual(block.lines, lines, block.info);
  }
}

function commands(block: Block, cwd: string, bin: string): void {
  const said: string[] = [];
  for (const { command, output } of split(block.lines)) {
    const now = run(command, cwd, bin);
    const [is, was] = [now, output].map((lines) => timeless(lines.join('\n'), isSeeded(command)));
    if (!UPDATE) assert.equal(is, was, `$ ${command}`);
    // What only time has changed stays as it is.
    const same = is === was;
    said.push(`$ ${command}`, ...(same ? output : now));
  }
  block.lines = said;
}

function run(command: string, cwd: string, bin: string): string[] {
  const { stdout } = spawnSync('bash', ['-c', `{ ${command}\n} 2>&1`], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, CI: 'true', NO_COLOR: '1' },
  });
  // Signs of life come when they come.
  return stdout
    .split('\n')
    .filter((line, n, all) => !line.startsWith('… ') && (line !== '' || n < all.length - 1));
}

function split(lines: readonly string[]): { command: string; output: string[] }[] {
  const found: { command: string; output: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) found.push({ command: line.slice(2), output: [] });
    else found.at(-1)?.output.push(line);
  }
  return found;
}

/** Without what differs from one run to the next: times, ids, seeds, and the machine; without a seed, who was quicker, too. */
const timeless = (text: string, isSeeded: boolean): string =>
  (isSeeded ? text : hasteless(text))
    .replace(/ +\d+\.\d s/g, ' _ s')
    .replace(/\b[0-9a-f]{8}\b/g, '_')
    .replace(/\bseed \d+/g, 'seed _')
    .replace(/^(✓ host .* s).*$/gm, '$1')
    .replace(/Linux \d[^ ]*|6\.1?\d?[^ ]*cloud-amd64/g, 'Linux _')
    .replace(/· (TCG|KVM)[^·\n]*/g, '· _')
    .replace(/\d{4}-\d\d-\d\dT[\d:]+/g, '_')
    .replace(/ {2,}/g, '  ')
    .trimEnd();

/** Whether a seed decides who is quicker. On a kernel none does. */
const isSeeded = (command: string): boolean => /--backend sim\b.* --seed \d/.test(command);

/** Without what depends on who was quicker. */
const hasteless = (text: string): string =>
  text
    // A slow eavesdropper misses copies, and the report counts them; a quick one misses none.
    .replace(/\d+ deliver(?:y|ies)\b/g, '_ deliveries')
    .replace(/\d+ cop(?:y|ies)\b/g, '_ copies')
    .replace(/^.* copies(?: missed by eavesdroppers, which may miss some|, as eavesdroppers may)\n/gm, '')
    // How many could be compared depends on it as well.
    .replace(/^( +[✓–] (?:order\.\w+|kernel)) .*$/gm, '$1');

function parse(text: string): Part[] {
  const parts: Part[] = [];
  let block: Block | undefined;
  for (const line of text.split('\n')) {
    const [, language = '', info = ''] = /^```(\w*) ?(.*)$/.exec(line) ?? [];
    if (block && line === '```') {
      parts.push(block);
      block = undefined;
    } else if (block) block.lines.push(line);
    else if (line.startsWith('```')) block = { language, info, lines: [] };
    else parts.push(line);
  }
  return parts;
}

const print = (parts: readonly Part[]): string =>
  parts
    .map((part) => {
      if (typeof part === 'string') return part;
      return [`\`\`\`${part.language}${part.info === '' ? '' : ` ${part.info}`}`, ...part.lines, '```'].join(
        '\n',
      );
    })
    .join('\n');
