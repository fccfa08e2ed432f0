// SPDX-License-Identifier: MIT
/** Fills in `defaults:` for nodes, buses, groups and clients. Each send looks up its own defaults. */
import type { Part } from './compose.ts';
import type { SourceNode } from './construct.ts';
import { deepMerge, isMap } from './merge.ts';

const KINDS = ['nodes', 'buses', 'groups', 'clients'] as const;

/** Nested maps are filled in key by key; a written list replaces the default list. */
export function applyDefaults(part: Part): Part {
  const { value, spot } = part;
  const defaults = isMap(value) ? value.defaults : undefined;
  const spots = spot.children.get('defaults');
  if (!isMap(value) || !isMap(defaults) || spots === undefined) return part;
  const out = { ...value };
  const children = new Map(spot.children);
  for (const kind of KINDS) {
    const [section, own] = [out[kind], children.get(kind)];
    const [values, at] = [defaults[kind], spots.children.get(kind)];
    if (!isMap(section) || own === undefined || !isMap(values) || at === undefined) continue;
    const filled = fillAll({ value: section, spot: own }, { value: values, spot: inherited(at, kind) });
    out[kind] = filled.value;
    children.set(kind, filled.spot);
  }
  return { value: out, spot: { ...spot, children } };
}

function fillAll({ value, spot }: Part, defaults: Part): Part {
  const children = new Map(spot.children);
  const entries = Object.entries(value as Record<string, unknown>).map(([name, each]) => {
    const own = spot.children.get(name);
    if (own === undefined || (each !== null && !isMap(each))) return [name, each];
    // `camera:` alone is a client with nothing of its own.
    const filled = deepMerge(defaults, { value: each ?? {}, spot: own });
    children.set(name, filled.spot);
    return [name, filled.value];
  });
  return { value: Object.fromEntries(entries), spot: { ...spot, children } };
}

/** Marks values as inherited, so that diagnostics can say where they come from. */
function inherited(spot: SourceNode, kind: string): SourceNode {
  const children = new Map(
    Array.from(spot.children, ([key, child]) => [key, { ...child, inherited: `defaults.${kind}` }] as const),
  );
  return { ...spot, children };
}

/**
 * The keys of `defaults.sends` that a send takes: those that it lacks; but a send with a payload takes no size, and
 * vice versa.
 */
export function takenBySend(
  defaults: Readonly<Record<string, unknown>>,
  send: Readonly<Record<string, unknown>>,
): string[] {
  const ruledOut = [send.payload !== undefined && 'size', send.size !== undefined && 'payload'];
  return Object.keys(defaults).filter((key) => !(key in send) && !ruledOut.includes(key));
}

/** Writes `defaults.sends` into every send; the short form is expanded if that adds a key. */
export function fillSends(part: Part): Part {
  const { value, spot } = part;
  const sends = isMap(value) && isMap(value.defaults) ? value.defaults.sends : undefined;
  const at = spot.children.get('defaults')?.children.get('sends');
  const traffic = spot.children.get('traffic');
  if (!isMap(value) || !isMap(sends) || at === undefined || traffic === undefined) return part;
  const filled = fillSteps(
    { value: value.traffic, spot: traffic },
    { value: sends, spot: inherited(at, 'sends') },
  );
  return {
    value: { ...value, traffic: filled.value },
    spot: { ...spot, children: new Map([...spot.children, ['traffic', filled.spot]]) },
  };
}

/** Walks lists of steps, steps, and their branches. */
function fillSteps(part: Part, defaults: Part): Part {
  const { value, spot } = part;
  if (Array.isArray(value)) {
    const items = value.map((each: unknown, n) =>
      fillSteps({ value: each, spot: spot.children.get(n) ?? spot }, defaults),
    );
    const children = new Map(items.map((item, n) => [n, item.spot] as const));
    return { value: items.map((item) => item.value), spot: { ...spot, children } };
  }
  if (!isMap(value)) return part;
  const replace = (key: string, by: Part, old = key): Part => {
    const { [old]: _, ...rest } = value;
    const children = new Map(spot.children);
    children.delete(old);
    children.set(key, by.spot);
    return { value: { [key]: by.value, ...rest }, spot: { ...spot, children } };
  };
  const own = (key: string): Part => ({ value: value[key], spot: spot.children.get(key) ?? spot });
  if ('parallel' in value) return replace('parallel', fillSteps(own('parallel'), defaults));
  if (isMap(value.send)) return replace('send', fillSend(own('send'), defaults));
  const arrow = Object.keys(value).find((key) => key.includes('->'));
  return arrow === undefined
    ? part
    : replace('send', fillSend(spelledOut(arrow, own(arrow)), defaults), arrow);
}

function spelledOut(arrow: string, { value, spot }: Part): Part {
  const [from, to] = arrow.split('->').map((end) => end.trim());
  return {
    value: { from, to, payload: value },
    spot: { ...spot, children: new Map([...spot.children, ['payload', { ...spot, children: new Map() }]]) },
  };
}

function fillSend({ value, spot }: Part, defaults: Part): Part {
  const all = defaults.value as Record<string, unknown>;
  const taken = takenBySend(all, value as Record<string, unknown>);
  const children = new Map(spot.children);
  for (const key of taken) children.set(key, defaults.spot.children.get(key) ?? defaults.spot);
  return {
    value: { ...(value as object), ...Object.fromEntries(taken.map((key) => [key, all[key]])) },
    spot: { ...spot, children },
  };
}
