// SPDX-License-Identifier: MIT
/** Things that are allowed but probably mistakes. */

import { prefixNumber } from '../../common/address.ts';
import type { Path } from '../../common/diagnostic.ts';
import { didYouMean } from '../../common/nearest.ts';
import { denies, matches, type Scope, validEntries } from '../resolve/index.ts';

export function checkUnused(scope: Scope): void {
  checkDefaults(scope);
  if (scope.problems.isBroken(['clients'])) return;
  checkNodes(scope);
  checkGroups(scope);
  checkPatterns(scope);
}

function checkNodes(scope: Scope): void {
  if (scope.problems.isBroken(['buses'])) return;
  const used = new Set([...scope.clients.values()].map((client) => client.node));
  for (const bus of scope.buses.values()) used.add(bus.master.node);
  const { messageBuses, dbusClients, programs } = scope;
  for (const { node } of [...messageBuses.values(), ...dbusClients.values(), ...programs.values()])
    used.add(node);
  for (const [name, , path] of validEntries(scope, 'nodes', scope.written.nodes)) {
    const message = `nothing runs on node "${name}"`;
    if (!used.has(name)) scope.problems.warning(path, { code: 'unused', message, onKey: true });
  }
}

function checkGroups({ groups, clients, problems }: Scope): void {
  const used = new Set<string>();
  for (const client of clients.values()) {
    for (const address of client.addresses) used.add(`${client.bus} ${prefixNumber(address)}`);
  }
  for (const { name, bus, prefix } of groups.values()) {
    if (used.has(`${bus} ${prefix}`)) continue;
    const hint = `Give a client groups: [${name}].`;
    problems.warning(['groups', name], {
      code: 'unused',
      message: `nobody is in group "${name}"`,
      hint,
      onKey: true,
    });
  }
}

function checkPatterns(scope: Scope): void {
  for (const [name, bus, path] of validEntries(scope, 'buses', scope.written.buses)) {
    const clients = [...scope.clients.values()].filter((client) => client.bus === name);
    const names = [...clients.map((client) => client.name), ...scope.names.of('replicas')];
    (bus?.master?.admit ?? []).forEach((pattern, n) => {
      if (names.some((each) => matches(pattern, each))) return;
      const message = `the pattern ${JSON.stringify(pattern)} admits no client of this file`;
      const hint = didYouMean(pattern, names);
      scope.problems.warning([...path, 'master', 'admit', n], { code: 'unused', message, hint });
    });
    (bus?.master?.deny ?? []).forEach((rule, n) => {
      if (clients.some(({ user }) => denies(rule, user))) return;
      const message = 'this denies no client of this file: none has these ids';
      const hint = 'Give one of them: user: "1000:1000".';
      scope.problems.warning([...path, 'master', 'deny', n], { code: 'unused', message, hint });
    });
  }
}

const KINDS = ['nodes', 'buses', 'groups', 'clients'] as const;

function checkDefaults(scope: Scope): void {
  const { written, problems, taken } = scope;
  for (const kind of KINDS) {
    if (problems.isBroken([kind]) || problems.isBroken(['defaults', kind])) continue;
    const items = Object.keys(written[kind] ?? {});
    for (const key of leaves(written.defaults?.[kind]))
      if (!items.some((item) => isTaken(scope, kind, item, key)))
        untaken(scope, [kind, ...key], `no item of \`${kind}\``);
  }
  if (problems.isBroken(['traffic']) || problems.isBroken(['defaults', 'sends'])) return;
  for (const key of Object.keys(written.defaults?.sends ?? {}))
    if (!taken.has(key))
      untaken(scope, ['sends', key], key === 'rate' ? 'no send of several messages' : 'no send');
}

function untaken({ problems }: Scope, path: Path, nobody: string): void {
  const message = `${nobody} takes this default`;
  const hint = 'Remove this default, or remove the key where it hides the default.';
  problems.warning(['defaults', ...path], { code: 'unused', message, hint });
}

/** The paths of the values in nested maps; a list is one value. */
function* leaves(value: unknown, path: Path = []): Generator<Path> {
  if (value === undefined || value === null) return;
  if (typeof value !== 'object' || Array.isArray(value)) yield path;
  else for (const [key, each] of Object.entries(value)) yield* leaves(each, [...path, key]);
}

/** An item that takes a default has its value from the place of the default. */
function isTaken({ tree }: Scope, kind: string, item: string, key: Path): boolean {
  const [own, inherited] = [tree.place([kind, item, ...key]), tree.place(['defaults', kind, ...key])];
  return own.file === inherited.file && own.line === inherited.line && own.column === inherited.column;
}
