// SPDX-License-Identifier: MIT
/** Marks everything that a run makes with its owner; `ps`, `down` and `doctor` rely on these marks only. */

import { hash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { machineId } from '../host/machine-id.ts';

const PREFIX = 'org.afbus-topo';
export const LABEL = {
  run: `${PREFIX}.run`,
  topology: `${PREFIX}.topology`,
  file: `${PREFIX}.file`,
  node: `${PREFIX}.node`,
  /** Of a container or volume: the names of all nodes of its run, with blanks between them. */
  nodes: `${PREFIX}.nodes`,
  started: `${PREFIX}.started`,
  owner: `${PREFIX}.owner`,
  kept: `${PREFIX}.kept`,
  /** On a container that runs a command in a process node, which is no node itself: the node's run. */
  command: `${PREFIX}.command`,
} as const;

/** Which run a container, volume or process group belongs to, and who started that run. */
export interface Ownership {
  readonly run: string;
  readonly topology: string;
  readonly file: string;
  /** ISO 8601 */
  readonly started: string;
  /** `pid@boot-id@machine@pid-namespace` of the runner. */
  readonly owner: string;
  /** Made by `up`, to outlive its runner: only `down` ends it. */
  readonly kept: boolean;
}

export const newRun = (): string => randomBytes(4).toString('hex');

/** Ids become words of commands and names of folders, so none but those that `newRun` makes are believed. */
export const isRun = (text: string): boolean => /^[0-9a-f]{8}$/.test(text);

export function ownership(run: string, topology: string, file: string, kept: boolean): Ownership {
  return {
    run,
    topology,
    file,
    started: new Date().toISOString(),
    owner: [process.pid, bootId(), machine(), pidNamespace()].join('@'),
    kept,
  };
}

export function toLabels(o: Ownership, node?: string): Record<string, string> {
  return {
    [LABEL.run]: o.run,
    [LABEL.topology]: o.topology,
    [LABEL.file]: o.file,
    [LABEL.started]: o.started,
    [LABEL.owner]: o.owner,
    [LABEL.kept]: String(o.kept),
    ...(node === undefined ? {} : { [LABEL.node]: node }),
  };
}

export function fromLabels(labels: Readonly<Record<string, string>>): Ownership | null {
  const text = (label: string) => (typeof labels[label] === 'string' ? labels[label] : '');
  const run = text(LABEL.run);
  if (!isRun(run)) return null;
  return {
    run,
    topology: text(LABEL.topology),
    file: text(LABEL.file),
    started: text(LABEL.started),
    owner: text(LABEL.owner),
    kept: text(LABEL.kept) === 'true',
  };
}

/**
 * Whether the runner that made it was killed. Only the machine that ran the runner can tell: it has booted again, or
 * there is no such process in the same namespace. The runs of other machines (on a shared engine) and of containers
 * count as alive.
 */
export function isOrphan(o: Ownership): boolean {
  const [pid, boot, where, namespace] = o.owner.split('@');
  if (o.kept || where !== machine()) return false;
  if (boot !== bootId()) return true;
  if (namespace !== pidNamespace()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Machines may have the same name, or be copies with the same id, but hardly both. */
const machine = (): string => hash('sha256', `${machineId()} ${hostname()}`).slice(0, 16);

/** A container may share its machine's name. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return 'unknown';
  }
}

let boot: string | undefined;
function bootId(): string {
  try {
    boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    boot ??= 'unknown';
  }
  return boot;
}
