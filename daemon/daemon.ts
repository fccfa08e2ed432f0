// SPDX-License-Identifier: MIT
/** `afbus-topo dbus-daemon`: a D-Bus message bus whose transport is AF_BUS. */
import { randomBytes } from 'node:crypto';
import { lchownSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { InvalidInput } from '../runner/common/errors.ts';
import { machineId } from '../runner/common/machine-id.ts';
import {
  type Address,
  formatAddress,
  type Header,
  parseAddresses,
  socketPath,
} from '../runner/dbus/index.ts';
import { accounts } from './accounts.ts';
import { acceptAll } from './bus/accept.ts';
import { Bus } from './bus/bus.ts';
import { withinKernel } from './bus/kernel-limits.ts';
import { Launcher } from './bus/launcher.ts';
import { Legacy } from './bus/legacy.ts';
import { toStderr } from './bus/log.ts';
import { Native } from './bus/native.ts';
import { type Config, readConfig } from './config/config.ts';
import { ConfigError } from './config/error.ts';
import { ConfiguredPolicy, isOpenForEveryone } from './config/policy.ts';
import { readServices } from './config/services.ts';
import type { Service } from './driver/activation.ts';
import { Driver, type DriverOptions } from './driver/driver.ts';
import type { Effect } from './driver/effect.ts';
import { DriverError } from './driver/error.ts';
import { DEFAULT_LIMITS, type Limits } from './driver/limits.ts';
import type { Peer } from './driver/peer.ts';
import { onlyFor } from './driver/policy.ts';
import { type Listening, listen } from './listen.ts';
import { putSignpost } from './signpost.ts';

export interface DaemonOptions {
  /** `afbus:path=…`: the bus. */
  readonly address: string;
  /** `unix:path=…`: where legacy clients connect; replaces what the configuration says. */
  readonly listen: readonly string[];
  /** A descriptor to print the addresses to, as soon as clients can connect. */
  readonly printAddress?: number;
  /** dbus-daemon's configuration. Without one, only the user that runs the bus may use it. */
  readonly config?: string;
  /** Replace those of the configuration, and the defaults. */
  readonly limits?: Partial<Limits>;
  /** What the bus can start if there is no configuration. */
  readonly services?: readonly Service[];
  /** The descriptor for the output of services, if it is not that of this process. */
  readonly serviceOutput?: number;
}

const ID_BYTES = 16;
const newId = (): string => randomBytes(ID_BYTES).toString('hex');

export interface Daemon {
  /** Addresses as clients write them. */
  readonly addresses: readonly Address[];
  readonly guid: string;
  close(): void;
}

/** Runs until it is told to stop. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  // Before anybody can know that it runs: a signal without a handler would leave sockets and signposts behind.
  const end = stopped();
  const daemon = await startDaemon(options);
  print(options.printAddress, daemon.addresses, daemon.guid);
  await end;
  daemon.close();
}

/** What it has made in the file system, and listens on. */
interface Places {
  readonly afbus: Address;
  readonly listening: readonly Listening[];
  readonly signposts: readonly string[];
  readonly inodes: readonly string[];
}

/** Resolves when clients can connect. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const config = options.config === undefined ? undefined : read(options.config);
  const [afbus] = addressesOf(options.address, 'afbus', 'of the bus') as [Address];
  const listening = unixAddresses(options, config).map((address) => listen(address, process.env));
  const signposts = putSignposts(listening, afbus, config);
  const inodes = [...listening.flatMap(({ inode }) => inode ?? []), ...signposts];
  try {
    return await serve(options, config, { afbus, listening, signposts, inodes });
  } catch (error) {
    // They would lead to another process that has that address.
    removeAll(inodes);
    throw error;
  }
}

async function serve(
  options: DaemonOptions,
  config: Config | undefined,
  { afbus, listening, signposts, inodes }: Places,
): Promise<Daemon> {
  becomeUser(config?.user, inodes);
  const guid = newId();
  const driver = newDriver(config, (what, delay) => {
    const timer = setTimeout(() => bus.perform(what()), delay).unref();
    return () => clearTimeout(timer);
  });
  if (config === undefined) driver.activation.setServices(options.services ?? []);
  const launcher = new Launcher(driver, (effects) => bus.perform(effects), {
    log: toStderr,
    environment: starterEnvironment(listening[0]?.address, guid, config),
    ...(options.serviceOutput !== undefined && { output: options.serviceOutput }),
    ...(config?.type === 'system' && config.servicehelper !== undefined && { helper: config.servicehelper }),
  });
  const bus = await Bus.open(socketPath(afbus), {
    ...{ driver, log: toStderr, guid, mechanisms: mechanismsOf(config) },
    services: {
      start: ({ service, timeout }) => launcher.start(service, timeout),
      setEnvironment: (variables) => launcher.setEnvironment(variables),
      reload: (peer, header) => bus.perform(answer(driver, peer, header, reload)),
    },
  });
  // nfdbus is loaded by now.
  const limit = () => {
    driver.limits = withinKernel({ ...driver.limits, ...options.limits });
  };
  limit();
  const reload = (): void => {
    if (options.config !== undefined) {
      const changed = read(options.config);
      configure(driver, changed);
      if (!isOpenForEveryone(changed.sections)) removeAll(signposts);
      bus.reconsider();
      bus.perform(driver.activation.changed());
    }
    limit();
  };
  bus.serve((accepted) => void new Native(bus, accepted).run());
  for (const { listener } of listening)
    void acceptAll(listener, (stream) => void new Legacy(bus, stream).run(), bus.acceptOptions);
  if (config?.pidfile !== undefined) writeFileSync(config.pidfile, `${process.pid}\n`);
  process.on('SIGHUP', () => tryOrLog(reload));
  const close = (): void => {
    for (const { listener } of listening) listener.close();
    bus.close();
    removeAll([...inodes, inodeOf(afbus), config?.pidfile]);
  };
  return { addresses: [...listening.map(({ address }) => address), afbus], guid, close };
}

const read = (file: string): Config => readConfig(file, { accounts, env: process.env });

function newDriver(config: Config | undefined, later: DriverOptions['later']): Driver {
  const uid = process.getuid?.() ?? 0;
  const driver = new Driver({
    ...{ limits: DEFAULT_LIMITS, policy: onlyFor(uid), id: newId(), machineId: machineId() },
    ...{ self: { pid: process.pid, uid }, ...(later && { later }) },
  });
  if (config) configure(driver, config);
  return driver;
}

/** Applies policy, limits and services, at the start and on a reload. Connected clients stay. */
function configure(driver: Driver, { limits, sections, serviceFolders }: Config): void {
  driver.limits = limits;
  driver.policy = new ConfiguredPolicy(sections, driver.names, driver.self.uid);
  driver.activation.setServices(readServices(serviceFolders, toStderr));
}

function answer(driver: Driver, peer: Peer, header: Header, act: () => void): readonly Effect[] {
  try {
    act();
    return driver.reply(peer, header, []);
  } catch (error) {
    return driver.refuse(peer, header, new DriverError('Failed', (error as Error).message));
  }
}

function unixAddresses({ listen: given }: DaemonOptions, config: Config | undefined): readonly Address[] {
  if (given.length > 0) return given.flatMap((text) => addressesOf(text, 'unix', 'of legacy clients'));
  return (config?.listen ?? []).flatMap(({ address, ...place }) => {
    try {
      return addressesOf(address, 'unix', 'of legacy clients');
    } catch (error) {
      if (error instanceof InvalidInput) throw new ConfigError(place, error.message, error.hint);
      throw error;
    }
  });
}

function addressesOf(text: string, transport: string, what: string): readonly Address[] {
  const all = parseAddresses(text);
  for (const address of all)
    if (address.transport !== transport)
      throw new InvalidInput(
        `the transport ${what} is ${transport}, not ${address.transport}`,
        `Write ${transport}:path=/run/my-bus.`,
      );
  return all;
}

const mechanismsOf = (config: Config | undefined) => {
  const spoken = config === undefined || config.auth.length === 0 ? (['EXTERNAL'] as const) : config.auth;
  return spoken.filter((mechanism) => mechanism !== 'ANONYMOUS' || config?.allowAnonymous);
};

/** The environment of services. */
function starterEnvironment(address: Address | undefined, guid: string, config: Config | undefined) {
  if (address === undefined) return {};
  const text = formatAddress(withGuid(address, guid));
  const type = config?.type ?? 'session';
  return {
    DBUS_STARTER_ADDRESS: text,
    DBUS_STARTER_BUS_TYPE: type,
    ...(type === 'session' && { DBUS_SESSION_BUS_ADDRESS: text }),
  };
}

const withGuid = ({ transport, options }: Address, guid: string): Address => ({
  transport,
  options: new Map([...options, ['guid', guid]]),
});

function print(fd: number | undefined, addresses: readonly Address[], guid: string): void {
  if (fd === undefined) return;
  writeSync(fd, `${addresses.map((address) => formatAddress(withGuid(address, guid))).join(';')}\n`);
}

/** If the policy restricts users, clients stay with the listener: the bus itself would not admit them. */
function putSignposts(listening: readonly Listening[], bus: Address, config: Config | undefined) {
  if (config && !isOpenForEveryone(config.sections)) return [];
  return listening.flatMap(({ inode }) => (inode === undefined ? [] : putSignpost(inode, bus)));
}

function inodeOf(address: Address): string | undefined {
  const path = socketPath(address);
  return path.startsWith('@') ? undefined : path;
}

/** Drops privileges for good; everything that needs root is done by then. What it has made is the user's from now on. */
function becomeUser(name: string | undefined, made: readonly string[]): void {
  if (name === undefined || process.getuid?.() !== 0) return;
  const uid = /^\d+$/.test(name) ? Number(name) : accounts.user(name);
  if (uid === undefined)
    throw new InvalidInput(`this machine has no user ${name}`, 'Write another user into <user>.');
  const gid = accounts.group(name) ?? uid;
  for (const path of made) tryOrLog(() => lchownSync(path, uid, gid));
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

function removeAll(paths: readonly (string | undefined)[]): void {
  for (const path of paths) if (path !== undefined) tryOrLog(() => rmSync(path, { force: true }));
}

function tryOrLog(act: () => void): void {
  try {
    act();
  } catch (error) {
    toStderr((error as Error).message);
  }
}

const stopped = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
