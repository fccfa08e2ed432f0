// SPDX-License-Identifier: MIT
/** Chooses the backend that `--backend` names; never replaces it by another one silently. */

import { InvalidInput } from '../common/errors.ts';
import type { KernelVersion, ProgressUpdate } from '../host/host.ts';
import type { Backend } from './backend.ts';

export interface Choice {
  readonly backend: 'auto' | 'vm' | 'docker';
  readonly kernel: KernelVersion;
  readonly detail: (text: string) => void;
  readonly signal: AbortSignal;
  /** Plays in a host in which nothing has run before. */
  readonly untrusted: boolean;
  /** A run may stay up. */
  readonly keep?: boolean;
}

/**
 * `auto` is `vm`, which isolates what nodes do. Nodes of `docker` are root on the machine of the engine, so `docker` is
 * used only if it is named, and never for files that are not trusted.
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
  const progress = ({ title, detail }: ProgressUpdate) =>
    choice.detail(detail ? `${title}: ${detail}` : title);
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

/** Every backend that is up, for `ps`, `down`, `logs`, `exec`; boots none. */
export async function runningBackends(): Promise<readonly Backend[]> {
  const { KERNELS, runningVm } = await import('./vm.ts');
  const { runningDocker } = await import('./docker.ts');
  const found = await Promise.all([...KERNELS.map(runningVm), runningDocker()]);
  return found.filter((b) => b !== null);
}
