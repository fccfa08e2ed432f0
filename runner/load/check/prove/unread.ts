// SPDX-License-Identifier: MIT
/** `receive: manual` of clients that no message reaches: it makes no difference when they read. */
import type { Prediction } from '../../../predict/index.ts';
import type { Topology } from '../../../topology/topology.ts';
import { writtenClients } from '../places.ts';
import { comingTo } from './coming.ts';

export function checkUnread(
  scope: Parameters<typeof writtenClients>[0],
  prediction: Prediction,
  topology: Topology,
): void {
  const manual = topology.clients.filter(({ receive }) => receive === 'manual');
  if (manual.length === 0) return;
  const coming = comingTo(prediction, topology);
  for (const [, written, path] of writtenClients(scope)) {
    const { line, column } = scope.tree.place(path);
    const here = manual.filter(({ place }) => place.line === line && place.column === column);
    const [spec] = here;
    if (spec === undefined || here.some(({ name }) => coming.has(name))) continue;
    scope.problems.warning(written?.receive === undefined ? path : [...path, 'receive'], {
      code: 'vacuous',
      message: `no message reaches "${spec.name}", so it makes no difference when it reads`,
      hint: `Send "${spec.name}" something, or remove it.`,
    });
  }
}
