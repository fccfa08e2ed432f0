// SPDX-License-Identifier: MIT
/** Finds the Docker Engine that the `docker` command would use: DOCKER_HOST, DOCKER_CONTEXT, or the current context. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EnvironmentError } from '../common/errors.ts';

export interface Endpoint {
  /** `unix://…`, `tcp://…` or `ssh://…` */
  readonly host: string;
  /** Folder with ca.pem, cert.pem and key.pem; absent without TLS. */
  readonly certDir?: string;
  /** What named this engine, for messages. */
  readonly from: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_HOST = 'unix:///var/run/docker.sock';
const DEFAULT_CONTEXT = 'default';

export function endpointOf(env: Environment): Endpoint {
  const home = env.HOME || homedir();
  const folder = env.DOCKER_CONFIG || join(home, '.docker');
  if (env.DOCKER_HOST) return named(env, env.DOCKER_HOST, folder);
  const config = join(folder, 'config.json');
  const context = env.DOCKER_CONTEXT || (existsSync(config) && textAt(config, 'currentContext'));
  if (!context || context === DEFAULT_CONTEXT) return { host: DEFAULT_HOST, from: 'the default' };
  return ofContext(context, folder);
}

/** Looks for the certificates beside the configuration, as the docker command does. */
function named(env: Environment, host: string, folder: string): Endpoint {
  const from = 'DOCKER_HOST';
  const full = host.includes('://') ? host : `tcp://${host}`;
  const isSecure = /^(tcp|https):/.test(full) && (env.DOCKER_TLS_VERIFY || env.DOCKER_CERT_PATH);
  return isSecure
    ? { host: full, certDir: env.DOCKER_CERT_PATH || folder, from }
    : { host: full === 'unix://' ? DEFAULT_HOST : full, from };
}

function ofContext(name: string, folder: string): Endpoint {
  const id = createHash('sha256').update(name).digest('hex');
  const from = `the docker context "${name}"`;
  const meta = join(folder, 'contexts', 'meta', id, 'meta.json');
  if (!existsSync(meta))
    throw new EnvironmentError(
      `${from} is not there: ${meta} is missing`,
      'docker context ls shows those that are there; DOCKER_CONTEXT=default takes the engine of this machine',
    );
  const host = textAt(meta, 'Endpoints', 'docker', 'Host');
  if (!host) throw unreadable(meta, 'it names no Host');
  const certDir = join(folder, 'contexts', 'tls', id, 'docker');
  return existsSync(certDir) ? { host, certDir, from } : { host, from };
}

/** The text at a path of keys in a JSON file; undefined if there is none. */
function textAt(file: string, ...keys: readonly string[]): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw unreadable(file, (error as Error).message);
  }
  for (const key of keys) value = (value as Record<string, unknown> | null)?.[key];
  return typeof value === 'string' ? value : undefined;
}

const unreadable = (file: string, why: string): EnvironmentError =>
  new EnvironmentError(
    `cannot tell which Docker Engine to take from ${file}: ${why}`,
    'mend it, or set DOCKER_HOST',
  );
