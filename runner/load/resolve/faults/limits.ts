// SPDX-License-Identifier: MIT
/** Limits: which processes may have one. */
import { size } from '../../../common/scalars.ts';
import { sizeInWords } from '../../../common/size.ts';
import type { FaultAction } from '../../../topology/faults.ts';
import { busOfMaster } from '../../../topology/lane.ts';
import { type Context, change, type Done, impossible, needClient, type Resolver } from './context.ts';

export const limits = {
  limit: (context, target, { fds, memory }) =>
    memory === undefined
      ? limitDescriptors(context, target, fds as number | 'unlimited')
      : limitMemory(context, target, size(String(memory))),
} satisfies Readonly<Record<string, Resolver>>;

function limitDescriptors(context: Context, target: string, fds: number | 'unlimited'): Done | undefined {
  if (busOfMaster(target) !== undefined) {
    return impossible(context, 'a master without descriptors accepts nobody', 'Limit one of its clients.');
  }
  const client = context.scope.incarnation(target);
  const state = needClient(context, client, 'running');
  if (state === undefined) return undefined;
  if (fds === 'unlimited' && state.limited === undefined && !context.parties.concurrent) {
    return impossible(
      context,
      `"${target}" has no limit`,
      `Put - fault: { limit: ${target}, fds: 3 } before it.`,
    );
  }
  const limited = fds === 'unlimited' ? undefined : { line: context.line };
  return { action: { fault: 'limit', client, fds }, change: change(client, { limited }) };
}

/** Kernels charge memory in batches, one per processor, so a smaller limit would not be exact. */
const LEAST = 1024 * 1024;

type OutOfMemory = Extract<FaultAction, { readonly memory: number }>;

function limitMemory(context: Context, target: string, memory: number): Done | undefined {
  if (busOfMaster(target) !== undefined)
    return impossible(context, 'only the memory of a client can be limited', `Kill it: { kill: ${target} }.`);
  const name = context.scope.incarnation(target);
  if (needClient(context, name, 'running') === undefined) return undefined;
  if (memory < LEAST) {
    const { scope, path } = context;
    const message = `a memory limit is at least ${sizeInWords(LEAST)}: the kernel counts memory in batches`;
    scope.problems.error([...path.slice(0, -1), 'memory'], { code: 'bad-value', message });
    return undefined;
  }
  if (!context.parties.concurrent) {
    const message = `"${target}" cannot reach this limit: all its sends have ended before this step`;
    return impossible(context, message, 'Put its sends and this step into two branches of `parallel`.');
  }
  const action: OutOfMemory = { fault: 'kill', target: { kind: 'client', name }, memory };
  return { action, change: change(name, { gone: { how: 'killed', line: context.line } }) };
}
