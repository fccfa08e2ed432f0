// SPDX-License-Identifier: MIT
/** Notices at once when a host's virtual machine ends, and within seconds when its guest hangs. */

import { setTimeout as wait } from 'node:timers/promises';
import { HostDied } from '../common/errors.ts';
import { channel } from './channel.ts';
import { causeOfDeath, lastLines, settled } from './console.ts';
import { isAlive } from './process.ts';
import type { Host } from './types.ts';

const BEAT = 1000;
/** Longest wait for an echo. Under emulation, two busy processors may delay one for seconds. */
const SILENCE = 15_000;
/**
 * How long QEMU may take to end after it has closed its ports: it has gigabytes to free, on a machine that may be busy.
 */
const LEAVING = 10_000;

export interface Guard {
  /** Resolves when the host has died; never rejects. Does not keep this process alive. */
  readonly died: Promise<HostDied>;
  /** Asks the host now: null if it answers, else how it died. */
  probe(): Promise<HostDied | null>;
  stop(): void;
}

export function watch(host: Host): Guard {
  const { promise: died, resolve } = Promise.withResolvers<HostDied>();
  const stopped = new AbortController();
  guard(host, stopped.signal).then((how) => how && resolve(deathOf(host, how)));
  return { died, probe: () => probe(host), stop: () => stopped.abort() };
}

/** Keeps a connection that echoes; resolves with how the host died, or null when it was stopped. */
async function guard(host: Host, stopped: AbortSignal): Promise<string | null> {
  for (;;) {
    const how = await listen(host, stopped);
    if (stopped.aborted) return null;
    if (how) return how;
  }
}

/** Resolves with how the host died ("is silent" and the like), or null if only the connection ended. */
async function listen(host: Host, stopped: AbortSignal): Promise<string | null> {
  const echo = await channel(host, ['cat']).catch(() => null);
  if (!echo) return (await leaves(host)) ? 'ended' : 'does not answer';
  echo.unref();
  const { promise, resolve } = Promise.withResolvers<string | null>();
  let heard = performance.now();
  const beat = setInterval(() => {
    if (performance.now() - heard > SILENCE) resolve(`has been silent for ${SILENCE / 1000} s`);
    else echo.write('.');
  }, BEAT).unref();
  echo.on('data', () => {
    heard = performance.now();
  });
  echo.on('error', () => {}); // 'close' follows
  echo.on('close', () => resolve(isAlive(host) ? null : 'ended'));
  const leave = () => resolve(null);
  stopped.addEventListener('abort', leave, { once: true });
  return promise.finally(() => {
    stopped.removeEventListener('abort', leave);
    clearInterval(beat);
    echo.destroy();
  });
}

/** A host that refuses a connection is usually about to end: true if it does. */
async function leaves(host: Host): Promise<boolean> {
  const deadline = performance.now() + LEAVING;
  while (isAlive(host) && performance.now() < deadline) await wait(10);
  return !isAlive(host);
}

async function probe(host: Host): Promise<HostDied | null> {
  if (!isAlive(host)) return deathOf(host, 'ended');
  const echo = await channel(host, ['true']).catch(() => null);
  if (!echo) return deathOf(host, (await leaves(host)) ? 'ended' : 'does not answer');
  const silence = AbortSignal.timeout(SILENCE);
  const { promise, resolve } = Promise.withResolvers<HostDied | null>();
  silence.addEventListener('abort', () => resolve(deathOf(host, `has been silent for ${SILENCE / 1000} s`)));
  echo.on('error', () => {});
  echo.on('close', () => resolve(isAlive(host) ? null : deathOf(host, 'ended')));
  echo.resume();
  return promise.finally(() => echo.destroy());
}

export async function deathOf(host: Host, how: string): Promise<HostDied> {
  await settled(host);
  const cause = causeOfDeath(host.consoleFile);
  return new HostDied(
    `the AF_BUS host (Linux ${host.release}) ${how}${cause ? `: ${cause}` : ''}`,
    `its whole console is in ${host.consoleFile}; the next run starts a new host`,
    { lines: lastLines(host.consoleFile) },
  );
}
