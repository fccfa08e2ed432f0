// SPDX-License-Identifier: MIT
/** Reads dbus-daemon's configuration: XML files that include each other. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { DEFAULT_LIMITS, type Limits } from '../driver/limits.ts';
import { ConfigError, type Place } from './error.ts';
import { type Accounts, idOf, type PolicyRule, policyRule } from './policy-rule.ts';
import { standardServiceFolders } from './services.ts';
import { type Element, readXml } from './xml.ts';

/** Whom a `<policy>` applies to. */
export type Context =
  | { readonly kind: 'default' | 'mandatory' }
  | { readonly kind: 'user' | 'group'; readonly id: number }
  | { readonly kind: 'console'; readonly at: boolean };

export interface PolicySection {
  readonly context: Context;
  readonly rules: readonly PolicyRule[];
}

export type Mechanism = 'EXTERNAL' | 'ANONYMOUS';

export interface Config {
  type?: string;
  user?: string;
  pidfile?: string;
  servicehelper?: string;
  allowAnonymous: boolean;
  readonly listen: (Place & { readonly address: string })[];
  readonly auth: Mechanism[];
  readonly serviceFolders: string[];
  readonly sections: PolicySection[];
  limits: Limits;
}

export interface ReadOptions {
  readonly accounts: Accounts;
  /** Environment of this process, which tells where standard folders are. */
  readonly env: NodeJS.ProcessEnv;
}

/** Reads a file and its includes. Throws ConfigError for everything that is not understood, or cannot be obeyed. */
export function readConfig(file: string, options: ReadOptions): Config {
  const config: Config = {
    ...{
      allowAnonymous: false,
      listen: [],
      auth: [],
      serviceFolders: [],
      sections: [],
      limits: DEFAULT_LIMITS,
    },
  };
  new Reader(config, options).file(resolve(file), { file, line: 1 });
  return config;
}

/** Elements that are ignored: this daemon stays in the foreground, logs to stderr, and does not change the umask. */
const IGNORED = ['fork', 'syslog', 'keep_umask'];

class Reader {
  readonly #config: Config;
  readonly #options: ReadOptions;
  readonly #open: string[] = [];

  constructor(config: Config, options: ReadOptions) {
    this.#config = config;
    this.#options = options;
  }

  file(path: string, from: Place): void {
    if (this.#open.includes(path)) throw new ConfigError(from, `${path} includes itself`);
    const root = readXml(path, read(path, from));
    if (root.name !== 'busconfig') throw new ConfigError(root, `the root is <busconfig>, not <${root.name}>`);
    this.#open.push(path);
    for (const element of root.children) this.#element(element);
    this.#open.pop();
  }

  #element(element: Element): void {
    const { name } = element;
    const handler = Object.hasOwn(this.#handlers, name) ? this.#handlers[name] : undefined;
    if (handler !== undefined) handler(element);
    else if (!IGNORED.includes(name))
      throw new ConfigError(element, `there is no element <${name}> in <busconfig>`);
    else attributes(element, []);
  }

  readonly #handlers: Readonly<Record<string, (element: Element) => void>> = {
    type: (element) => {
      this.#config.type = plain(element);
    },
    user: (element) => {
      this.#config.user = plain(element);
    },
    pidfile: (element) => {
      this.#config.pidfile = plain(element);
    },
    servicehelper: (element) => {
      this.#config.servicehelper = plain(element);
    },
    listen: (element) => {
      this.#config.listen.push({ file: element.file, line: element.line, address: plain(element) });
    },
    auth: (element) => {
      this.#config.auth.push(mechanism(element));
    },
    allow_anonymous: (element) => {
      attributes(element, []);
      this.#config.allowAnonymous = true;
    },
    servicedir: (element) => {
      this.#config.serviceFolders.push(beside(element, plain(element)));
    },
    standard_session_servicedirs: (element) => {
      attributes(element, []);
      this.#config.serviceFolders.push(...standardServiceFolders('session', this.#options.env));
    },
    standard_system_servicedirs: (element) => {
      attributes(element, []);
      this.#config.serviceFolders.push(...standardServiceFolders('system', this.#options.env));
    },
    include: (element) => this.#include(element),
    includedir: (element) => this.#includeFolder(element),
    policy: (element) => {
      this.#config.sections.push(this.#policy(element));
    },
    limit: (element) => {
      this.#config.limits = { ...this.#config.limits, ...limit(element) };
    },
    selinux: (element) => {
      if (hasSelinux())
        throw new ConfigError(
          element,
          'SELinux is enabled on this machine, and this bus cannot enforce its rules',
        );
    },
    apparmor: (element) => apparmor(element),
  };

  #include(element: Element): void {
    attributes(element, ['ignore_missing', 'if_selinux_enabled', 'selinux_root_relative']);
    const ignore = yes(element, 'ignore_missing');
    const relative = yes(element, 'selinux_root_relative');
    if (yes(element, 'if_selinux_enabled') && !hasSelinux()) return;
    if (relative)
      throw new ConfigError(
        element,
        'SELinux is enabled on this machine, and this bus cannot enforce its rules',
      );
    const path = beside(element, element.text);
    if (!ignore || existsSync(path)) this.file(path, element);
  }

  /** The `.conf` files of a folder, in the order of their names; none if there is no such folder. */
  #includeFolder(element: Element): void {
    const folder = beside(element, plain(element));
    if (!existsSync(folder)) return;
    for (const name of orRefuse(element, folder, (path) => readdirSync(path)).toSorted())
      if (name.endsWith('.conf')) this.file(join(folder, name), element);
  }

  #policy(element: Element): PolicySection {
    const context = contextOf(element, this.#options.accounts);
    const rules = element.children.map((child) => {
      if (child.name !== 'allow' && child.name !== 'deny')
        throw new ConfigError(child, `there is no element <${child.name}> in <policy>`);
      return policyRule(child, this.#options.accounts);
    });
    return { context, rules };
  }
}

const read = (path: string, from: Place): string =>
  orRefuse(from, path, (file) => readFileSync(file, 'utf8'));

/** What is read from a path that the configuration names at this place. */
function orRefuse<T>(from: Place, path: string, reading: (path: string) => T): T {
  try {
    return reading(path);
  } catch (error) {
    throw new ConfigError(
      from,
      `cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`,
      'Give a path that exists and that this user may read.',
    );
  }
}

/** Paths are relative to the folder of the file that contains them. */
const beside = ({ file }: Element, path: string): string =>
  isAbsolute(path) ? path : join(dirname(file), path);

function plain(element: Element): string {
  attributes(element, []);
  if (element.text === '') throw new ConfigError(element, `<${element.name}> is empty`);
  return element.text;
}

function attributes(element: Element, known: readonly string[]): void {
  for (const name of Object.keys(element.attributes))
    if (!known.includes(name)) throw new ConfigError(element, `<${element.name}> has no attribute ${name}`);
}

function yes(element: Element, name: string): boolean {
  const value = element.attributes[name];
  if (value !== undefined && value !== 'yes' && value !== 'no')
    throw new ConfigError(element, `${name} is yes or no, not ${JSON.stringify(value)}`);
  return value === 'yes';
}

function mechanism(element: Element): Mechanism {
  const name = plain(element);
  if (name === 'EXTERNAL' || name === 'ANONYMOUS') return name;
  throw new ConfigError(
    element,
    `this bus does not have the authentication mechanism ${name}`,
    'Write EXTERNAL or ANONYMOUS.',
  );
}

function contextOf(element: Element, accounts: Accounts): Context {
  const given = Object.entries(element.attributes);
  const [[name, value] = ['', '']] = given;
  if (given.length !== 1)
    throw new ConfigError(element, 'a policy has one of the attributes context, user, group and at_console');
  if (name === 'context' && (value === 'default' || value === 'mandatory')) return { kind: value };
  if (name === 'user' || name === 'group') return { kind: name, id: idOf(name, value, accounts) };
  if (name === 'at_console' && (value === 'true' || value === 'false'))
    return { kind: 'console', at: value === 'true' };
  const right = name === 'context' ? 'default or mandatory' : 'true or false';
  if (name === 'context' || name === 'at_console')
    throw new ConfigError(element, `${name} of a policy is ${right}, not ${JSON.stringify(value)}`);
  throw new ConfigError(element, `<policy> has no attribute ${name}`);
}

const MAX_LIMIT = 0x7fff_ffff;

function limit(element: Element): Partial<Limits> {
  attributes(element, ['name']);
  const { name } = element.attributes;
  if (name === undefined) throw new ConfigError(element, '<limit> needs the attribute name');
  if (!Object.hasOwn(DEFAULT_LIMITS, name) && !CONTAINER_LIMITS.includes(name))
    throw new ConfigError(element, `there is no limit ${name}`);
  const value = Number(element.text);
  if (!/^\d+$/.test(element.text) || value > MAX_LIMIT)
    throw new ConfigError(
      element,
      `${name} is a whole number up to ${MAX_LIMIT}, not ${JSON.stringify(element.text)}`,
    );
  return { [name]: value };
}

/** Belongs to an interface that Debian's dbus-daemon lacks as well. */
const CONTAINER_LIMITS = [
  'max_containers',
  'max_containers_per_user',
  'max_connections_per_container',
  'max_container_metadata_bytes',
];

function apparmor(element: Element): void {
  attributes(element, ['mode']);
  const { mode = 'enabled' } = element.attributes;
  if (mode === 'required')
    throw new ConfigError(element, 'mode="required": this bus cannot enforce rules of AppArmor');
  if (mode !== 'enabled' && mode !== 'disabled')
    throw new ConfigError(
      element,
      `mode of <apparmor> is required, enabled or disabled, not ${JSON.stringify(mode)}`,
    );
}

const hasSelinux = (): boolean => existsSync('/sys/fs/selinux/enforce');
