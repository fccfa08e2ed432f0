// SPDX-License-Identifier: MIT
/** The `vm` backend: the Docker Engine inside the AF_BUS host. */

import {
  certificatesOf,
  channel,
  EngineAgent,
  type Host,
  type KernelVersion,
  type Progress,
  start,
  status,
  watch,
} from '../host/host.ts';
import type { Backend } from './backend.ts';
import { engineAt } from './engine.ts';

export const KERNELS: readonly KernelVersion[] = ['6.12', '6.1'];

export interface VmOptions {
  readonly kernel: KernelVersion;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly untrusted?: boolean;
  /** A run may stay up. */
  readonly keep?: boolean;
}

/** The backend on the host of that kernel, which is built and booted if needed. */
export const vmBackend = async (options: VmOptions): Promise<Backend> => over(await start(options));

/** The host of that kernel if it runs; boots none. */
export async function runningVm(kernel: KernelVersion): Promise<Backend | null> {
  const now = await status({ kernel });
  return now.state === 'running' ? over(now.host) : null;
}

function over(host: Host): Backend {
  const certificates = certificatesOf(host);
  const guard = watch(host);
  const broken = guard.died.then((died) => {
    throw died;
  });
  broken.catch(() => {}); // code that races against it handles it
  return {
    where: { backend: 'vm', kernel: host.release, accelerator: host.accelerator },
    ...engineAt(host.docker, { agent: new EngineAgent(host), certificates }),
    image: host.nodeImage,
    mounts: ['/opt/afbus-topo'],
    agentOnHost: async () => 'node /opt/afbus-topo/agent.cjs',
    channel: (command) => channel(host, [...command]),
    broken,
    probe: () => guard.probe(),
    release: () => guard.stop(),
  };
}
