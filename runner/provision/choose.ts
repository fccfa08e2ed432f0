// SPDX-License-Identifier: MIT
/** `--backend`: which one, and never a silent other one. */

import type { KernelVersion, Stage } from '../host/host.ts';
import type { Backend } from './backend.ts';

export interface Choice {
  readonly backend: 'auto' | 'vm' | 'docker';
  readonly kernel: KernelVersion;
  readonly detail: (text: string) => void;
  readonly signal: AbortSignal;
}

/** `auto` is `docker` where the engine's kernel has AF_BUS, else `vm`; the verdict says which it was. */
export async function chooseBackend(choice: Choice): Promise<Backend> {
  if (choice.backend !== 'vm') {
    const { dockerBackend, engineHasBus } = await import('./docker.ts');
    if (choice.backend === 'docker' || (await engineHasBus())) return dockerBackend(choice);
  }
  const { vmBackend } = await import('./vm.ts');
  const progress = ({ title, detail }: Stage) => choice.detail(detail ? `${title}: ${detail}` : title);
  const backend = await vmBackend({ ...choice, progress });
  const { kernel, accelerator } = backend.where;
  choice.detail(`vm, Linux ${kernel}, ${accelerator === 'kvm' ? 'KVM' : 'TCG (no KVM here: emulated)'}`);
  return backend;
}

/** Every backend that is up, for `ps`, `down`, `logs`, `exec`; boots nothing. */
export async function runningBackends(): Promise<readonly Backend[]> {
  const { KERNELS, runningVm } = await import('./vm.ts');
  const { runningDocker } = await import('./docker.ts');
  const found = await Promise.all([...KERNELS.map(runningVm), runningDocker()]);
  return found.filter((b) => b !== null);
}
