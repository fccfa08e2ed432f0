// SPDX-License-Identifier: MIT
/** Things that are allowed but probably mistakes. */

import { prefixNumber } from '../../common/address.ts';
import { didYouMean } from '../../common/nearest.ts';
import { denies, matches, type Scope, validEntries } from '../resolve/index.ts';

export function checkUnused(scope: Scope): void {
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
