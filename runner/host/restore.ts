// SPDX-License-Identifier: MIT
/** Starts a host from its image: a fresh disk over the image's, memory mapped from it, device state read in. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EnvironmentError, HostDied, Interrupted } from '../common/errors.ts';
import { findAccess, type HostAccess } from './access.ts';
import { runInHost } from './channel.ts';
import { causeOfDeath, lastLines, settled } from './console.ts';
import { machineId } from './machine-id.ts';
import { IMAGE } from './manifest.ts';
import { install, type Payload } from './payload.ts';
import { portError } from './ports.ts';
import { end, isAlive, self } from './process.ts';
import { type RestoredQemu, spawnRestored } from './restored-qemu.ts';
import { checkSpace } from './space.ts';
import { overlay } from './stages.ts';
import {
  endPending,
  forgetHost,
  newState,
  settlePending,
  stateFile,
  writeHost,
  writePending,
} from './state.ts';
import type { Host, HostImage, StartOptions } from './types.ts';
import { deathOf } from './watch.ts';

const ANSWER_DEADLINE = 30_000;
const DISK_GIB = 0.5;
const PORT_TRIES = 5;

/** QEMU could not listen: another program took the port after we had found it free. */
class PortTaken extends Error {}

export async function restore(image: HostImage, own: Payload, options: StartOptions): Promise<Host> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(image, own, options);
    } catch (e) {
      if (!(e instanceof PortTaken)) throw e;
      if (options.port || tries === PORT_TRIES) throw portError(options.port ?? 0);
    }
  }
}

async function startOnce(image: HostImage, own: Payload, options: StartOptions): Promise<Host> {
  const access = await findAccess({ kernel: image.kernel, certDir: keysOf(image), port: options.port });
  if (!access) throw portError(options.port ?? 0);
  await endPending(image.kernel);
  const folder = newState(image.kernel);
  checkSpace(folder, DISK_GIB);
  await overlay(join(image.folder, IMAGE.disk), 'qcow2', stateFile(image.kernel, 'disk'));
  const qemu = spawnRestored(image, access);
  writePending(image.kernel, qemu);
  const host = {
    ...describe(image, own, qemu, access),
    tainted: options.untrusted === true,
    ...(options.untrusted && !options.keep && { player: self() }),
    machine: machineId(),
  };
  try {
    await inTime(host, bringUp(host, qemu, own, options.signal));
    writeHost(host);
    return host;
  } catch (e) {
    await end(host, 0);
    forgetHost(image.kernel);
    throw e;
  } finally {
    settlePending(image.kernel);
  }
}

async function bringUp(host: Host, qemu: RestoredQemu, own: Payload, signal?: AbortSignal): Promise<void> {
  await qemu.resume().catch((cause: Error) => {
    // If QEMU has ended instead, the wait below finds out why.
    if (isAlive(host)) throw notResumed(cause);
  });
  await awake(host, signal);
  await install(host, own);
}

/** Ends a wait for a machine that hangs while it starts: it is as dead as one that ended. */
function inTime(host: Host, work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const how = `did not answer within ${ANSWER_DEADLINE / 1000} s`;
  const timer = setTimeout(() => deathOf(host, how).then(late.reject), ANSWER_DEADLINE);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

const keysOf = (image: HostImage): string => join(image.folder, IMAGE.keys, 'client');

function describe(image: HostImage, own: Payload, qemu: RestoredQemu, access: HostAccess): Host {
  return {
    kernel: image.kernel,
    release: image.release,
    accelerator: image.accelerator,
    acceleratorReason: image.acceleratorReason,
    docker: { host: access.docker, certDir: keysOf(image) },
    channel: access.channel,
    ...(access.exposed && { exposed: access.exposed }),
    nodeImage: image.nodeImage,
    consoleFile: stateFile(image.kernel, 'console'),
    keeper: qemu.keeper,
    pid: qemu.pid,
    startedAt: new Date().toISOString(),
    imageKey: image.key,
    payloadSums: own.sums,
    process: qemu.process,
  };
}

/** Sets the clock and the random numbers of the restored guest, which are old, by the first command that it answers. */
async function awake(host: Host, signal?: AbortSignal): Promise<void> {
  for (;;) {
    if (signal?.aborted) throw new Interrupted('interrupted while the host started', 'start it again');
    if (!isAlive(host)) throw await endedEarly(host);
    const entropy = randomBytes(48).toString('base64');
    const argv = ['/run/afbus/wake', `${Date.now() / 1000}`, entropy];
    const woken = await runInHost(host, argv).catch(() => null);
    if (woken?.code === 0) return;
    await wait(20);
  }
}

async function endedEarly(host: Host): Promise<Error> {
  await settled(host);
  const lines = lastLines(host.consoleFile);
  if (/hostfwd|host forwarding/.test(lines.join('\n'))) return new PortTaken();
  const cause = causeOfDeath(host.consoleFile) ?? lines.at(-1);
  return new HostDied(
    `the AF_BUS host (Linux ${host.release}) ended while it started${cause ? `: ${cause}` : ''}`,
    'run "afbus-topo host clean" and try again: the saved machine may be damaged',
    { lines },
  );
}

const notResumed = (cause: Error) =>
  new EnvironmentError(
    `the saved machine did not resume: ${cause.message}`,
    'run "afbus-topo host clean" and try again: the saved machine may be damaged',
    { cause },
  );
