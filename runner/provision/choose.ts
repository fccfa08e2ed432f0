// SPDX-License-Identifier: MIT
/** `--backend`: which one, and never a silent other one. */

import { InvalidInput } from '../common/errors.ts';
import type { KernelVersion, Stage } from '../host/host.ts';
import type { Backend } from './backend.ts';

export interface Choice {
  readonly backend: 'auto' | 'vm' | 'docker';
  readonly kernel: KernelVersion;
  readonly detail: (text: string) => void;
  readonly signal: AbortSignal;
  /** Play in a host in which nothing ran before. */
  readonly untrusted: boolean;
}

/**
 * `auto` is `vm`: what nodes do there stays there. Nodes of `docker` are root on the machine of the engine, so that it is
 * taken when it is asked for by name, and never for files that are not trusted.
 */
export async function chooseBackend(choice: Choice): Promise<Backend> {
  if (choice.backend === 'docker') {
    if (choice.untrusted) throw notThere();
    const { dockerBackend } = await import('./docker.ts');
    const backend = await dockerBackend(choice);
    choice.detail('docker: its nodes are privileged: root on the machine of that engine');
    return backend;
  }
  const { vmBackend } = await import('./vm.ts');
  const progress = ({ title, detail }: Stage) => choice.detail(detail ? `${title}: ${detail}` : title);
  const backend = await vmBackend({ ...choice, progress });
  const { kernel, accelerator } = backend.where;
  choice.detail(`vm, Linux ${kernel}, ${accelerator === 'kvm' ? 'KVM' : 'TCG (no KVM here: emulated)'}`);
  return backend;
}

const notThere = () =>
  new InvalidInput(
    'files that are not trusted are not played with --backend docker: its nodes are root on that engine',
    'use --backend vm or sim, or add --no-untrusted if you trust the file',
  );

/** Every backend that is up, for `ps`, `down`, `logs`, `exec`; boots nothing. */
export async function runningBackends(): Promise<readonly Backend[]> {
  const { KERNELS, runningVm } = await import('./vm.ts');
  const { runningDocker } = await import('./docker.ts');
  const found = await Promise.all([...KERNELS.map(runningVm), runningDocker()]);
  return found.filter((b) => b !== null);
}
