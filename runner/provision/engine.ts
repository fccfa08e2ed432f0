// SPDX-License-Identifier: MIT
/** A way to a Docker Engine → its client, and the environment that leads other programs to the same engine. */

import { readFileSync } from 'node:fs';
import type { Agent } from 'node:https';
import { join } from 'node:path';
import Dockerode from 'dockerode';

export interface Way {
  /** `unix://…` or `tcp://…` */
  readonly host: string;
  /** Folder of ca.pem, cert.pem and key.pem; absent without TLS. */
  readonly certDir?: string;
}

export interface Engine {
  readonly docker: Dockerode;
  readonly environment: Readonly<Record<string, string>>;
}

const UNIX = 'unix://';

/** `agent` makes the connections of the client, if the way takes more than to connect. */
export function engineAt({ host, certDir }: Way, agent?: Agent): Engine {
  const environment = {
    DOCKER_HOST: host,
    DOCKER_TLS_VERIFY: certDir === undefined ? '' : '1',
    DOCKER_CERT_PATH: certDir ?? '',
  };
  if (host.startsWith(UNIX))
    return { docker: new Dockerode({ socketPath: host.slice(UNIX.length), host: '' }), environment };
  const { hostname, port, protocol } = new URL(host);
  const isSecure = certDir !== undefined || protocol === 'https:';
  const docker = new Dockerode({
    protocol: isSecure ? 'https' : 'http',
    host: hostname,
    port: Number(port) || (isSecure ? 2376 : 2375),
    ...(certDir !== undefined && certificates(certDir)),
    ...(agent && { agent }),
  });
  return { docker, environment };
}

function certificates(folder: string): { ca: Buffer; cert: Buffer; key: Buffer } {
  const read = (name: string) => readFileSync(join(folder, name));
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}
