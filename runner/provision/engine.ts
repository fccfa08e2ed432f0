// SPDX-License-Identifier: MIT
/**
 * Turns the address of a Docker Engine into a client for it, and the environment that leads other programs to the same
 * engine.
 */

import { Agent as HttpAgent } from 'node:http';
import { Agent } from 'node:https';
import Dockerode from 'dockerode';
import { type Certificates, certificatesIn } from '../common/certificates.ts';
import { bounded } from './bounded-agent.ts';

export interface EngineAddress {
  /** `unix://…` or `tcp://…` */
  readonly host: string;
  /** Folder with ca.pem, cert.pem and key.pem; absent without TLS. */
  readonly certDir?: string;
}

export interface Engine {
  readonly docker: Dockerode;
  readonly environment: Readonly<Record<string, string>>;
}

const UNIX = 'unix://';

/** As Node's own agent: a connection is kept for the next request. */
const LIKE_GLOBAL = { keepAlive: true, scheduling: 'lifo', timeout: 5000 } as const;

/** For engines that need more than an address. */
export interface Own {
  readonly agent: Agent;
  readonly certificates: Certificates;
}

const HINT = 'look at DOCKER_CERT_PATH, or at "docker context inspect"';

/** At a socket there is no TLS: the folder's permissions say who may enter. */
export function environmentOf({ host, certDir }: EngineAddress): Engine['environment'] {
  const keys = host.startsWith(UNIX) ? undefined : certDir;
  return {
    DOCKER_HOST: host,
    DOCKER_TLS_VERIFY: keys === undefined ? '' : '1',
    DOCKER_CERT_PATH: keys ?? '',
  };
}

export function engineAt(address: EngineAddress, own?: Own): Engine {
  const { host, certDir } = address;
  const environment = environmentOf(address);
  if (host.startsWith(UNIX)) {
    const at = { socketPath: host.slice(UNIX.length), host: '' };
    return { docker: client(at, new HttpAgent(LIKE_GLOBAL)), environment };
  }
  const { hostname, port, protocol } = new URL(host);
  const isSecure = certDir !== undefined || protocol === 'https:';
  const at = {
    protocol: isSecure ? ('https' as const) : ('http' as const),
    host: hostname,
    port: Number(port) || (isSecure ? 2376 : 2375),
    ...(own?.certificates ?? (certDir !== undefined && certificatesIn(certDir, HINT))),
  };
  const agent = own?.agent ?? new (isSecure ? Agent : HttpAgent)(LIKE_GLOBAL);
  return { docker: client(at, agent), environment };
}

/** dockerode's types lack the agent. */
const client = (at: Dockerode.DockerOptions, agent: HttpAgent): Dockerode =>
  new Dockerode({ ...at, ...{ agent: bounded(agent) } });
