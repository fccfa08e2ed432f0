// SPDX-License-Identifier: MIT
/**
 * How its owner reaches a host, or a machine in which an image is built: by sockets in a folder that nobody else can
 * enter, if this machine allows that, else by ports of 127.0.0.1.
 */

import { join } from 'node:path';
import { ofPort, ofSocket } from './address.ts';
import { ENDS_WITH_PARENT, type Enclosure, ownNetwork } from './network.ts';
import { inProject } from './paths.ts';
import { freePorts } from './ports.ts';
import type { Machine } from './qemu.ts';
import type { Relay } from './relay.ts';
import { stateFile } from './state.ts';
import type { Exposure, Host, KernelVersion } from './types.ts';

export interface HostAccess extends Pick<Host, 'channel' | 'exposed'> {
  /** Of the Docker API. */
  readonly docker: string;
  /** At which QEMU listens. */
  readonly ports: Machine['ports'];
  /** This command of QEMU, with what is needed beside it. */
  readonly command: (qemu: readonly string[]) => readonly string[];
}

export interface AccessOptions {
  readonly kernel: KernelVersion;
  /** Folder of the owner's keys. */
  readonly certDir: string;
  readonly port?: number | undefined;
}

/** null if no port is free, or not the one that is asked for. */
export async function findAccess(options: AccessOptions): Promise<HostAccess | null> {
  if (options.port !== undefined) return byPorts(ASKED_FOR, options.port);
  return accessBy(socketsOf(options.kernel), options.certDir);
}

/** To a machine that runs in this folder. */
export const accessIn = (folder: string, certDir: string): Promise<HostAccess | null> =>
  accessBy({ docker: join(folder, 'docker.sock'), channel: join(folder, 'channel.sock') }, certDir);

async function accessBy(sockets: Sockets, certDir: string): Promise<HostAccess | null> {
  const enclosure = enclosureFor(sockets);
  return typeof enclosure === 'function' ? bySockets(sockets, certDir, enclosure) : byPorts(enclosure);
}

/** How it would be with a host that is started now; null if nobody but its owner could connect to it. */
export function exposure(kernel: KernelVersion): Exposure | null {
  const enclosure = enclosureFor(socketsOf(kernel));
  return typeof enclosure === 'function' ? null : enclosure;
}

const ASKED_FOR: Exposure = {
  why: 'it was started with --port',
  hint: 'stop it and start it without --port',
};

/** Of a socket's path, in bytes. */
const LONGEST = 107;

type Sockets = Pick<Relay, 'docker' | 'channel'>;

const socketsOf = (kernel: KernelVersion): Sockets => ({
  docker: stateFile(kernel, 'dockerSocket'),
  channel: stateFile(kernel, 'channelSocket'),
});

function enclosureFor(sockets: Sockets): Enclosure | Exposure {
  const paths = Object.values(sockets);
  const long = paths.find((path) => Buffer.byteLength(path) > LONGEST);
  if (long !== undefined)
    return {
      why: `the path of its socket has more than ${LONGEST} bytes: ${long}`,
      hint: 'choose a shorter XDG_STATE_HOME',
    };
  // testcontainers takes the path out of DOCKER_HOST as that of a URL. If it finds nothing there, it asks another engine.
  const odd = paths.find((path) => new URL(ofSocket(path)).pathname !== path);
  if (odd === undefined) return ownNetwork();
  return {
    why: `some programs read DOCKER_HOST as a URL, in which the path of its socket would change: ${odd}`,
    hint: 'choose an XDG_STATE_HOME of ASCII letters, without spaces, "%", "?" and "#"',
  };
}

async function byPorts(exposed: Exposure, port?: number): Promise<HostAccess | null> {
  const found = await freePorts(port);
  if (!found) return null;
  const [docker, channel] = found;
  return {
    docker: ofPort(docker),
    channel: ofPort(channel),
    exposed,
    ports: { docker, channel },
    command: (qemu) => qemu,
  };
}

/** In a network of its own there is nobody else who has them. */
const PORTS = { docker: 2376, channel: 2377 };

/**
 * The relay ends with QEMU, which takes the place of the shell that started it. What QEMU inherits is not the relay's:
 * the other end would not notice QEMU's.
 */
const BESIDE_RELAY = `${ENDS_WITH_PARENT.join(' ')} "$1" "$2" "$3" "$$" 3<&- 4<&- 5<&- &
shift 3
exec "$@"`;

function bySockets({ docker, channel }: Sockets, certDir: string, enclosure: Enclosure): HostAccess {
  const relay: Relay = { docker, channel, certDir, ports: PORTS };
  const start = [process.execPath, inProject('runner/host/relay.ts'), JSON.stringify(relay)];
  return {
    docker: ofSocket(docker),
    channel: ofSocket(channel),
    ports: PORTS,
    command: (qemu) => enclosure(['sh', '-c', BESIDE_RELAY, 'sh', ...start, ...qemu]),
  };
}
