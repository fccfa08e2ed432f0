// SPDX-License-Identifier: MIT
/** Nodes: those of the file, or generated ones if it names none. */

import type { Path } from '../../common/diagnostic.ts';
import { NAME } from '../../common/scalars.ts';
import { show } from '../../common/text.ts';
import type { NodeSpec } from '../../topology/topology.ts';
import { type Scope, validEntries } from './scope.ts';

export interface Nodes {
  readonly list: readonly NodeSpec[];
  /** The node of a bus's master. */
  forMaster(bus: string, node: string | undefined, path: Path): string | undefined;
  /** The node of a client. */
  forClient(node: string | undefined, path: Path): string | undefined;
}

export function resolveNodes(scope: Scope): Nodes {
  return scope.written.nodes === undefined ? madeUp(scope) : declared(scope);
}

function declared(scope: Scope): Nodes {
  const list: NodeSpec[] = [];
  for (const [name, node, path] of validEntries(scope, 'nodes', scope.written.nodes, () => 'node')) {
    scope.names.declare('node', name, path);
    const keys = Object.keys(node?.env ?? {});
    // The text as written: for LEVEL: 1.10, YAML's number would become 1.1.
    const env = keys.map((key) => [key, envText(scope, node?.env?.[key], [...path, 'env', key])] as const);
    list.push({ name, env: Object.fromEntries(env), place: scope.tree.place(path) });
  }
  const pick = (node: string | undefined, path: Path) => pickNode(scope, node, path);
  return { list, forMaster: (_bus, node, path) => pick(node, path), forClient: pick };
}

const envText = ({ tree }: Scope, value: unknown, path: Path): string =>
  typeof value === 'string' ? value : tree.text(path);

function pickNode({ names, problems }: Scope, node: string | undefined, path: Path): string | undefined {
  if (node !== undefined) return names.find(node, ['node'], [...path, 'node']) && node;
  const all = names.of('node');
  if (all.length === 1) return all[0];
  if (all.length > 1) {
    problems.error(path, {
      code: 'missing-key',
      message: 'this file has several nodes: say on which one',
      expected: `nodes of this file: ${all.join(', ')}`,
      hint: path.at(-1) === 'master' ? `Write master: { node: ${all[0]} }.` : `Write node: ${all[0]}.`,
      onKey: true,
    });
  }
  return undefined;
}

/** Generates one node per master of a bus, and one for all clients. */
function madeUp(scope: Scope): Nodes {
  const list: NodeSpec[] = [];
  const make = (wanted: string): string => {
    let name = wanted;
    while (taken(scope, name)) name = `${name}-node`;
    if (!list.some((node) => node.name === name)) list.push({ name, env: {} });
    return name;
  };
  const refuse = (node: string, path: Path) => {
    if (scope.problems.isBroken(['nodes'])) return undefined;
    const hint = NAME.test(node) ? `Declare it: nodes: { ${node}: {} }.` : undefined;
    const message = `unknown node ${show(node)}`;
    scope.problems.error([...path, 'node'], {
      code: 'unknown-name',
      message,
      expected: 'this file has no nodes',
      hint,
    });
    return undefined;
  };
  return {
    list,
    forMaster: (bus, node, path) => (node === undefined ? make(`${bus}-master`) : refuse(node, path)),
    forClient: (node, path) => (node === undefined ? make('clients') : refuse(node, path)),
  };
}

const taken = ({ written }: Scope, name: string): boolean =>
  [written.buses, written.groups, written.clients].some((section) => section && Object.hasOwn(section, name));
