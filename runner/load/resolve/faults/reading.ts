// SPDX-License-Identifier: MIT
/** Faults that make a client read, or stop reading. */
import {
  type Context,
  change,
  type Done,
  impossible,
  needClient,
  type Resolver,
  vacuous,
} from './context.ts';

export const reading = {
  'stop-reading': (context, target) => stopReading(context, context.scope.incarnation(target)),
  read: (context, target, { count }) => read(context, context.scope.incarnation(target), count),
} satisfies Readonly<Record<string, Resolver>>;

/** An expelled client still reads what is in its queue (af_bus.md section 5). */
function stopReading(context: Context, client: string): Done | undefined {
  const state = needClient(context, client, 'running');
  if (state === undefined) return undefined;
  if (!state.reading && !context.parties.concurrent) vacuous(context, `"${client}" does not read by itself`);
  return { action: { fault: 'stop-reading', client }, change: change(client, { reading: false }) };
}

function read(context: Context, client: string, count: unknown): Done | undefined {
  const state = needClient(context, client, 'running');
  if (state === undefined) return undefined;
  if (state.reading && !context.parties.concurrent) {
    const hint = 'Give it `receive: manual`, or put - fault: { stop-reading: … } before it.';
    return impossible(context, `"${client}" reads by itself`, hint);
  }
  const n = typeof count === 'number' ? count : 'all';
  return { action: { fault: 'read', client, count: n }, change: change(client, { reading: n === 'all' }) };
}
