// SPDX-License-Identifier: MIT
/**
 * What a Docker Engine answers, or fails with, is not known before: it may be full or ill, and what was played there may
 * have replaced it.
 */

import { EnvironmentError } from '../common/errors.ts';

/** What fails in work that does nothing but ask an engine is an error of the environment. */
export async function fromEngine<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isOfEngine(cause)) throw cause;
    throw engineError(cause.message.trim() || String((cause as NodeJS.ErrnoException).code), cause);
  }
}

/** dockerode's own errors, and those of connections, are plain ones. TypeErrors and the like are this project's mistakes. */
const isOfEngine = (cause: unknown): cause is Error =>
  cause instanceof Error && [Error, AggregateError].includes(cause.constructor as ErrorConstructor);

/** The entries of a list whose fields have these forms: texts, and maps of texts or null. */
export function listOf<T>(
  answer: unknown,
  texts: readonly (keyof T)[],
  maps: readonly (keyof T)[],
): readonly T[] {
  const hasForm = (entry: T | null) =>
    texts.every((name) => typeof entry?.[name] === 'string') &&
    maps.every((name) => isMap(entry?.[name] ?? {}));
  if (Array.isArray(answer) && answer.every(hasForm)) return answer;
  throw engineError('its answer is not the expected list');
}

const isMap = (value: unknown): boolean =>
  typeof value === 'object' && Object.values(value ?? {}).every((text) => typeof text === 'string');

const engineError = (why: string, cause?: unknown): EnvironmentError =>
  new EnvironmentError(
    `the Docker Engine does not do what it was asked for: ${why}`,
    'look at "afbus-topo doctor"; if it is that of the AF_BUS host, "afbus-topo host stop" ends that',
    { cause },
  );
