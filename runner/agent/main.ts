// SPDX-License-Identifier: MIT
/**
 * Entry of the bundle that every node runs.
 *
 *   agent.js node NAME     the first process of node NAME
 *   agent.js agent NAME    one client or master; started by the node agent
 *   agent.js pack NAME     several clients in one process
 */

import { runNodeAgent } from './node-process.ts';
import { runAgent, runPack } from './process.ts';

const [mode, name] = process.argv.slice(2);

if (mode === 'agent' && name) runAgent();
else if (mode === 'pack' && name) runPack();
else if (mode === 'node' && name) runNodeAgent();
else {
  console.error('usage: agent.js node|agent|pack NAME (started by afbus-topo, not by hand)');
  process.exit(2);
}
