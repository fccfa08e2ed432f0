// SPDX-License-Identifier: MIT
/** start, stop and status of the host of one kernel. */

import { existsSync } from 'node:fs';
import { EnvironmentError } from '../common/errors.ts';
import { ofPort } from './address.ts';
import { BUILD_LOCK } from './build-lock.ts';
import { runInHost } from './channel.ts';
import { causeOfDeath, settled } from './console.ts';
import { hasImage } from './garbage.ts';
import { build, releaseOf } from './image.ts';
import { lock, tryLock } from './lock.ts';
import { checkMachine } from './machine-id.ts';
import { isIntact, type Payload, payload, replace } from './payload.ts';
import { end, isAlive, type Known } from './process.ts';
import { restore } from './restore.ts';
import { endPending, forgetHost, readHost, stateFile, writeHost } from './state.ts';
import type { BuildOptions, Host, HostImage, HostOptions, HostStatus, StartOptions } from './types.ts';

/** The running host for the current inputs; builds, boots and replaces what is needed. */
export async function start(options: StartOptions): Promise<Host> {
  const held = await startLock(options);
  try {
    const release = await releaseOf(options);
    const own = payload(release); // before an image is built for files that do not exist
    const image = await build(options, release);
    checkMachine(readHost(options.kernel));
    const running = runningHost(options);
    const kept = running && (await keep(running, image, own, options));
    if (kept) return kept;
    const detail = image.acceleratorReason;
    options.progress?.({ title: `starting the host (Linux ${image.release})`, detail });
    return await restore(image, own, options);
  } finally {
    await held.release();
  }
}

/** The host, with the latest files if it can take them; null if it had to be ended. */
async function keep(host: Host, image: HostImage, own: Payload, options: StartOptions): Promise<Host | null> {
  const fate = await fateOf(host, image, own, options);
  if (fate === 'stays') return host;
  const renewed = fate === 'lacks files' ? await renew(host, own, options) : null;
  if (!renewed) await end(host);
  return renewed;
}

type Fate = 'stays' | 'lacks files' | 'ends';

const startLock = ({ kernel, progress, signal }: BuildOptions) =>
  lock(
    stateFile(kernel, 'lock'),
    () => progress?.({ title: 'waiting for another afbus-topo that starts or stops this host' }),
    signal,
  );

function runningHost({ kernel }: HostOptions): Host | null {
  const host = readHost(kernel);
  return host && isAlive(host) ? host : null;
}

/** Whether the host may stay. An outdated host must stay while something runs on it. */
async function fateOf(host: Host, image: HostImage, own: Payload, options: StartOptions): Promise<Fate> {
  const wrongPort = options.port !== undefined && host.docker.host !== ofPort(options.port);
  if (options.untrusted || host.tainted || !(await isIntact(host))) return replaceable(host);
  const hasOwnFiles = host.payloadSums?.join() === own.sums.join();
  const sameImage = host.imageKey === image.key;
  if (hasOwnFiles && sameImage && !wrongPort) return 'stays';
  const busy = await whatRuns(host);
  if (!busy) return sameImage && !wrongPort ? 'lacks files' : 'ends';
  if (wrongPort) {
    throw new EnvironmentError(
      `the host runs with its Docker API at ${host.docker.host}, and ${busy} on it`,
      'take those down, or omit the port',
    );
  }
  options.progress?.({
    title: 'the host stays as it is, without the latest changes',
    detail: `${busy} on it; take them down and start again to renew it`,
  });
  return 'stays';
}

/** Copies the latest files into a host on which nothing runs; null if a fresh host is needed. */
async function renew(host: Host, own: Payload, { progress }: StartOptions): Promise<Host | null> {
  progress?.({ title: "bringing the project's latest files into the host" });
  if (!(await replace(host, own))) return null;
  const renewed = { ...host, payloadSums: own.sums };
  writeHost(renewed);
  return renewed;
}

/** Lets a fresh host replace this one. Throws if something runs on this one. */
async function replaceable(host: Host): Promise<'ends'> {
  // Nobody asks the host: what a stranger's file ran there may say what it likes, or keep silent for ever.
  if (host.player && !playsElsewhere(host.player)) return 'ends';
  const busy = await whatRuns(host);
  if (!busy) return 'ends';
  const why = host.tainted
    ? 'the host plays files that are not trusted'
    : 'a fresh host is needed: for files that are not trusted, or because something in this one has changed';
  throw new EnvironmentError(`${why}, and ${busy} on it`, 'take those down first: afbus-topo down --all');
}

const playsElsewhere = (player: Known): boolean => isAlive(player) && player.pid !== process.pid;

/** Counts folders, because `docker ps` takes a second: the engine has one for each container, ended or not. */
const COUNT = 'ls /var/lib/docker/containers | wc -l; pgrep --full --count "^node /opt/afbus-topo/agent.cjs"';

/** "3 containers and 2 agents run", or null if nothing runs or the host does not answer. */
async function whatRuns(host: Host): Promise<string | null> {
  const said = await runInHost(host, ['sh', '-c', COUNT]).catch(() => null);
  const [containers = 0, agents = 0] = said?.stdout.trim().split('\n').map(Number) ?? [];
  return containers + agents > 0 ? `${containers} containers and ${agents} agents run` : null;
}

export async function stop(options: BuildOptions): Promise<void> {
  const held = await startLock(options);
  try {
    checkMachine(readHost(options.kernel));
    const host = runningHost(options);
    if (host) await end(host);
    await endPending(options.kernel);
    forgetHost(options.kernel);
  } finally {
    await held.release();
  }
}

/** The state of the host; never starts or builds anything, and never throws. */
export async function status({ kernel }: HostOptions): Promise<HostStatus> {
  const host = readHost(kernel);
  if (host && isAlive(host)) return { state: 'running', host };
  if (await isHeld(stateFile(kernel, 'lock'))) {
    return { state: (await isHeld(BUILD_LOCK())) ? 'building' : 'starting' };
  }
  if (host) {
    await settled(host);
    const reason = causeOfDeath(host.consoleFile) ?? 'its virtual machine ended without a message';
    return { state: 'stale', reason, consoleFile: host.consoleFile };
  }
  return { state: hasImage(kernel) ? 'stopped' : 'absent' };
}

async function isHeld(file: string): Promise<boolean> {
  if (!existsSync(file)) return false;
  const free = await tryLock(file).catch(() => undefined); // of another user's folder
  await free?.release();
  return free === null;
}
