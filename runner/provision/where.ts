// SPDX-License-Identifier: MIT
/** Where a run took place: the first line of every report. */
export interface Where {
  readonly backend: 'vm' | 'docker' | 'sim';
  readonly launcher: 'container' | 'process';
  /** uname -r of the AF_BUS host. */
  readonly kernel: string;
  readonly accelerator?: 'kvm' | 'tcg';
  readonly engine?: string;
  /** `sim`: the seed of its scheduler. */
  readonly seed?: number;
  /** `sim`: the bug that it was told to have. */
  readonly bug?: string;
}
