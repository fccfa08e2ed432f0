// SPDX-License-Identifier: MIT
/** The `vm` backend: the Docker Engine inside the AF_BUS host. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { channel, type Host, type KernelVersion, type Progress, start, status, watch } from '../host/host.ts';
import type { Backend } from './backend.ts';

export const KERNELS: readonly KernelVersion[] = ['6.12', '6.1'];

export interface VmOptions {
  readonly kernel: KernelVersion;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly untrusted?: boolean;
}

/** Builds and boots what is missing. */
export const vmBackend = async (options: VmOptions): Promise<Backend> => over(await start(options));

/** The host of that kernel if it runs; boots nothing. */
export async function runningVm(kernel: KernelVersion): Promise<Backend | null> {
  const now = await status({ kernel });
  return now.state === 'running' ? over(now.host) : null;
}

function over(host: Host): Backend {
  const { hostname, port } = new URL(host.docker.host);
  const read = (name: string) => readFileSync(join(host.docker.certDir, name));
  const docker = new Dockerode({
    protocol: 'https',
    host: hostname,
    port: Number(port),
    ca: read('ca.pem'),
    cert: read('cert.pem'),
    key: read('key.pem'),
  });
  const guard = watch(host);
  const broken = guard.died.then((died) => {
    throw died;
  });
  broken.catch(() => {}); // the code that races against it sees it
  return {
    where: { backend: 'vm', kernel: host.release, accelerator: host.accelerator },
    docker,
    environment: {
      DOCKER_HOST: host.docker.host,
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: host.docker.certDir,
    },
    image: host.nodeImage,
    mounts: ['/opt/afbus-topo'],
    agentOnHost: async () => 'node /opt/afbus-topo/agent.js',
    channel: (command) => channel(host, [...command]),
    broken,
    probe: () => guard.probe(),
    release: () => guard.stop(),
  };
}
