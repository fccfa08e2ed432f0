// SPDX-License-Identifier: MIT
/** `.service` files: what the bus can start (D-Bus Specification, "Message Bus Starting Services"). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isWellKnown } from '../../runner/dbus/index.ts';
import type { Service } from '../driver/activation.ts';

/**
 * The folders that `<standard_session_servicedirs/>` and `<standard_system_servicedirs/>` stand for, first one first.
 */
export function standardServiceFolders(
  type: 'session' | 'system',
  env: NodeJS.ProcessEnv,
): readonly string[] {
  if (type === 'system') return ['/usr/local/share', '/usr/share', '/lib'].map(systemFolder);
  const runtime = env.XDG_RUNTIME_DIR === undefined ? [] : [join(env.XDG_RUNTIME_DIR, 'dbus-1/services')];
  const home = env.XDG_DATA_HOME || (env.HOME && join(env.HOME, '.local/share'));
  const shared = (env.XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':').filter(Boolean);
  const folders = [...(home ? [home] : []), ...shared].map((folder) => join(folder, 'dbus-1/services'));
  return [...runtime, ...new Set([...folders, '/usr/share/dbus-1/services'])];
}

const systemFolder = (parent: string): string => join(parent, 'dbus-1/system-services');

/** The services of these folders; the earlier folder wins. Calls `complain` for invalid files. */
export function readServices(
  folders: readonly string[],
  complain: (text: string) => void,
): readonly Service[] {
  const found = new Map<string, Service>();
  for (const file of folders.flatMap(serviceFiles)) {
    const service = readService(file, complain);
    if (service !== undefined && !found.has(service.name)) found.set(service.name, service);
  }
  return [...found.values()];
}

function serviceFiles(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.service'));
    return names.toSorted().map((name) => join(folder, name));
  } catch {
    // A folder that is absent, or may not be read, has no services.
    return [];
  }
}

function readService(file: string, complain: (text: string) => void): Service | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    complain(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
    return undefined;
  }
  const keys = keysOf(text);
  const name = keys.get('Name');
  const exec = commandOf(keys.get('Exec') ?? '');
  const user = keys.get('User');
  if (name === undefined || !isWellKnown(name)) complain(`${file}: Name= is no well-known bus name`);
  else if (exec === undefined || exec.length === 0) complain(`${file}: Exec= is no command`);
  else return { name, exec, ...(user !== undefined && { user }) };
  return undefined;
}

/** The keys of the file's only group. */
function keysOf(text: string): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  let group = '';
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line.startsWith('[')) group = line;
    const [, key, value] = /^([A-Za-z0-9-]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (group === '[D-BUS Service]' && key !== undefined) keys.set(key, value as string);
  }
  return keys;
}

const WORD = /\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+)/sy;

/** Splits words like a shell, without its other features; undefined for an open quote. */
export function commandOf(text: string): readonly string[] | undefined {
  const words: string[] = [];
  WORD.lastIndex = 0;
  while (text.slice(WORD.lastIndex).trim() !== '') {
    const [, word] = WORD.exec(text) ?? [];
    if (word === undefined) return undefined;
    words.push(word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs, unquote));
  }
  return words;
}

function unquote(
  _: string,
  double: string | undefined,
  single: string | undefined,
  escaped: string | undefined,
): string {
  // Between double quotes, a backslash is special only before a few characters.
  return double?.replace(/\\(["\\$`])/g, '$1') ?? single ?? escaped ?? '';
}
