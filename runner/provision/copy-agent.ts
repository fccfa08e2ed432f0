// SPDX-License-Identifier: MIT
/** The agent on the machine of a user's own engine, where nodes are plain processes. */

import type Dockerode from 'dockerode';
import { EnvironmentError } from '../common/errors.ts';
import { answer } from '../host/host.ts';
import { commandContainer } from './host-channel.ts';

/** Folder on the engine's machine that keeps agents for plain processes, one per version. */
const AGENTS = '/var/lib/afbus-topo';

/** What is copied of the image. */
const COPIED = ['/opt/afbus-topo/.', '/usr/local/bin/node'];

/** How long to wait for the copy that somebody else makes, in seconds. */
const PATIENCE = 60;
/** The exit status after that. */
const LOCKED = 75;
/** More than the lock and a copy of 120 MB need on any machine. */
const COPY_MS = 3 * PATIENCE * 1000;

/**
 * Arguments: the folder of copies, the name of this one, what is copied. Users of an engine may do this at once, so only
 * the one who has locked the folder copies. What lies there under the name of an unfinished copy is then of one that
 * was killed.
 */
export const copyOnce = (patience = PATIENCE): string => `
exec 9<"$1" || exit
flock -w ${patience} 9 || exit ${LOCKED}
rm -rf "$1"/new*
[ ! -e "$1/$2" ] || exit 0
to=$1/$2; new=$1/new; shift 2
mkdir "$new" && cp -r "$@" "$new" && chmod 755 "$new" && mv -T "$new" "$to" && exit
rm -rf "$new"; exit 1`;

/** Copies Node and the agent from the image to the engine's machine, once per version. */
export async function copyAgent(docker: Dockerode, image: string): Promise<string> {
  const key = image.slice(image.lastIndexOf(':') + 1);
  const said = await commandContainer(docker, {
    Image: image,
    Entrypoint: ['sh', '-c', `(${copyOnce()}); echo $?`, 'sh', AGENTS, key, ...COPIED],
    HostConfig: { Binds: [`${AGENTS}:${AGENTS}`], NetworkMode: 'none' },
  });
  const status = `${await answer(said, COPY_MS)}`.trim();
  if (status === String(LOCKED)) throw locked();
  if (status !== '0') {
    throw new EnvironmentError(
      `the agent could not be copied to ${AGENTS} of the engine's machine`,
      'use --launcher container',
    );
  }
  return `${AGENTS}/${key}/node ${AGENTS}/${key}/agent.cjs`;
}

const locked = (): EnvironmentError =>
  new EnvironmentError(
    `the agent could not be copied to ${AGENTS} of the engine's machine: another container has locked that folder for ${PATIENCE} s`,
    `"docker ps --filter volume=${AGENTS}" shows it: if it is paused, remove it; or use --launcher container`,
  );
