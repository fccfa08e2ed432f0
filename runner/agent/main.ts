// SPDX-License-Identifier: MIT
/**
 * Entry of the bundle that every node runs.
 *
 *   agent.js node NAME     the agent of node NAME
 *   agent.js agent NAME    a client or master, or the clients of pack NAME; started by the node agent
 */

import { runNodeAgent } from './node-process.ts';
import { runAgents } from './process.ts';

const [mode, name] = process.argv.slice(2);

if (mode === 'agent' && name) runAgents();
else if (mode === 'node' && name) runNodeAgent();
else {
  console.error('usage: agent.js node|agent NAME (started by afbus-topo, not by hand)');
  process.exit(2);
}
