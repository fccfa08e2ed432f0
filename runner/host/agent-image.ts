// SPDX-License-Identifier: MIT
/** Images that nodes run from, as docker-archives in the cache. */

import { existsSync, readFileSync } from 'node:fs';
import { buildLock } from './build-lock.ts';
import { must } from './command.ts';
import { built, contents, hash } from './inputs.ts';
import { cache, inProject, privateFolder } from './paths.ts';
import type { Progress } from './types.ts';

/** A stage of the Dockerfile. */
export type Stage = 'node' | 'agent';

export interface NodeImage {
  readonly stage: Stage;
  readonly key: string;
  /** Its name in an engine that has loaded it. */
  readonly name: string;
  /** Path of the docker-archive. */
  readonly archive: string;
}

interface Options {
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

const SCRIPTS = [
  'images/host/agent',
  'images/host/base',
  'images/host/lib.sh',
  'Dockerfile',
  '.dockerignore',
];

/** The key of the two large layers: base and Node. */
export const nodeLayersKey = (): string =>
  hash(contents(...SCRIPTS), readFileSync(built('node_modules/node/package.json', 'npm install')));

/**
 * Name and path of a stage's image, built or not. The AF_BUS host needs `node`, an engine of the user's own needs
 * `agent`.
 */
export function imagePlan(stage: Stage): NodeImage {
  const key = stage === 'node' ? nodeLayersKey() : hash(nodeLayersKey(), agentFiles());
  return { stage, key, name: `afbus-topo/${stage}:${key}`, archive: cache('agent', `${key}.tar`) };
}

function agentFiles(): string {
  const agent = built('dist/agent.cjs', 'npm run build:agent');
  const addon = built('build/native/afbus.node', 'npm run build:native');
  return hash(readFileSync(agent), readFileSync(addon));
}

/** Builds it if it is not in the cache; the caller holds the build lock. */
export async function makeImage(plan: NodeImage, { progress, signal }: Options): Promise<NodeImage> {
  if (existsSync(plan.archive)) return plan;
  const title = `building the ${plan.stage} image`;
  progress?.({ title });
  privateFolder(cache('agent'));
  const argv = [
    inProject('images/host/agent'),
    plan.archive,
    plan.name,
    plan.stage,
    cache('agent', 'base.tar'),
  ];
  await must(title, argv, { signal, onLine: (detail) => progress?.({ title, detail }) });
  return plan;
}

/** The whole agent image, built if needed. */
export async function agentImage(options: Options = {}): Promise<NodeImage> {
  const plan = imagePlan('agent');
  if (existsSync(plan.archive)) return plan;
  const lock = await buildLock(options);
  try {
    return await makeImage(plan, options);
  } finally {
    await lock.release();
  }
}
