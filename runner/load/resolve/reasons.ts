// SPDX-License-Identifier: MIT
/** Reasons in words why a listed client gets no copy, or another one gets one; used if the model predicts that. */
import { busOfMaster } from '../../topology/lane.ts';
import type { Facts } from './expectations.ts';
import type { StepContext } from './step-context.ts';

/** Reasons by name. For other names the model gives a reason from its rules. */
export function reasons(
  { parties }: StepContext,
  { bus }: Facts,
  listed: ReadonlySet<string>,
): Map<string, string> {
  const why = new Map<string, string>();
  for (const name of listed) {
    const reason = busOfMaster(name) === undefined ? ofClient(name) : ofMaster(name);
    if (reason !== undefined) why.set(name, reason);
  }
  // One that is listed is asked about only if it gets no copy.
  for (const { name } of parties.eavesdroppers(bus)) {
    if (!listed.has(name)) why.set(name, `"${name}" eavesdrops on bus "${bus}" and gets a copy too`);
  }
  return why;

  function ofMaster(name: string): string | undefined {
    const { how, line } = parties.master(bus)?.gone ?? {};
    return how && `"${name}" ${how === 'left' ? 'left' : `was ${how}`} at line ${line} and gets nothing`;
  }

  function ofClient(name: string): string | undefined {
    const state = parties.client(name);
    if (state?.gone !== undefined) {
      return `"${name}" was ${state.gone.how} at line ${state.gone.line} and gets nothing`;
    }
    const outside = state?.joined === false;
    return outside
      ? `"${name}" has not joined bus "${bus}" and gets messages from its master only`
      : undefined;
  }
}
