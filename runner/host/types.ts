// SPDX-License-Identifier: MIT
/** What the rest of the program knows of an AF_BUS host. */

import type { Identity, Known } from './process.ts';

export type KernelVersion = '6.12' | '6.1';
export type Accelerator = 'kvm' | 'tcg';

export interface ProgressUpdate {
  readonly title: string;
  readonly detail?: string;
}
export type Progress = (update: ProgressUpdate) => void;

/** All users of the machine can connect to the host, and so keep its owner out. */
export interface Exposure {
  readonly why: string;
  /** What to do about it. */
  readonly hint: string;
}

/** A virtual machine that runs: a kernel with AF_BUS, and a Docker Engine. */
export interface Host {
  readonly kernel: KernelVersion;
  readonly release: string;
  readonly accelerator: Accelerator;
  /** Why this accelerator, in one line. */
  readonly acceleratorReason: string;
  /** `unix://…` without TLS, or `tcp://127.0.0.1:port` with it; and the folder with ca.pem, cert.pem and key.pem. */
  readonly docker: { readonly host: string; readonly certDir: string };
  /** The owner's channel, always with TLS: `unix://…` or `tcp://127.0.0.1:port`. */
  readonly channel: string;
  /** Absent if nobody but its owner can connect to it. */
  readonly exposed?: Exposure;
  /**
   * Name of the image in the host's engine that nodes run from. It contains Node; the agent is mounted into it (see
   * payload.ts).
   */
  readonly nodeImage: string;
  readonly consoleFile: string;
  /** The process that writes `consoleFile`, and ends after the machine. */
  readonly keeper?: Known;
  readonly pid: number;
  /** ISO 8601 */
  readonly startedAt: string;
  /** Key of the image that it was started from. */
  readonly imageKey: string;
  /**
   * Sums of the modules, the agent and the binding that were copied into it; absent if an earlier version started it.
   */
  readonly payloadSums?: readonly string[];
  /** It plays files that are not trusted, so the next start replaces it. */
  readonly tainted?: boolean;
  /** The process that plays such files in it, if no run stays there after that process. */
  readonly player?: Known;
  /** The machine that it runs on: several may share a home. */
  readonly machine?: string;
  /**
   * Start time of the process, in the kernel's ticks, and the boot: a pid alone may belong to another process by now.
   */
  readonly process: Identity;
}

export type HostStatus =
  | { readonly state: 'absent' | 'stopped' | 'building' | 'starting' }
  | { readonly state: 'stale'; readonly reason: string; readonly consoleFile: string }
  | { readonly state: 'running'; readonly host: Host };

/** A saved machine in the cache, from which hosts start: disk, memory and device state. */
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
  /** Port of the Docker API on 127.0.0.1, to which other users can connect; if absent, the host has sockets if it can. */
  readonly port?: number | undefined;
  /** Needs a host in which nothing has run before; nothing that is trusted will run in it afterwards. */
  readonly untrusted?: boolean | undefined;
  /** A run may stay there after this process. */
  readonly keep?: boolean | undefined;
}

/** Size of guest memory; like CPUS, it is part of every saved image. */
export const MEMORY_MIB = 2048;
export const CPUS = 2;
