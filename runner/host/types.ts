// SPDX-License-Identifier: MIT
/** What the rest of the program knows of an AF_BUS host. */

import type { Identity, Known } from './process.ts';

export type KernelVersion = '6.12' | '6.1';
export type Accelerator = 'kvm' | 'tcg';

export interface Stage {
  readonly title: string;
  readonly detail?: string;
}
export type Progress = (stage: Stage) => void;

/** A virtual machine that runs: a kernel with AF_BUS, and a Docker Engine. */
export interface Host {
  readonly kernel: KernelVersion;
  readonly release: string;
  readonly accelerator: Accelerator;
  /** Why that accelerator, in one line. */
  readonly acceleratorReason: string;
  /** `tcp://127.0.0.1:port`, and the folder with ca.pem, cert.pem and key.pem. */
  readonly docker: { readonly host: string; readonly certDir: string };
  /** Port of the owner's channel, on 127.0.0.1. */
  readonly channelPort: number;
  /** Name of the image in the host's engine that nodes run from; the agent is mounted into it from `payload`. */
  readonly nodeImage: string;
  readonly consoleFile: string;
  /** The process that writes that file, and ends after the machine. */
  readonly keeper?: Known;
  readonly pid: number;
  /** ISO 8601 */
  readonly startedAt: string;
  /** Names the image that it was started from. */
  readonly imageKey: string;
  /** Of the modules, the agent and the binding that were brought into it; an earlier version did not write them. */
  readonly payloadSums?: readonly string[];
  /** It plays files that are not trusted: the next start replaces it. */
  readonly tainted?: boolean;
  /** The machine that it runs on: a home may be shared by several. */
  readonly machine?: string;
  /** When the process started, in the kernel's ticks, and the boot: a pid alone may be somebody else's by now. */
  readonly process: Identity;
}

export type HostStatus =
  | { readonly state: 'absent' | 'stopped' | 'building' | 'starting' }
  | { readonly state: 'stale'; readonly reason: string; readonly consoleFile: string }
  | { readonly state: 'running'; readonly host: Host };

/** A saved machine in the cache: disk, memory and device state, from which hosts start. */
export interface HostImage {
  readonly kernel: KernelVersion;
  readonly release: string;
  readonly key: string;
  readonly folder: string;
  readonly accelerator: Accelerator;
  readonly acceleratorReason: string;
  readonly nodeImage: string;
}

export interface HostOptions {
  readonly kernel: KernelVersion;
}

export interface BuildOptions extends HostOptions {
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface StartOptions extends BuildOptions {
  /** Port of the Docker API on 127.0.0.1; a free one when absent. */
  readonly port?: number | undefined;
  /** Nothing may have run in it before, and nothing that is trusted runs in it afterwards. */
  readonly untrusted?: boolean | undefined;
}

/** Guest memory and processors: part of every saved image. */
export const MEMORY_MIB = 2048;
export const CPUS = 2;
