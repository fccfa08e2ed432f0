// SPDX-License-Identifier: MIT
/** QEMU on a saved machine. It outlives this process, which talks to it only until the machine runs. */

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { EnvironmentError } from '../common/errors.ts';
import type { HostAccess } from './access.ts';
import { spawnKeeper } from './console-keeper.ts';
import { findImage, IMAGE } from './manifest.ts';
import { identify, type Known } from './process.ts';
import { type Machine, machineArguments, QEMU } from './qemu.ts';
import { IGNORE_SHARED, migrated, Qmp } from './qmp.ts';
import { stateFile } from './state.ts';
import type { HostImage } from './types.ts';

export interface RestoredQemu extends Known {
  /** The process that writes what QEMU and the guest's console say. */
  readonly keeper: Known;
  /** Reads the device state and lets the machine run; fails if QEMU ends meanwhile. */
  readonly resume: () => Promise<void>;
}

// Descriptor that QEMU inherits.
const STATE = 3;
const QMP = 4;
const CONSOLE = 5;

export function spawnRestored(image: HostImage, access: HostAccess): RestoredQemu {
  const state = openSync(join(image.folder, IMAGE.state), 'r');
  const { socket, ...keeper } = spawnKeeper(image.kernel);
  const [program = '', ...args] = access.command([QEMU, ...argumentsFor(image, access.ports)]);
  const child = spawn(program, args, {
    stdio: ['ignore', socket, socket, state, 'pipe', socket],
    detached: true,
  });
  child.on('error', () => {}); // there is no pid then, which is checked below
  closeSync(state);
  socket.destroy();
  const process = child.pid === undefined ? null : identify(child.pid);
  if (child.pid === undefined || !process) {
    throw new EnvironmentError(`cannot run ${program}`, 'run "sh images/setup"');
  }
  const monitor = child.stdio[QMP] as Duplex;
  const resume = async () => {
    const qmp = new Qmp(monitor, monitor);
    await qmp.do('qmp_capabilities');
    await qmp.do('migrate-set-capabilities', IGNORE_SHARED);
    await qmp.do('migrate-incoming', { uri: `fd:${STATE}` });
    await migrated(qmp);
    await qmp.do('cont'); // the machine was saved while it was stopped
    child.unref();
    monitor.destroy();
  };
  return { pid: child.pid, process, keeper, resume };
}

/** Forbids what QEMU does not need, so that an attacker who breaks out of the guest does not get it. */
const SANDBOX = ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'];

function argumentsFor(image: HostImage, ports: Machine['ports']): string[] {
  if (!findImage(image.folder)) {
    throw new EnvironmentError(
      `the host image in ${image.folder} is damaged`,
      'run "afbus-topo host clean" and try again',
    );
  }
  const machine = machineArguments({
    accelerator: image.accelerator,
    memory: { file: join(image.folder, IMAGE.memory), mode: 'restored' },
    disk: stateFile(image.kernel, 'disk'),
    ports,
    console: { fd: CONSOLE },
  });
  const monitor = ['-chardev', `socket,id=qmp,fd=${QMP}`, '-mon', 'qmp,mode=control'];
  return [...machine, ...monitor, ...SANDBOX, '-incoming', 'defer'];
}
