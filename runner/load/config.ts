// SPDX-License-Identifier: MIT
/**
 * Writes a topology out: one file without includes, defaults, variables or matrix, which loads to the same topology.
 */
import { Document, isScalar, type Node, Scalar } from 'yaml';
import { isNeutral, neutralYaml } from '../common/neutral.ts';
import type { MessageBusSpec } from '../topology/message-bus.ts';
import type { BusSpec, ClientSpec, Topology } from '../topology/topology.ts';
import { type Loaded, type LoadOptions, loadTrees } from './load.ts';
import {
  BUILT_IN,
  deepMerge,
  fillSends,
  isMap,
  type Part,
  type SourceNode,
  type Tree,
} from './yaml/index.ts';

export interface Written {
  readonly topology: Topology;
  readonly yaml: string;
}

/**
 * The resolved text of each combination; with `explain`, every value has a comment on where it comes from. Empty if the
 * file has mistakes.
 */
export function configOf(
  file: string,
  { explain = false, ...options }: LoadOptions & { readonly explain?: boolean } = {},
): Loaded & { readonly written: readonly Written[] } {
  const { trees, ...loaded } = loadTrees(file, options);
  const written = loaded.topologies.flatMap((topology, n): Written[] => {
    const tree = trees[n];
    return tree === undefined ? [] : [{ topology, yaml: yamlOf(whole(tree, topology), explain) }];
  });
  return { ...loaded, written };
}

/** Keys of the file that are not part of the topology. */
const COMPOSITION: readonly string[] = ['include', 'defaults', 'matrix', 'apiVersion'];

function whole(tree: Tree, topology: Topology): Part {
  const said = fillSends({ value: tree.value, spot: tree.root });
  const value = Object.fromEntries(
    Object.entries(said.value as object).filter(([key]) => !COMPOSITION.includes(key)),
  );
  const sections = Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, section(tree, key, each)]),
  );
  const head = builtIn(defaultsOf(topology, said.value as Sections));
  return deepMerge(head, { value: { ...sections, name: topology.name }, spot: withName(said.spot) });
}

/**
 * Fills in what `camera:` alone leaves out: a client with nothing of its own. An environment is taken as it is written.
 */
function section(tree: Tree, key: string, value: unknown): unknown {
  if (!isMap(value) || !['nodes', 'buses', 'clients'].includes(key)) return value;
  const entries = Object.entries(value).map(([name, each]): [string, unknown] => {
    if (key !== 'nodes' || !isMap(each) || !isMap(each.env)) return [name, each ?? {}];
    const env = Object.entries(each.env).map(([variable, text]) => [
      variable,
      typeof text === 'string' ? text : tree.text(['nodes', name, 'env', variable]),
    ]);
    return [name, { ...each, env: Object.fromEntries(env) }];
  });
  return Object.fromEntries(entries);
}

/** The name of a combination is generated, not written in the file. */
function withName(spot: SourceNode): SourceNode {
  return spot.children.has('name')
    ? spot
    : { ...spot, children: new Map([...spot.children, ['name', builtIn('').spot]]) };
}

type Sections = {
  readonly [section in 'nodes' | 'buses' | 'groups' | 'clients']?: Readonly<Record<string, unknown>>;
};

/** Everything that a file may leave out, with the values that it got. */
function defaultsOf({ nodes, buses, groups, clients, messageBuses }: Topology, written: Sections): unknown {
  const client = new Map(clients.map((each) => [each.name, each]));
  const of = <T>(entries: object | undefined, make: (name: string) => T) =>
    Object.fromEntries(Object.keys(entries ?? {}).map((name) => [name, make(name)]));
  return {
    name: '',
    ...(written.nodes === undefined && { nodes: Object.fromEntries(nodes.map(({ name }) => [name, {}])) }),
    buses: of(written.buses, (name) => {
      const message = messageBuses?.buses.find((each) => each.name === name);
      return message ? messageBusDefaults(message) : busDefaults(buses.find((each) => each.name === name));
    }),
    ...(written.groups && {
      groups: of(written.groups, (name) => ({ bus: groups.find((each) => each.name === name)?.bus })),
    }),
    ...(written.clients && {
      clients: of(written.clients, (name) => {
        const dbus = messageBuses?.clients.find((each) => each.name === name);
        const program = messageBuses?.programs.find((each) => each.name === name);
        if (program) return { node: program.node, bus: program.bus };
        if (dbus) return { node: dbus.node, bus: dbus.bus, connect: dbus.connect };
        return clientDefaults(client.get(name) ?? client.get(`${name}-0`));
      }),
    }),
  };
}

function busDefaults(bus: BusSpec | undefined): unknown {
  if (bus === undefined) return {};
  const { path, protocol, overflow, master } = bus;
  return { path, protocol, overflow, master: { node: master.node, admit: master.admit } };
}

const messageBusDefaults = ({ path, node }: MessageBusSpec): unknown => ({
  path,
  protocol: 'dbus',
  master: { node },
});

function clientDefaults(client: ClientSpec | undefined): unknown {
  if (client === undefined) return {};
  const { bus, node, user, join, eavesdrop, receive } = client;
  return { node, bus, user: `${user.uid}:${user.gid}`, join, eavesdrop, receive };
}

/** Values that come from no file. */
function builtIn(value: unknown): Part {
  const children = new Map<string | number, SourceNode>();
  const isCollection = typeof value === 'object' && value !== null;
  if (isCollection) {
    const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
    for (const key of keys) children.set(key, builtIn((value as Record<string | number, unknown>)[key]).spot);
  }
  return { value, spot: { source: BUILT_IN, value: [0, 0], isCollection, children } };
}

function yamlOf(part: Part, explain: boolean): string {
  const document = new Document();
  document.contents = nodeOf(part, document, explain, undefined) as typeof document.contents;
  const text = document.toString({
    lineWidth: 0,
    flowCollectionPadding: true,
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
  });
  return neutralYaml(text);
}

function nodeOf(
  { value, spot }: Part,
  document: Document,
  explain: boolean,
  inherited: string | undefined,
): Node {
  const from = inherited ?? spot.inherited;
  const child = (key: string | number, each: unknown) => {
    const at = spot.children.get(key) ?? { ...spot, children: new Map() };
    return nodeOf({ value: each, spot: at }, document, explain, from);
  };
  if (Array.isArray(value)) return document.createNode(value.map((each, n) => child(n, each)));
  if (isMap(value)) {
    const entries = Object.entries(value).filter(([, each]) => each !== undefined);
    return document.createNode(Object.fromEntries(entries.map(([key, each]) => [key, child(key, each)])));
  }
  const node = document.createNode(plain(value, spot));
  if (isScalar(node) && typeof value === 'string') quote(node as Scalar<string>);
  if (explain) node.comment = ` ${originOf(spot, from)}`;
  return node;
}

/** Texts keep their `$`, and numbers the form in which they are written: 0x0010, 1.10. */
function plain(value: unknown, { source, value: span, text }: SourceNode): unknown {
  if (typeof value === 'string') return value.replaceAll('$$', '$$$$$$$$').replaceAll('${', '$$$${');
  if (typeof value !== 'number' || source === BUILT_IN) return value;
  const scalar = new Scalar(value);
  const written = text ?? source.text.slice(...span);
  if (/^0x/i.test(written)) scalar.format = 'HEX';
  scalar.source = written;
  return scalar;
}

/** Quotes texts that YAML would read as something else. */
function quote(node: Scalar<string>): void {
  if (!/^[A-Za-z/@][\w./@-]*$/.test(node.value) || /^(true|false|null|yes|no|on|off)$/i.test(node.value))
    node.type = node.value.includes('\n') && isNeutral(node.value) ? 'BLOCK_LITERAL' : 'QUOTE_DOUBLE';
}

function originOf(spot: SourceNode, inherited: string | undefined): string {
  if (spot.source === BUILT_IN) return 'built-in default';
  const { file, line, column } = spot.source.range(spot.value);
  const place = `${file}:${line}:${column}`;
  const parts = [inherited === undefined ? place : `${inherited} at ${place}`];
  for (const { name, origin } of spot.uses ?? []) parts.push(`\${${name}} from ${origin}`);
  for (const from of spot.source.includedFrom)
    parts.push(`included from ${from.file}:${from.line}:${from.column}`);
  return parts.join(', ');
}
