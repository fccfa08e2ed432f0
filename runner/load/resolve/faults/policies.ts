// SPDX-License-Identifier: MIT
/** Faults in which a master changes the policy of one of its clients. */
import { MAX_RULES } from '../../../dbus/index.ts';
import { checkAssignable } from '../addresses.ts';
import type { ClientState } from '../party-state.ts';
import { asksForRules, isRule, lacks, ruleKey, tooMany } from '../rules.ts';
import type { WrittenFault } from '../scope.ts';
import {
  type Context,
  change,
  type Done,
  impossible,
  needClient,
  needMaster,
  type Resolver,
  vacuous,
} from './context.ts';

export const policies = {
  expel: policy(({ line }, client) => ({
    action: { fault: 'expel', client },
    change: change(client, { gone: { how: 'expelled', line } }),
  })),
  join: policy((context, client, { joined }) => {
    if (joined) return impossible(context, `"${client}" has joined already`, 'Remove this fault.');
    return { action: { fault: 'join', client }, change: change(client, { joined: true }) };
  }),
  eavesdrop: policy((context, client, state, { on }) => eavesdrop(context, client, state, on !== false)),
  'add-address': policy((...all) => addressing('add-address', ...all)),
  'del-address': policy((...all) => addressing('del-address', ...all)),
  'add-match': policy((...all) => matching('add-match', ...all)),
  'remove-match': policy((...all) => matching('remove-match', ...all)),
} satisfies Readonly<Record<string, Resolver>>;

type Policy = (
  context: Context,
  client: string,
  state: ClientState,
  written: WrittenFault,
) => Done | undefined;

/** A policy needs a master and a client that both exist. */
function policy(apply: Policy): Resolver {
  return (context, target, written) => {
    const client = context.scope.incarnation(target);
    const state = needClient(context, client, 'attached');
    if (state === undefined || needMaster(context, state.bus) === undefined) return undefined;
    return apply(context, client, state, written);
  };
}

function eavesdrop(context: Context, client: string, state: ClientState, on: boolean): Done | undefined {
  if (!state.joined) {
    const message = `"${client}" has not joined, so it cannot eavesdrop`;
    return impossible(context, message, `Put - fault: { join: ${client} } before it.`);
  }
  if (state.eavesdrops === on && !context.parties.concurrent)
    vacuous(context, on ? `"${client}" eavesdrops already` : `"${client}" does not eavesdrop`);
  return {
    action: { fault: 'eavesdrop', client, on },
    change: change(client, { eavesdrops: on }),
  };
}

const heldBy = ({ addresses }: ClientState): string =>
  addresses.size === 0 ? 'It holds no address here.' : `It holds ${[...addresses].join(', ')} here.`;

function addressing(
  fault: 'add-address' | 'del-address',
  context: Context,
  client: string,
  state: ClientState,
  written: WrittenFault,
): Done | undefined {
  const address = String(written.address).toLowerCase();
  const path = [...context.path.slice(0, -1), 'address'];
  if (!checkAssignable(context.scope, address, path)) return undefined;
  const holder = context.parties.present(state.bus).find((each) => each.addresses.has(address));
  const adds = fault === 'add-address';
  if (adds && holder !== undefined)
    impossible(
      { ...context, path },
      `"${holder.name}" holds ${address}`,
      `Put - fault: { del-address: ${holder.name}, address: "${address}" } before it, or use another address.`,
    );
  if (!adds && !state.addresses.has(address))
    impossible({ ...context, path }, `"${client}" does not hold ${address}`, heldBy(state));
  const others = [...state.addresses].filter((each) => each !== address);
  const addresses = new Set(adds ? [...others, address] : others);
  return { action: { fault, client, address }, change: change(client, { addresses }) };
}

/** The master adds a rule, or removes one. */
function matching(
  fault: 'add-match' | 'remove-match',
  context: Context,
  client: string,
  { bus, rules }: ClientState,
  written: WrittenFault,
): Done | undefined {
  const { scope, parties } = context;
  const text = String(written.rule);
  const path = [...context.path.slice(0, -1), 'rule'];
  if (!asksForRules(scope, scope.buses.get(bus), context.path) || !isRule(scope, text, path))
    return undefined;
  const key = ruleKey(text);
  // check/concurrent-rules.ts considers the rules that other branches may have added by then.
  if (fault === 'remove-match' && !parties.concurrent && !rules.includes(key))
    return impossible({ ...context, path }, ...lacks(client, rules));
  if (fault === 'add-match' && rules.length >= MAX_RULES)
    return tooMany(scope, MAX_RULES, 'match rules', path);
  return {
    action: { fault, client, rule: text },
    change: (later) => {
      const state = later.client(client);
      if (state) state.rules = fault === 'add-match' ? [...state.rules, key] : without(state.rules, key);
    },
  };
}

function without(rules: readonly string[], key: string): readonly string[] {
  const at = rules.indexOf(key);
  return at < 0 ? rules : rules.toSpliced(at, 1);
}
