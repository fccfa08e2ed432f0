// SPDX-License-Identifier: MIT
/** Addresses that the master assigns: those in the file, and one per group and name, in file order. */

import type { Address } from '../../common/address.ts';
import { addressOf, countUp, isMulticast, prefixNumber } from '../../common/address.ts';
import type { Path } from '../../common/diagnostic.ts';
import type { ClientSpec } from '../../topology/topology.ts';
import { NAMES_PREFIX } from './owned-names.ts';
import type { Scope } from './scope.ts';

export interface Draft extends Omit<ClientSpec, 'addresses'> {
  /** The written address, and the number of the replica, by which it is incremented. */
  readonly explicit: readonly { readonly text: Address; readonly index: number }[];
  readonly path: Path;
}

/** Client name → addresses: first those of its groups, then of its names, then the written ones. */
export function assignAddresses(scope: Scope, drafts: readonly Draft[]): Map<string, Address[]> {
  const holders = new Map<string, string>();
  const written = new Map(drafts.map((draft) => [draft.name, writtenAddresses(scope, draft, holders)]));
  const next = new Map<string, bigint>();
  const grouped = (draft: Draft) =>
    draft.groups.flatMap((group) => {
      const spec = scope.groups.get(group);
      return spec === undefined ? [] : [nextFree(draft, spec.prefix, next, holders)];
    });
  const named = (draft: Draft) => (draft.names ?? []).map(() => nextFree(draft, NAMES_PREFIX, next, holders));
  return new Map(
    drafts.map((draft) => [
      draft.name,
      [...grouped(draft), ...named(draft), ...(written.get(draft.name) ?? [])],
    ]),
  );
}

function writtenAddresses(scope: Scope, draft: Draft, holders: Map<string, string>): Address[] {
  return draft.explicit.flatMap(({ text, index }, n) => {
    const path = [...draft.path, 'addresses', n];
    const found = checkAssignable(scope, text, path) ? countUp(text, index) : undefined;
    if (found === undefined) return [];
    const key = `${draft.bus} ${found}`;
    const holder = holders.get(key);
    if (holder !== undefined) {
      const [message, hint] = clash(found, holder, draft.name);
      scope.problems.error(path, { code: 'clash', message, hint });
    }
    holders.set(key, draft.name);
    return [found];
  });
}

const clash = (address: Address, holder: string, name: string): [message: string, hint: string] =>
  holder === name
    ? [`"${name}" has the address ${address} twice`, 'Remove one of the two.']
    : [
        `"${holder}" on the same bus holds ${address} already`,
        'Give each client its own addresses. Replicas count up from the written one.',
      ];

/** Reports addresses that no master can assign: prefix 0 belongs to the kernel, and all ones means every client. */
export function checkAssignable({ problems }: Scope, text: Address, path: Path): boolean {
  if (prefixNumber(text) === 0) {
    const message = `${text} has prefix 0000, which only the kernel assigns`;
    problems.error(path, { code: 'bad-value', message, hint: 'Use a prefix from 0001 to ffff.' });
  } else if (isMulticast(text)) {
    const message = `${text} is a multicast address: it means a whole group`;
    problems.error(path, { code: 'bad-value', message, hint: 'Use another client part than ffffffffffff.' });
  } else {
    return true;
  }
  return false;
}

function nextFree(
  draft: Draft,
  prefix: number,
  next: Map<string, bigint>,
  holders: Map<string, string>,
): Address {
  const counter = `${draft.bus} ${prefix}`;
  let part = next.get(counter) ?? 1n;
  while (holders.has(`${draft.bus} ${addressOf(prefix, part)}`)) part++;
  next.set(counter, part + 1n);
  const found = addressOf(prefix, part);
  holders.set(`${draft.bus} ${found}`, draft.name);
  return found;
}
