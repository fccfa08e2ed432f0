// SPDX-License-Identifier: MIT
/**
 * The `docker` backend: an engine of the user's own whose kernel has AF_BUS. It is the engine that the docker command
 * uses.
 */

import { existsSync } from 'node:fs';
import type Dockerode from 'dockerode';
import { EnvironmentError } from '../common/errors.ts';
import { agentImage } from '../host/agent-image.ts';
import type { Backend } from './backend.ts';
import type { Choice } from './choose.ts';
import { copyAgent } from './copy-agent.ts';
import { dial } from './dial.ts';
import { DEFAULT_HOST, type Endpoint, endpointOf } from './endpoint.ts';
import { type Engine, engineAt } from './engine.ts';
import { fromEngine } from './engine-answer.ts';
import { hostChannel } from './host-channel.ts';

/** How long `ps` and `down` wait for an engine that does not answer. */
const PATIENCE_MS = 5000;

export async function dockerBackend(choice: Choice): Promise<Backend> {
  const endpoint = endpointOf(process.env);
  const engine = await reach(endpoint);
  const info = await infoOf(engine.docker, choice.signal).catch((cause: Error) => {
    engine.release();
    throw silent(endpoint, engine.said() || cause.message, cause);
  });
  const image = await ensureImage(engine.docker, choice);
  choice.detail(`docker ${info.ServerVersion}, Linux ${info.KernelVersion}`);
  return over(engine, image, info);
}

/** The engine, without any checks: for `ps` and `down`. null if none answers. */
export async function runningDocker(): Promise<Backend | null> {
  const engine = await taken().catch(() => null);
  if (engine === null) return null;
  const { docker, release } = engine;
  const info = await infoOf(docker, AbortSignal.timeout(PATIENCE_MS)).catch(() => null);
  const images = info && (await docker.listImages({ filters: { reference: ['afbus-topo/agent'] } }));
  // An engine that has no agent image has no run of ours.
  const image = images?.[0]?.RepoTags?.[0];
  if (info && image) return over(engine, image, info);
  release();
  return null;
}

type Info = { readonly KernelVersion: string; readonly ServerVersion: string };
type Asked = { info(options: { abortSignal: AbortSignal }): Promise<Info> };

/** dockerode's types lack the abort signal of this call. */
const infoOf = (docker: Dockerode, abortSignal: AbortSignal): Promise<Info> =>
  (docker as unknown as Asked).info({ abortSignal });

/** The engine that the docker command would use; null if it has no socket. */
async function taken(): Promise<Reached | null> {
  const endpoint = endpointOf(process.env);
  const isThere = !endpoint.host.startsWith('unix://') || existsSync(endpoint.host.slice('unix://'.length));
  return isThere ? reach(endpoint) : null;
}

interface Reached extends Engine {
  /** The last line that the connection's own program (ssh) said, if any. */
  said(): string;
  release(): void;
}

async function reach(endpoint: Endpoint): Promise<Reached> {
  if (!endpoint.host.startsWith('ssh:')) return { ...engineAt(endpoint), said: () => '', release: () => {} };
  const { host, said, close } = await dial(endpoint.host);
  return { ...engineAt({ host }), said, release: close };
}

function silent({ host, from }: Endpoint, why: string, cause: Error): EnvironmentError {
  const rootless = `${process.env.XDG_RUNTIME_DIR}/docker.sock`;
  const other =
    host === DEFAULT_HOST && existsSync(rootless)
      ? `a rootless engine is at DOCKER_HOST=unix://${rootless}`
      : 'start one, set DOCKER_HOST, or choose another with "docker context use"';
  return new EnvironmentError(
    `no Docker Engine answers at ${host} (${from}): ${why}`,
    `${other}; or use --backend vm`,
    { cause },
  );
}

function over({ docker, environment, release }: Reached, image: string, info: Info): Backend {
  return {
    where: { backend: 'docker', kernel: info.KernelVersion, engine: info.ServerVersion },
    docker,
    environment,
    image,
    mounts: [],
    agentOnHost: () => fromEngine(() => copyAgent(docker, image)),
    channel: (command) => fromEngine(() => hostChannel(docker, image, command)),
    broken: new Promise(() => {}),
    probe: async () => null,
    release,
  };
}

/** Waits until the image is loaded. The stream of a load that failed ends like any other; only an event in it tells. */
async function loaded(docker: Dockerode, said: NodeJS.ReadableStream, image: string): Promise<void> {
  const events = await new Promise<readonly { readonly error?: string }[]>((resolve, reject) =>
    docker.modem.followProgress(said, (e, all) => (e ? reject(e) : resolve(all))),
  );
  const failed = events.find(({ error }) => error !== undefined);
  if (failed === undefined) return;
  throw new EnvironmentError(
    `the engine did not load ${image}: ${failed.error}`,
    'is its disk full? "docker system df" shows it',
  );
}

async function ensureImage(docker: Dockerode, choice: Choice): Promise<string> {
  const { name, archive } = await agentImage({
    progress: (s) => choice.detail(s.title),
    signal: choice.signal,
  });
  const there = await docker
    .getImage(name)
    .inspect()
    .catch(() => null);
  if (!there) {
    choice.detail(`loading ${name}`);
    const said = await docker.loadImage(archive);
    await loaded(docker, said, name);
  }
  return name;
}
